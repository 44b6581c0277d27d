//! Windows: classes, procedures, sent messages.

use super::*;
use std::sync::mpsc;

static CREATED: AtomicU32 = AtomicU32::new(0);
static LAST_LPARAM: AtomicIsize = AtomicIsize::new(0);

/// Answers WM_USER + n with n times two; remembers in its user data that it is being destroyed.
unsafe extern "system" fn procedure(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: WM_CREATE points at a CREATESTRUCTW; the rest needs nothing.
    unsafe {
        match message {
            WM_CREATE => {
                CREATED.fetch_add(1, Ordering::Relaxed);
                let create = &*(lparam as *const CREATESTRUCTW);
                SetWindowLongPtrW(hwnd, GWLP_USERDATA, create.lpCreateParams as isize);
                0
            }
            WM_DESTROY => {
                assert!(DestroyWindow(hwnd).as_bool(), "under way already");
                SetWindowLongPtrW(hwnd, GWLP_USERDATA, 0xDEAD);
                0
            }
            WM_NCDESTROY => {
                assert_eq!(GetWindowLongPtrW(hwnd, GWLP_USERDATA), 0xDEAD);
                0
            }
            _ if message >= WM_USER => {
                LAST_LPARAM.store(lparam, Ordering::Relaxed);
                2 * (message - WM_USER) as isize
            }
            _ => DefWindowProcW(hwnd, message, wparam, lparam),
        }
    }
}

fn register(name: &str, procedure: WNDPROC, extra: i32) -> u16 {
    let name = text(name);
    let class = WNDCLASSW {
        style: 0,
        lpfnWndProc: procedure,
        cbClsExtra: 0,
        cbWndExtra: extra,
        hInstance: HINSTANCE::NULL,
        hIcon: HANDLE::NULL,
        hCursor: HANDLE::NULL,
        hbrBackground: HANDLE::NULL,
        lpszMenuName: null(),
        lpszClassName: name.as_ptr(),
    };
    // SAFETY: a valid class.
    unsafe { RegisterClassW(&class) }
}

fn create_by(class: *const u16, parent: HWND, param: *const c_void) -> HWND {
    // SAFETY: the callers give a name, an atom or null.
    unsafe {
        let none = HINSTANCE::NULL;
        CreateWindowExW(0, class, null(), 0, 0, 0, 0, 0, parent, HANDLE::NULL, none, param)
    }
}

fn create(class: &str, parent: HWND) -> HWND {
    create_by(text(class).as_ptr(), parent, null())
}

#[test]
fn classes_are_found_by_name_without_case_and_by_atom() {
    let atom = register("FindMe", Some(procedure), 0);
    assert!(atom >= 0xC000);
    assert_eq!((register("findME", Some(procedure), 0), last_error()), (0, ERROR_CLASS_ALREADY_EXISTS));
    assert_eq!((register("", Some(procedure), 0), last_error()), (0, ERROR_INVALID_PARAMETER));
    assert_eq!((register("NoProcedure", None, 0), last_error()), (0, ERROR_INVALID_PARAMETER));
    assert_eq!((register("ExtraLess", Some(procedure), -1), last_error()), (0, ERROR_INVALID_PARAMETER));
    let by_name = create("FINDME", HWND_MESSAGE);
    let by_atom = create_by(std::ptr::without_provenance(usize::from(atom)), HWND::NULL, null());
    assert!(!by_name.is_null() && !by_atom.is_null());
    assert!(create("NoSuchClass", HWND_MESSAGE).is_null());
    assert_eq!(last_error(), ERROR_CANNOT_FIND_WND_CLASS);
    assert!(create_by(null(), HWND_MESSAGE, null()).is_null());
    // SAFETY: live windows and names.
    unsafe {
        let name = text("FindMe");
        assert!(!UnregisterClassW(name.as_ptr(), HINSTANCE::NULL).as_bool());
        assert_eq!(last_error(), ERROR_CLASS_HAS_WINDOWS);
        assert!(DestroyWindow(by_name).as_bool() && DestroyWindow(by_atom).as_bool());
        assert!(UnregisterClassW(name.as_ptr(), HINSTANCE::NULL).as_bool());
        assert!(!UnregisterClassW(name.as_ptr(), HINSTANCE::NULL).as_bool());
        assert_eq!(last_error(), ERROR_CLASS_DOES_NOT_EXIST);
    }
}

