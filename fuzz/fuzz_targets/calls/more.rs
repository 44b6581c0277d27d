//! Windows, timers, threads, waits that call back, contexts, pipes, and what threads of one process give each other.

use super::parts::*;
use super::{H, Hands, I, Op, P, at, clsid, keep};
use arbitrary::Arbitrary;
use oleander::apartment::enter_application_sta;
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_fuzz::late::{When, late};
use oleander_fuzz::{stream, try_packet};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};

#[derive(Arbitrary, Debug)]
pub enum More {
    Window(u8),
    DestroyWindow(u8),
    PostTo(u8, u16),
    SendTo(u8, u16, u8),
    Notify(u8, u16),
    WindowLong(u8, i8, bool),
    TimerOf(u8, u8, u8, bool),
    KillTimerOf(u8, u8),
    PeekWindow(u8, bool),
    GetMessage(u16),
    Apc(H, u8),
    Start(bool),
    Resume(H),
    OpenThread(u8),
    WaitRegister(H, u8, u8),
    WaitEnd(u8, H),
    Work,
    Filter(u8, u8),
    NoFilter,
    Hook(u8, u8),
    Spy,
    ApplicationSta,
    Switcher,
    InContext(P, u8, u8),
    DisconnectContext(u8),
    InProcess(u8, u8, u8),
    InProcessGone(u8),
    Pipe(u16),
    Pull(P, u16),
    Push(P, Vec<u8>),
    PullLater(P, u16),
    NewLate(bool),
    MultiQuery(P, I, I),
    QueryLater(P, I),
    Resolve(P, I),
    Give(P, u8),
    Take(u8, I),
    GiveHandle(H),
    GiveAgile(P),
    TakeAgile(u8, I),
    GiveCookie(P, I),
    CancelOther(u8, u8),
}

/// What the threads of a process share.
#[derive(Default)]
pub struct Board(Mutex<Shared>);

#[derive(Default)]
struct Shared {
    packets: Vec<Vec<u8>>,
    handles: Vec<usize>,
    windows: Vec<usize>,
    cookies: Vec<u32>,
    agile: Vec<Agile>,
    /// What threads do that have not been started.
    plans: Vec<Vec<Op>>,
    /// Handles that nobody else closes, and the ids.
    threads: Vec<(usize, u32)>,
}

#[derive(Clone)]
struct Agile(IAgileReference);
// SAFETY: agile references may be used by every thread.
unsafe impl Send for Agile {}

fn handle(number: usize) -> HANDLE {
    HANDLE(std::ptr::without_provenance_mut(number))
}

/// How long a thread may take.
const HANG_MS: u32 = 50_000;

impl Board {
    pub fn new(plans: Vec<Vec<Op>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Shared { plans, ..Shared::default() })))
    }

    fn with<R>(&self, f: impl FnOnce(&mut Shared) -> R) -> R {
        f(&mut self.0.lock().expect("nobody panics in it"))
    }

    pub fn handle(&self, which: u8) -> HANDLE {
        self.with(|shared| at(&shared.handles, which)).map_or(HANDLE::NULL, handle)
    }

    pub fn cookie(&self, which: u8) -> Option<u32> {
        self.with(|shared| at(&shared.cookies, which))
    }

    fn window(&self, which: u8) -> HWND {
        let number = self.with(|shared| at(&shared.windows, which)).unwrap_or(0);
        HWND(std::ptr::without_provenance_mut(number))
    }

    /// Starts the next thread that has something to do; gives its handle.
    pub fn start(self: &Arc<Self>, suspended: bool) -> Option<HANDLE> {
        let plan = self.with(|shared| shared.plans.pop())?;
        let context = Box::into_raw(Box::new((self.clone(), plan)));
        let flags = if suspended { CREATE_SUSPENDED } else { 0 };
        let (mut id, mut own, here) = (0, HANDLE::NULL, unsafe { GetCurrentProcess() });
        unsafe {
            let thread = CreateThread(null(), 0, Some(run), context.cast(), flags, &mut id);
            assert!(DuplicateHandle(here, thread, here, &mut own, 0, false.into(), DUPLICATE_SAME_ACCESS).as_bool());
            self.with(|shared| shared.threads.push((own.0.addr(), id)));
            Some(thread)
        }
    }

    /// Waits for all threads. The caller has left COM, so nobody waits for it.
    pub fn join(&self) {
        while let Some((thread, _)) = self.with(|shared| shared.threads.pop()) {
            let thread = handle(thread);
            unsafe {
                let _ = ResumeThread(thread);
                assert_eq!(WaitForSingleObject(thread, HANG_MS), WAIT_OBJECT_0, "a thread hangs");
                assert!(CloseHandle(thread).as_bool());
            }
        }
        // What refers to objects goes while the process is there.
        let shared = self.with(std::mem::take);
        drop(shared);
    }
}