#[test]
fn a_window_has_data_and_an_end() {
    register("Data", Some(procedure), 12);
    let parameter = 0x1234usize as *const c_void;
    let hwnd = create_by(text("Data").as_ptr(), HWND_MESSAGE, parameter);
    // SAFETY: a live window first, a stale one then.
    unsafe {
        assert!(CREATED.load(Ordering::Relaxed) > 0);
        assert_eq!(GetWindowLongPtrW(hwnd, GWLP_USERDATA), 0x1234, "set in WM_CREATE");
        assert_eq!(SetWindowLongPtrW(hwnd, 4, -5), 0);
        assert_eq!(GetWindowLongPtrW(hwnd, 4), -5, "extra bytes need no alignment");
        for index in [5, 12, -1, i32::MAX, i32::MIN] {
            SetLastError(0);
            assert_eq!((GetWindowLongPtrW(hwnd, index), last_error()), (0, ERROR_INVALID_INDEX));
        }
        let child = create("Data", hwnd);
        post_to(hwnd, WM_USER);
        post(WM_APP);
        assert!(DestroyWindow(hwnd).as_bool());
        assert!(!IsWindow(hwnd).as_bool() && !IsWindow(child).as_bool(), "children go with it");
        assert_eq!([next(), next()], [Some(WM_APP), None], "its messages go with it");
        assert_eq!((DestroyWindow(hwnd), last_error()), (FALSE, ERROR_INVALID_WINDOW_HANDLE));
        assert_eq!((PostMessageW(hwnd, WM_USER, 0, 0), last_error()), (FALSE, ERROR_INVALID_WINDOW_HANDLE));
        assert_eq!((SendMessageW(hwnd, WM_USER + 1, 0, 0), last_error()), (0, ERROR_INVALID_WINDOW_HANDLE));
        assert_eq!((GetWindowLongPtrW(hwnd, GWLP_USERDATA), last_error()), (0, ERROR_INVALID_WINDOW_HANDLE));
        assert!(create("Data", hwnd).is_null(), "a stale parent");
        let mut msg = MSG::default();
        assert_eq!((GetMessageW(&mut msg, hwnd, 0, 0), last_error()), (BOOL(-1), ERROR_INVALID_WINDOW_HANDLE));
    }
}

fn post_to(hwnd: HWND, message: u32) {
    // SAFETY: nothing to keep.
    assert!(unsafe { PostMessageW(hwnd, message, 0, 0) }.as_bool());
}

#[test]
fn a_window_filter_selects_its_messages_and_dispatch_calls_the_procedure() {
    register("Filter", Some(procedure), 0);
    let (one, two) = (create("Filter", HWND_MESSAGE), create("Filter", HWND_MESSAGE));
    let mut msg = MSG::default();
    // SAFETY: live windows.
    unsafe {
        post(WM_APP);
        post_to(one, WM_USER + 1);
        post_to(two, WM_USER + 2);
        assert!(PeekMessageW(&mut msg, two, 0, 0, PM_REMOVE).as_bool());
        assert_eq!((msg.hwnd, DispatchMessageW(&msg)), (two, 4));
        let of_no_window = HWND(usize::MAX as *mut c_void);
        assert!(PeekMessageW(&mut msg, of_no_window, 0, 0, PM_REMOVE).as_bool());
        assert_eq!((msg.message, DispatchMessageW(&msg)), (WM_APP, 0));
        assert!(!PeekMessageW(&mut msg, of_no_window, 0, 0, PM_REMOVE).as_bool());
        unsafe extern "system" fn other(_: HWND, _: u32, _: WPARAM, _: LPARAM) -> LRESULT {
            77
        }
        let before = GetWindowLongPtrW(one, GWLP_WNDPROC);
        assert_eq!(SetWindowLongPtrW(one, GWLP_WNDPROC, other as *const () as isize), before);
        assert!(PeekMessageW(&mut msg, one, 0, 0, PM_REMOVE).as_bool());
        assert_eq!(DispatchMessageW(&msg), 77);
        SetWindowLongPtrW(one, GWLP_WNDPROC, before);
        assert!(DestroyWindow(one).as_bool() && DestroyWindow(two).as_bool());
    }
}

#[test]
fn a_procedure_that_refuses_creation_gets_no_window() {
    unsafe extern "system" fn refuses(_: HWND, message: u32, _: WPARAM, _: LPARAM) -> LRESULT {
        if message == WM_CREATE { -1 } else { 1 }
    }
    unsafe extern "system" fn refuses_first(_: HWND, _: u32, _: WPARAM, _: LPARAM) -> LRESULT {
        0
    }
    register("Refuses", Some(refuses), 0);
    register("RefusesFirst", Some(refuses_first), 0);
    assert!(create("Refuses", HWND_MESSAGE).is_null());
    assert!(create("RefusesFirst", HWND_MESSAGE).is_null());
    for name in ["Refuses", "RefusesFirst"] {
        // SAFETY: a valid name.
        assert!(unsafe { UnregisterClassW(text(name).as_ptr(), HINSTANCE::NULL) }.as_bool(), "no window is left");
    }
}

/// Runs a message loop on a thread of its own with one window of `class`, until `WM_QUIT`.
fn window_thread(class: &'static str) -> (HWND, u32, std::thread::JoinHandle<()>) {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let hwnd = create(class, HWND_MESSAGE);
        // SAFETY: valid pointers.
        unsafe {
            tell.send((hwnd.0 as usize, GetCurrentThreadId())).unwrap();
            let mut msg = MSG::default();
            while GetMessageW(&mut msg, HWND::NULL, 0, 0).as_bool() {
                DispatchMessageW(&msg);
            }
        }
    });
    let (hwnd, id) = told.recv().unwrap();
    (HWND(hwnd as *mut c_void), id, thread)
}

#[test]
fn another_threads_window_can_be_sent_to_but_not_destroyed() {
    register("Other", Some(procedure), 0);
    let (hwnd, id, thread) = window_thread("Other");
    // SAFETY: a window of another thread.
    unsafe {
        assert_eq!(SendMessageW(hwnd, WM_USER + 21, 0, 0), 42);
        assert_eq!((DestroyWindow(hwnd), last_error()), (FALSE, ERROR_ACCESS_DENIED));
        assert!(IsWindow(hwnd).as_bool());
        let msg = MSG { hwnd, message: WM_USER + 1, ..MSG::default() };
        assert_eq!(DispatchMessageW(&msg), 0, "procedures run on the window's own thread");
        let mut got = MSG::default();
        assert_eq!(PeekMessageW(&mut got, hwnd, 0, 0, PM_REMOVE), FALSE);
        assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
        assert!(PostThreadMessageW(id, WM_QUIT, 0, 0).as_bool());
        thread.join().unwrap();
        while IsWindow(hwnd).as_bool() {
            std::thread::yield_now();
        }
        assert_eq!(SendMessageW(hwnd, WM_USER + 21, 0, 0), 0, "the window went with its thread");
    }
}

static BACK: AtomicIsize = AtomicIsize::new(0);

/// WM_USER: sends WM_APP to the window in `lparam` and gives its answer. WM_APP: says whether it was sent.
unsafe extern "system" fn sends_back(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: windows.
    unsafe {
        match message {
            WM_USER => {
                assert!(kernel::in_sent_message());
                SendMessageW(HWND(lparam as *mut c_void), WM_APP, 0, 0)
            }
            WM_APP => {
                BACK.fetch_add(1, Ordering::Relaxed);
                10 + isize::from(kernel::in_sent_message())
            }
            _ => DefWindowProcW(hwnd, message, wparam, lparam),
        }
    }
}

#[test]
fn msg_09_who_has_sent_is_sent_to_meanwhile() {
    register("SendsBack", Some(sends_back), 0);
    let mine = create("SendsBack", HWND_MESSAGE);
    let (theirs, id, thread) = window_thread("SendsBack");
    // SAFETY: live windows.
    unsafe {
        assert!(!kernel::in_sent_message());
        assert_eq!(SendMessageW(mine, WM_APP, 0, 0), 10, "MSG-10: on the same thread it is a call");
        assert_eq!(SendMessageW(theirs, WM_USER, 0, mine.0 as isize), 11, "from another it is not");
        assert!(!kernel::in_sent_message());
        assert_eq!(BACK.load(Ordering::Relaxed), 2);
        assert!(PostThreadMessageW(id, WM_QUIT, 0, 0).as_bool());
        thread.join().unwrap();
    }
}