unsafe extern "system" fn run(context: *mut c_void) -> u32 {
    let (board, plan) = *unsafe { Box::from_raw(context.cast::<(Arc<Board>, Vec<Op>)>()) };
    super::play(&plan, &board);
    7
}

fn class_name(which: u8) -> [u16; 3] {
    [u16::from(b'w'), u16::from(b'0' + which % 3), 0]
}

fn app_message(message: u16) -> u32 {
    WM_APP + u32::from(message) % 0x4000
}

unsafe fn window_op(hands: &mut Hands, op: &More) -> bool {
    let board = hands.board.clone();
    unsafe {
        match op {
            More::Window(which) => {
                let name = class_name(*which);
                let class = WNDCLASSW {
                    style: 0,
                    lpfnWndProc: Some(procedure),
                    cbClsExtra: 0,
                    cbWndExtra: i32::from(*which),
                    hInstance: HINSTANCE(null_mut()),
                    hIcon: HANDLE::NULL,
                    hCursor: HANDLE::NULL,
                    hbrBackground: HANDLE::NULL,
                    lpszMenuName: null(),
                    lpszClassName: name.as_ptr(),
                };
                let _ = RegisterClassW(&class);
                let parent = if *which % 2 == 0 { HWND_MESSAGE } else { HWND::NULL };
                let none = (HANDLE::NULL, HINSTANCE(null_mut()), null());
                let window = CreateWindowExW(0, name.as_ptr(), null(), 0, 0, 0, 0, 0, parent, none.0, none.1, none.2);
                if window != HWND::NULL {
                    board.with(|shared| shared.windows.push(window.0.addr()));
                }
            }
            More::DestroyWindow(which) => drop(DestroyWindow(board.window(*which))),
            More::PostTo(which, message) => {
                let _ =
                    PostMessageW(board.window(*which), app_message(*message), Default::default(), Default::default());
            }
            More::SendTo(which, message, ms) => {
                let mut result = Default::default();
                let (message, none) = (app_message(*message), Default::default());
                let flags = [SMTO_NORMAL, SMTO_BLOCK][usize::from(*ms) % 2];
                let ms = u32::from(*ms) % 6;
                let _ = SendMessageTimeoutW(
                    board.window(*which),
                    message,
                    none,
                    Default::default(),
                    flags,
                    ms,
                    &mut result,
                );
            }
            More::Notify(which, message) => {
                let (to, message) = (board.window(*which), app_message(*message));
                let _ = SendNotifyMessageW(to, message, Default::default(), Default::default());
            }
            More::WindowLong(which, index, set) => {
                let (window, index) = (board.window(*which), i32::from(*index));
                // Its procedure stays.
                if *set && index != GWLP_WNDPROC {
                    let _ = SetWindowLongPtrW(window, index, 0x55);
                }
                let _ = (GetWindowLongPtrW(window, index), GetWindowThreadProcessId(window, null_mut()));
            }
            More::TimerOf(which, id, ms, calls) => {
                let window = if which % 4 == 0 { HWND::NULL } else { board.window(*which) };
                let proc = if *calls { Some(on_timer as _) } else { None };
                let _ = SetTimer(window, usize::from(*id), u32::from(*ms) % 30, proc);
            }
            More::KillTimerOf(which, id) => drop(KillTimer(board.window(*which), usize::from(*id))),
            More::PeekWindow(which, remove) => {
                let (mut msg, remove) = (MSG::default(), if *remove { PM_REMOVE } else { 0 });
                if PeekMessageW(&mut msg, board.window(*which), 0, 0, remove).as_bool() {
                    let _ = (TranslateMessage(&msg), DispatchMessageW(&msg));
                }
            }
            More::GetMessage(message) => {
                let mut msg = MSG::default();
                let none = (Default::default(), Default::default());
                // There is one now.
                if PostThreadMessageW(GetCurrentThreadId(), app_message(*message), none.0, none.1).as_bool() {
                    let _ = GetMessageW(&mut msg, HWND::NULL, 0, 0);
                    let _ = DispatchMessageW(&msg);
                }
            }
            _ => return false,
        }
    }
    true
}