#[test]
fn msg_12_sent_messages_come_before_posted_ones() {
    static ORDER: AtomicIsize = AtomicIsize::new(0);
    unsafe extern "system" fn notes(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
        if message >= WM_USER {
            let digit = (message - WM_USER) as isize;
            ORDER.store(ORDER.load(Ordering::Relaxed) * 10 + digit, Ordering::Relaxed);
        }
        // SAFETY: nothing to keep.
        unsafe { DefWindowProcW(hwnd, message, wparam, lparam) }
    }
    register("Notes", Some(notes), 0);
    let hwnd = create("Notes", HWND_MESSAGE);
    post_to(hwnd, WM_USER + 1);
    let address = hwnd.0 as usize;
    // SAFETY: a live window.
    let sender = std::thread::spawn(move || unsafe { SendMessageW(HWND(address as *mut c_void), WM_USER + 2, 0, 0) });
    let queue = kernel::queue();
    while !queue.has(kernel::SENT) {
        std::thread::yield_now();
    }
    assert_eq!(wait_for_input(QS_SENDMESSAGE, 0), 0);
    let mut msg = MSG::default();
    // SAFETY: valid pointers.
    unsafe {
        assert!(PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_REMOVE).as_bool());
        assert_eq!(ORDER.load(Ordering::Relaxed), 2, "delivered by the look itself");
        DispatchMessageW(&msg);
        assert_eq!(ORDER.load(Ordering::Relaxed), 21);
        sender.join().unwrap();
        assert!(DestroyWindow(hwnd).as_bool());
    }
}

#[test]
fn a_message_sent_to_a_thread_that_ends_is_answered_with_nothing() {
    register("Ends", Some(procedure), 0);
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let hwnd = create("Ends", HWND_MESSAGE);
        let queue = kernel::queue();
        tell.send(hwnd.0 as usize).unwrap();
        // It ends when the message is there, and does not look at it.
        while !queue.has(kernel::SENT) {
            std::thread::yield_now();
        }
    });
    let hwnd = HWND(told.recv().unwrap() as *mut c_void);
    // SAFETY: the window of a thread that is about to end.
    assert_eq!(unsafe { SendMessageW(hwnd, WM_USER + 21, 0, 0) }, 0);
    thread.join().unwrap();
}

#[test]
fn windows_of_both_alphabets_are_the_same() {
    unsafe extern "system" fn keeps(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
        // SAFETY: WM_CREATE of this window points at a CREATESTRUCTA.
        unsafe {
            if message == WM_CREATE {
                let create = &*(lparam as *const CREATESTRUCTA);
                assert_eq!(std::ffi::CStr::from_ptr(create.lpszName.cast()), c"Its name");
            }
            DefWindowProcA(hwnd, message, wparam, lparam)
        }
    }
    let class = WNDCLASSEXA {
        cbSize: size_of::<WNDCLASSEXA>() as u32,
        style: 0,
        lpfnWndProc: Some(keeps),
        cbClsExtra: 0,
        cbWndExtra: 16,
        hInstance: HINSTANCE::NULL,
        hIcon: HANDLE::NULL,
        hCursor: HANDLE::NULL,
        hbrBackground: HANDLE::NULL,
        lpszMenuName: null(),
        lpszClassName: c"Both Alphabets".as_ptr().cast(),
        hIconSm: HANDLE::NULL,
    };
    // SAFETY: valid classes, names, windows; null and stale ones are errors.
    unsafe {
        assert_eq!((RegisterClassExA(&WNDCLASSEXA { cbSize: 1, ..class }), last_error()), (0, ERROR_INVALID_PARAMETER));
        assert_eq!((RegisterClassExW(null()), RegisterClassA(null())), (0, 0));
        assert_ne!(RegisterClassExA(&class), 0);
        let (name, none) = (c"Its name".as_ptr().cast(), HINSTANCE::NULL);
        let class = class.lpszClassName;
        let hwnd = CreateWindowExA(8, class, name, 5, 0, 0, 0, 0, HWND_MESSAGE, HANDLE::NULL, none, null());
        assert!(IsWindow(hwnd).as_bool());
        assert_eq!((GetWindowLongA(hwnd, GWL_STYLE), GetWindowLongW(hwnd, GWL_EXSTYLE)), (5, 8));
        assert_eq!((SetWindowLongA(hwnd, 4, -7), GetWindowLongW(hwnd, 4)), (0, -7));
        assert_eq!((SetWindowLongW(hwnd, GWLP_USERDATA, -1), GetWindowLongPtrA(hwnd, GWLP_USERDATA)), (0, -1));
        for index in [GWLP_WNDPROC, 13, -1] {
            SetLastError(0);
            assert_eq!((GetWindowLongA(hwnd, index), last_error()), (0, ERROR_INVALID_INDEX), "{index}");
        }
        let procedure = GetWindowLongPtrA(hwnd, GWLP_WNDPROC);
        let procedure = std::mem::transmute::<isize, WNDPROC>(procedure);
        assert_eq!(CallWindowProcA(procedure, hwnd, WM_NCCREATE, 0, 0), 1);
        assert_eq!((CallWindowProcW(None, hwnd, WM_NCCREATE, 0, 0), last_error()), (0, ERROR_INVALID_PARAMETER));
        let mut process = 0;
        assert_eq!(GetWindowThreadProcessId(hwnd, &mut process), GetCurrentThreadId());
        assert_eq!(process, GetCurrentProcessId());
        // Found by class, by name, by both, after another; and not elsewhere.
        let wide = text("both alphabets");
        assert_eq!(FindWindowExW(HWND_MESSAGE, HWND::NULL, wide.as_ptr(), null()), hwnd);
        assert_eq!(FindWindowExA(HWND_MESSAGE, HWND::NULL, class, name), hwnd);
        assert_eq!(FindWindowExA(HWND_MESSAGE, HWND::NULL, null(), name), hwnd);
        assert!(FindWindowExA(HWND_MESSAGE, hwnd, class, null()).is_null());
        assert_eq!(last_error(), ERROR_FILE_NOT_FOUND);
        assert!(FindWindowExA(HWND::NULL, HWND::NULL, class, null()).is_null());
        assert!(DestroyWindow(hwnd).as_bool());
        assert_eq!((GetWindowThreadProcessId(hwnd, null_mut()), last_error()), (0, ERROR_INVALID_WINDOW_HANDLE));
        assert!(FindWindowExA(hwnd, HWND::NULL, class, null()).is_null());
        assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
        assert!(UnregisterClassA(class, none).as_bool());
    }
}

#[test]
fn a_long_title_is_one_and_a_long_name_is_not_every_window_s() {
    let (class, long) = (text("long titles"), text(&"x".repeat(1_000)));
    assert_ne!(register("long titles", Some(DefWindowProcW), 0), 0);
    // SAFETY: valid names.
    unsafe {
        let none = HINSTANCE::NULL;
        let make = |name: *const u16| {
            CreateWindowExW(0, class.as_ptr(), name, 0, 0, 0, 0, 0, HWND_MESSAGE, HANDLE::NULL, none, null())
        };
        let (short, titled) = (make(null()), make(long.as_ptr()));
        let find = |class: *const u16, name: *const u16| FindWindowExW(HWND_MESSAGE, HWND::NULL, class, name);
        assert_eq!(find(null(), long.as_ptr()), titled);
        assert!(find(long.as_ptr(), null()).is_null());
        assert_eq!(last_error(), ERROR_FILE_NOT_FOUND);
        for hwnd in [short, titled] {
            assert!(DestroyWindow(hwnd).as_bool());
        }
        assert!(UnregisterClassW(class.as_ptr(), none).as_bool());
    }
}