unsafe fn thread_op(hands: &mut Hands, op: &More) -> bool {
    let board = hands.board.clone();
    unsafe {
        match op {
            More::Apc(which, data) => {
                let thread = if data % 2 == 0 { GetCurrentThread() } else { hands.handle(*which) };
                let _ = QueueUserAPC(Some(on_apc), thread, (*data).into());
            }
            More::Start(suspended) => {
                if let Some(thread) = board.start(*suspended) {
                    hands.new_handle(thread);
                }
            }
            More::Resume(which) => drop(ResumeThread(hands.handle(*which))),
            More::OpenThread(which) => {
                let id = board.with(|shared| at(&shared.threads, *which)).map_or(u32::from(*which), |(_, id)| id);
                let thread = OpenThread(0x001F_FFFF, false.into(), id);
                hands.new_handle(thread);
            }
            More::WaitRegister(which, ms, flags) => {
                let (mut wait, ms) = (HANDLE::NULL, u32::from(*ms) % 8 + 1);
                let flags = [WT_EXECUTEDEFAULT, WT_EXECUTEONLYONCE, WT_EXECUTEINWAITTHREAD][usize::from(*flags) % 3];
                let object = hands.handle(*which);
                if RegisterWaitForSingleObject(&mut wait, object, Some(on_wait), null_mut(), ms, flags).as_bool() {
                    hands.waits.push(wait);
                }
            }
            More::WaitEnd(which, event) => {
                let wait = at(&hands.waits, *which).unwrap_or(HANDLE::NULL);
                let _ = UnregisterWaitEx(wait, hands.handle(*event));
            }
            More::Work => drop(QueueUserWorkItem(Some(on_work), null_mut(), 0)),
            More::CancelOther(which, seconds) => {
                if let Some((_, id)) = board.with(|shared| at(&shared.threads, *which)) {
                    let _ = CoCancelCall(id, u32::from(*seconds) % 2);
                }
            }
            More::GiveHandle(which) => {
                let handle = hands.handle(*which).0.addr();
                board.with(|shared| shared.handles.push(handle));
            }
            _ => return false,
        }
    }
    true
}

unsafe fn apartment_op(hands: &mut Hands, op: &More) -> bool {
    let mut raw = null_mut();
    unsafe {
        match op {
            More::Filter(answers, tries) => {
                let filter = IMessageFilter::from(Filter { answers: *answers, tries: Cell::new(tries % 4) });
                let hr = CoRegisterMessageFilter(filter.as_raw(), &mut raw);
                keep(hands, hr, raw);
            }
            More::NoFilter => {
                let hr = CoRegisterMessageFilter(null_mut(), &mut raw);
                keep(hands, hr, raw);
            }
            More::Hook(which, bytes) => {
                // Outside of COM nobody would ever let it go.
                if hands.depth > 0 {
                    let hook = IChannelHook::from(Hook { bytes: *bytes });
                    let _ = CoRegisterChannelHook(&GUID::from_u128(u128::from(which % 2)), hook.as_raw());
                }
            }
            More::Spy => {
                let (spy, mut cookie) = (IInitializeSpy::from(Spy {}), 0);
                if CoRegisterInitializeSpy(spy.as_raw(), &mut cookie).is_ok() {
                    hands.spies.push(cookie);
                }
            }
            More::ApplicationSta => {
                if enter_application_sta().is_ok() {
                    hands.depth += 1;
                }
            }
            More::Switcher => {
                let (clsid, iid) = (&CLSID_ContextSwitcher, &IContextCallback::IID);
                let hr = CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw);
                keep(hands, hr, raw);
            }
            More::InContext(which, method, result) => {
                let mut data = ComCallData { dwDispid: (*result).into(), dwReserved: 0, pUserDefined: null_mut() };
                if let Some(context) = hands.as_a::<IContextCallback>(*which) {
                    let (iid, method) = (super::IEvery::IID, i32::from(*method) % 6);
                    let _ = context.ContextCallback(Some(in_context), &mut data, &iid, method, null_mut());
                }
            }
            More::DisconnectContext(ms) => drop(CoDisconnectContext(u32::from(*ms) % 4)),
            More::InProcess(which, model, flags) => {
                let (model, flags) = (u32::from(*model) % 6, u32::from(*flags) % 3);
                let _ = OleanderRegisterInProcessClass(&clsid(*which), Some(class_object), model, flags);
            }
            More::InProcessGone(which) => drop(OleanderRevokeInProcessClass(&clsid(*which))),
            _ => return false,
        }
    }
    true
}