#[test]
fn messages_go_round_by_the_functions_of_bytes() {
    let class = WNDCLASSA {
        style: 0,
        lpfnWndProc: Some(procedure),
        cbClsExtra: 0,
        cbWndExtra: 8,
        hInstance: HINSTANCE::NULL,
        hIcon: HANDLE::NULL,
        hCursor: HANDLE::NULL,
        hbrBackground: HANDLE::NULL,
        lpszMenuName: null(),
        lpszClassName: c"In Bytes".as_ptr().cast(),
    };
    // SAFETY: a valid class, live windows, valid pointers.
    unsafe {
        let atom = RegisterClassA(&class);
        assert!(atom >= 0xC000);
        assert_eq!((register("in bytes", Some(procedure), 0), last_error()), (0, ERROR_CLASS_ALREADY_EXISTS));
        let hwnd = create_by(std::ptr::without_provenance(usize::from(atom)), HWND_MESSAGE, null());
        assert_eq!(SetWindowLongPtrA(hwnd, GWLP_USERDATA, -9), 0);
        assert_eq!((SetWindowLongPtrA(hwnd, 0, 1 << 40), GetWindowLongPtrA(hwnd, 0)), (0, 1 << 40), "its extra bytes");
        assert_eq!((SetWindowLongPtrA(hwnd, GWLP_USERDATA, 3), GetWindowLongPtrW(hwnd, GWLP_USERDATA)), (-9, 3));
        assert_eq!(SendMessageA(hwnd, WM_USER + 21, 0, 0), 42);
        for n in [3, 4] {
            assert!(PostMessageA(hwnd, WM_USER + n, 5, -6).as_bool());
        }
        let mut msg = MSG::default();
        let mut peek = |n, flags| PeekMessageA(&mut msg, hwnd, WM_USER + n, WM_USER + n, flags).as_bool();
        assert!(peek(3, PM_NOREMOVE) && !peek(5, PM_REMOVE));
        assert!(GetMessageA(&mut msg, hwnd, WM_USER + 4, WM_USER + 4).as_bool());
        assert_eq!((msg.hwnd, msg.message, msg.wParam, msg.lParam), (hwnd, WM_USER + 4, 5, -6));
        assert_eq!(DispatchMessageA(&msg), 8);
        assert!(PeekMessageA(&mut msg, HWND::NULL, 0, 0, PM_REMOVE).as_bool());
        assert_eq!((msg.hwnd, msg.message, DispatchMessageA(&msg)), (hwnd, WM_USER + 3, 6));
        PostQuitMessage(0);
        assert!(!GetMessageA(&mut msg, HWND::NULL, 0, 0).as_bool());
        assert!(DestroyWindow(hwnd).as_bool() && UnregisterClassA(class.lpszClassName, HINSTANCE::NULL).as_bool());
    }
}

#[test]
fn a_class_says_its_size() {
    let name = text("With A Size");
    let class = WNDCLASSEXW {
        cbSize: size_of::<WNDCLASSEXW>() as u32,
        style: 0,
        lpfnWndProc: Some(procedure),
        cbClsExtra: 0,
        cbWndExtra: 4,
        hInstance: HINSTANCE::NULL,
        hIcon: HANDLE::NULL,
        hCursor: HANDLE::NULL,
        hbrBackground: HANDLE::NULL,
        lpszMenuName: null(),
        lpszClassName: name.as_ptr(),
        hIconSm: HANDLE::NULL,
    };
    // SAFETY: valid classes, a live window.
    unsafe {
        let wrong = WNDCLASSEXW { cbSize: class.cbSize - 1, ..class };
        assert_eq!((RegisterClassExW(&wrong), last_error()), (0, ERROR_INVALID_PARAMETER));
        assert!(RegisterClassExW(&class) >= 0xC000);
        let hwnd = create("with a size", HWND_MESSAGE);
        assert_eq!(SendMessageW(hwnd, WM_USER + 2, 0, 0), 4);
        assert_eq!((SetWindowLongW(hwnd, 0, -7), GetWindowLongW(hwnd, 0)), (0, -7), "its extra bytes");
        assert!(DestroyWindow(hwnd).as_bool() && UnregisterClassW(name.as_ptr(), HINSTANCE::NULL).as_bool());
    }
}

#[test]
fn messages_have_names_in_the_process() {
    // SAFETY: NUL-terminated names, or null.
    unsafe {
        let number = RegisterWindowMessageW(text("A Named Message").as_ptr());
        assert!((0xC000..=0xFFFF).contains(&number));
        assert_eq!(RegisterWindowMessageA(c"a named message".as_ptr().cast()), number);
        assert_ne!(RegisterWindowMessageA(c"another named message".as_ptr().cast()), number);
        for name in [null(), c"".as_ptr().cast()] {
            assert_eq!((RegisterWindowMessageA(name), last_error()), (0, ERROR_INVALID_PARAMETER));
        }
    }
}