/// Whether `Finish_` would not wait.
pub fn is_complete(call: &impl Interface) -> bool {
    call.cast::<ISynchronize>().is_ok_and(|sync| unsafe { sync.Wait(0, 0) } == S_OK)
}

unsafe fn object_op(hands: &mut Hands, op: &More) -> Option<()> {
    let (board, mut raw, mut number) = (hands.board.clone(), null_mut::<c_void>(), 0_u32);
    unsafe {
        match op {
            More::Pipe(left) => {
                let pipe = IPipeByte::from(Pipe { left: Cell::new((*left).into()) });
                hands.objects.push(pipe.into());
            }
            More::Pull(which, wanted) => {
                let mut bytes = vec![0; usize::from(*wanted)];
                let _ = hands.as_a::<IPipeByte>(*which)?.Pull(bytes.as_mut_ptr(), (*wanted).into(), &mut number);
                assert!(number <= u32::from(*wanted));
            }
            More::Push(which, bytes) => {
                let _ = hands.as_a::<IPipeByte>(*which)?.Push(bytes.as_ptr(), bytes.len() as u32);
            }
            More::PullLater(which, wanted) => {
                let factory: ICallFactory = hands.as_a(*which)?;
                let iid = AsyncIPipeByte::IID;
                if factory.CreateCall(&iid, null_mut(), &iid, &mut raw).is_ok() {
                    let (call, mut bytes) = (AsyncIPipeByte::from_raw(raw), vec![0; usize::from(*wanted)]);
                    // What it began is finished here, or never.
                    if call.Begin_Pull((*wanted).into()).is_ok() && is_complete(&call) {
                        let _ = call.Finish_Pull(bytes.as_mut_ptr(), &mut number);
                        assert!(number <= u32::from(*wanted));
                    }
                }
            }
            More::NewLate(worker) => {
                let when = if *worker { When::Worker } else { When::AtOnce };
                hands.objects.push(late(when).into());
            }
            More::MultiQuery(which, first, second) => {
                let ids = [first.id(), second.id()];
                let mut asked = ids.each_ref().map(|id| MULTI_QI { pIID: id, pItf: null_mut(), hr: HRESULT(0) });
                let _ = hands.as_a::<IMultiQI>(*which)?.QueryMultipleInterfaces(2, asked.as_mut_ptr());
                asked.into_iter().for_each(|MULTI_QI { pItf, hr, .. }| keep(hands, hr, pItf));
            }
            More::QueryLater(which, iid) => {
                let factory: ICallFactory = hands.as_a(*which)?;
                let twin = AsyncIUnknown::IID;
                if factory.CreateCall(&twin, null_mut(), &twin, &mut raw).is_ok() {
                    let call = AsyncIUnknown::from_raw(raw);
                    if call.Begin_QueryInterface(&iid.id()).is_ok() && is_complete(&call) {
                        let mut found = null_mut();
                        let hr = call.Finish_QueryInterface(&mut found);
                        keep(hands, hr, found);
                    }
                }
            }
            More::Resolve(which, iid) => {
                let hr = hands.as_a::<IAgileReference>(*which)?.Resolve(&iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            More::Give(which, flags) => {
                let object: super::IEvery = hands.as_a(*which)?;
                let bytes = try_packet(&object, u32::from(*flags) % 3).ok()?;
                board.with(|shared| shared.packets.push(bytes));
            }
            More::Take(which, iid) => {
                let bytes = board.with(|shared| at(&shared.packets, *which))?;
                let hr = CoUnmarshalInterface(stream(&bytes).as_raw(), &iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            More::GiveAgile(which) => {
                let object = hands.object(*which)?;
                if RoGetAgileReference(0, &IUnknown::IID, object.as_raw(), &mut raw).is_ok() {
                    let agile = Agile(IAgileReference::from_raw(raw));
                    board.with(|shared| shared.agile.push(agile));
                }
            }
            More::TakeAgile(which, iid) => {
                let agile = board.with(|shared| at(&shared.agile, *which))?;
                let hr = agile.0.Resolve(&iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            More::GiveCookie(which, iid) => {
                let object = hands.object(*which)?;
                if hands.git()?.RegisterInterfaceInGlobal(object.as_raw(), &iid.id(), &mut number).is_ok() {
                    board.with(|shared| shared.cookies.push(number));
                }
            }
            _ => unreachable!("the other functions have it"),
        }
    }
    Some(())
}

pub unsafe fn more_op(hands: &mut Hands, op: &More) {
    unsafe {
        if !window_op(hands, op) && !thread_op(hands, op) && !apartment_op(hands, op) {
            let _ = object_op(hands, op);
        }
    }
}