static TOLD: AtomicU32 = AtomicU32::new(0);

/// WM_USER: replies 7 and waits for the event in `wparam`. WM_USER + 1: keeps how it was sent.
unsafe extern "system" fn replies(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: live handles.
    unsafe {
        match message {
            WM_USER => {
                assert!(InSendMessage().as_bool() && kernel::in_sent_message());
                assert_eq!(InSendMessageEx(null_mut()), ISMEX_SEND);
                assert!(ReplyMessage(7).as_bool());
                assert_eq!(InSendMessageEx(null_mut()), ISMEX_SEND | ISMEX_REPLIED);
                assert!(!kernel::in_sent_message(), "MSG-10: who has replied may call out");
                assert!(!ReplyMessage(8).as_bool(), "once");
                WaitForSingleObject(HANDLE(wparam as *mut c_void), INFINITE);
                9
            }
            0x401 => {
                TOLD.store(InSendMessageEx(null_mut()), Ordering::Relaxed);
                assert!(!kernel::in_sent_message(), "nobody waits");
                0
            }
            _ => DefWindowProcW(hwnd, message, wparam, lparam),
        }
    }
}

#[test]
fn a_message_is_answered_before_it_is_handled_or_given_up() {
    register("Replies", Some(replies), 0);
    let (hwnd, id, thread) = window_thread("Replies");
    let go = event(true, false);
    // SAFETY: live windows and handles.
    unsafe {
        assert!(!InSendMessage().as_bool() && !ReplyMessage(1).as_bool());
        assert_eq!(SendMessageW(hwnd, WM_USER, go.0 as usize, 0), 7, "it is still at it");
        let mut result = 77;
        let give_up = SendMessageTimeoutW(hwnd, WM_APP, 0, 0, SMTO_NORMAL, 1, &mut result);
        assert_eq!((give_up, last_error(), result), (0, ERROR_TIMEOUT, 77));
        assert!(SendNotifyMessageA(hwnd, WM_USER + 1, 0, 0).as_bool(), "does not wait");
        assert!(SetEvent(go).as_bool());
        assert_eq!(SendMessageTimeoutA(hwnd, WM_NCCREATE, 0, 0, SMTO_BLOCK, 60_000, &mut result), 1);
        assert_eq!((result, TOLD.load(Ordering::Relaxed)), (1, ISMEX_NOTIFY), "in order");
        assert_eq!(SendMessageTimeoutA(hwnd, WM_USER, 0, 0, 4, 1, null_mut()), 0);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert!(PostThreadMessageA(id, WM_QUIT, 0, 0).as_bool());
        thread.join().unwrap();
        assert_eq!(SendMessageTimeoutW(HWND::NULL, WM_USER, 0, 0, 0, 1, null_mut()), 0);
        assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
        assert!(!SendNotifyMessageW(HWND::NULL, WM_USER, 0, 0).as_bool());
        assert!(CloseHandle(go).as_bool());
    }
}

#[test]
fn a_queue_says_what_is_there_and_what_is_new() {
    let (both, all) = (QS_POSTMESSAGE | QS_ALLPOSTMESSAGE, QS_ALLINPUT | QS_ALLPOSTMESSAGE);
    // SAFETY: nothing to keep.
    unsafe {
        assert_eq!(GetQueueStatus(all), 0);
        post(WM_USER);
        assert!(WaitMessage().as_bool(), "it is new, and seen now");
        assert_eq!(GetQueueStatus(QS_ALLINPUT), QS_POSTMESSAGE << 16);
        assert_eq!(GetQueueStatus(all), both << 16 | QS_ALLPOSTMESSAGE, "only what was asked for is seen");
        assert_eq!(GetQueueStatus(all), both << 16);
        post(WM_USER);
        assert_eq!(GetQueueStatus(QS_SENDMESSAGE), 0, "another kind");
        assert_eq!(GetQueueStatus(all), both << 16 | both);
        assert_eq!(GetQueueStatus(all), both << 16);
        assert_eq!([next(), next()], [Some(WM_USER); 2]);
        assert_eq!(GetQueueStatus(all), 0);
    }
}
