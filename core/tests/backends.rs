//! The surface on either backend, from one source: each test runs on threads of the emulation and on the program's own, which
//! have the system's COM in a build for Windows with the feature `windows` (`ci/windows-under-wine.sh`).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;

use oleander::backend::{self, Backend};
use oleander::windows_core::{IUnknown, Interface};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::future::Future as _;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

fn apartment_type() -> (windows_core::HRESULT, i32, i32) {
    let (mut kind, mut qualifier) = (-7, -7);
    let hr = unsafe { CoGetApartmentType(&mut kind, &mut qualifier) };
    (hr, kind, qualifier)
}

#[test]
fn the_backend_is_what_the_build_and_the_variable_say() {
    let asked = std::env::var("OLEANDER_BACKEND").unwrap_or_default();
    let is_system = cfg!(all(windows, feature = "windows")) && asked != "emulation";
    assert_eq!(backend::current(), if is_system { Backend::System } else { Backend::Emulation });
    println!("the program's own threads have the {}", backend::current());
    both(|world| {
        let own = world.clone();
        let here = world.thread(backend::current).wait();
        assert_eq!(here == Backend::System, own.is_system());
    });
    if !cfg!(all(windows, feature = "windows")) {
        assert_eq!(backend::set_default(Backend::System), Err(backend::NotThere));
    }
}

#[test]
fn apartments_are_entered_and_left() {
    both(|world| {
        world
            .thread(|| unsafe {
                assert_eq!(apartment_type().0, CO_E_NOTINITIALIZED);
                assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
                assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_FALSE);
                assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), RPC_E_CHANGED_MODE);
                assert_eq!(apartment_type(), (S_OK, APTTYPE_MAINSTA, APTTYPEQUALIFIER_NONE));
                CoUninitialize();
                CoUninitialize();
                assert_eq!(apartment_type().0, CO_E_NOTINITIALIZED);
                assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
                assert_eq!(apartment_type(), (S_OK, APTTYPE_MTA, APTTYPEQUALIFIER_NONE));
                CoUninitialize();
            })
            .wait();
    });
}

#[test]
fn events_are_signaled_and_waited_for() {
    both(|_| unsafe {
        let (auto, manual) = (event(false, false), event(true, false));
        assert_eq!(WaitForSingleObject(auto, 0), WAIT_TIMEOUT);
        assert!(SetEvent(auto).as_bool() && SetEvent(manual).as_bool());
        assert_eq!(WaitForMultipleObjects(2, [auto, manual].as_ptr(), true.into(), INFINITE), WAIT_OBJECT_0);
        assert_eq!(WaitForMultipleObjects(2, [auto, manual].as_ptr(), false.into(), 0), WAIT_OBJECT_0 + 1);
        assert!(ResetEvent(manual).as_bool());
        assert_eq!(WaitForSingleObject(manual, 0), WAIT_TIMEOUT);
        assert!(CloseHandle(auto).as_bool() && CloseHandle(manual).as_bool());
        assert!(!SetEvent(auto).as_bool());
        assert_eq!(GetLastError(), ERROR_INVALID_HANDLE);
    });
}

#[test]
fn the_last_error_is_what_it_was_set_to() {
    both(|_| unsafe {
        SetLastError(1234);
        assert_eq!(GetLastError(), 1234);
        assert_eq!(GetLastError(), 1234);
    });
}

#[test]
fn messages_come_in_order() {
    both(|_| unsafe {
        let (me, mut msg) = (GetCurrentThreadId(), MSG::default());
        assert!(!PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_NOREMOVE).as_bool());
        PostQuitMessage(7);
        for message in [WM_APP + 1, WM_APP + 2] {
            assert!(PostThreadMessageW(me, message, 11, 22).as_bool());
        }
        for message in [WM_APP + 1, WM_APP + 2] {
            assert_eq!(GetMessageW(&mut msg, HWND::NULL, 0, 0).0, 1);
            assert_eq!((msg.hwnd, msg.message, msg.wParam, msg.lParam), (HWND::NULL, message, 11, 22));
        }
        assert_eq!(GetMessageW(&mut msg, HWND::NULL, 0, 0).0, 0);
        assert_eq!((msg.message, msg.wParam), (WM_QUIT, 7));
    });
}

#[test]
fn a_waiting_sta_serves_the_call_that_ends_its_wait() {
    both(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let handle = event(false, false);
        let waits = Arc::new(AtomicBool::new(false));
        let its_own = waits.clone();
        let packet = sta.run(move || {
            pack(&probe_that(&Lives::default(), move |_| {
                assert!(unsafe { SetEvent(handle) }.as_bool());
                if its_own.load(Ordering::SeqCst) { S_FALSE } else { S_OK }
            }))
        });
        // The call comes behind the job in the STA's queue.
        let done = sta.start(move || {
            waits.store(true, Ordering::SeqCst);
            co_wait_for(handle);
        });
        assert_eq!(mta.run(move || unsafe { unpack::<IProbe>(packet).Do(0) }), S_FALSE);
        done.wait();
        sta.close();
        mta.close();
        assert!(unsafe { CloseHandle(handle) }.as_bool());
    });
}

#[test]
fn a_stream_lies_in_a_global_block() {
    both(|world| {
        let mta = world.mta();
        mta.run(|| unsafe {
            let mut raw = null_mut();
            assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
            let stream = IStream::from_raw(raw);
            let text = *b"oleander";
            let (mut count, mut place) = (0, 7);
            assert_eq!(stream.Write(text.as_ptr().cast(), 8, &mut count), S_OK);
            assert_eq!(stream.Seek(0, STREAM_SEEK_SET, &mut place), S_OK);
            assert_eq!((count, place), (8, 0));
            let mut back = [0u8; 8];
            assert_eq!(stream.Read(back.as_mut_ptr().cast(), 8, &mut count), S_OK);
            assert_eq!((count, back), (8, text));
            let mut global = HANDLE::NULL;
            assert_eq!(GetHGlobalFromStream(raw, &mut global), S_OK);
            assert!(GlobalSize(global) >= 8);
            assert_eq!(*GlobalLock(global).cast::<[u8; 8]>(), text);
            let _ = GlobalUnlock(global);
        });
        mta.close();
    });
}

#[test]
fn the_global_interface_table_gives_what_it_was_given() {
    both(|world| {
        let mta = world.mta();
        let lives = Lives::default();
        let own = lives.clone();
        mta.run(move || unsafe {
            let table: IGlobalInterfaceTable = create(&CLSID_StdGlobalInterfaceTable);
            let object = probe(&own);
            let mut cookie = 0;
            assert_eq!(table.RegisterInterfaceInGlobal(object.as_raw(), &IUnknown::IID, &mut cookie), S_OK);
            let mut raw = null_mut();
            assert_eq!(table.GetInterfaceFromGlobal(cookie, &IUnknown::IID, &mut raw), S_OK);
            let same = IUnknown::from_raw(raw);
            assert_eq!(query::<IProbe>(&same).map(|it| thread_of(&it)), Ok(GetCurrentThreadId()));
            assert_eq!(table.RevokeInterfaceFromGlobal(cookie), S_OK);
            assert_eq!(table.GetInterfaceFromGlobal(cookie, &IUnknown::IID, &mut raw), E_INVALIDARG);
        });
        assert_eq!(lives.now(), 0);
        mta.close();
    });
}

#[test]
fn a_class_is_registered_and_made() {
    both(|world| {
        let sta = world.sta();
        sta.run(|| unsafe {
            let event: ISynchronize = create(&CLSID_ManualResetEvent);
            assert_eq!(event.Wait(0, 0), RPC_S_CALLPENDING);
            assert_eq!(event.Signal(), S_OK);
            assert_eq!(event.Wait(0, 0), S_OK);
            assert_eq!(event.Reset(), S_OK);
            let mut raw = null_mut();
            let none = windows_core::GUID::from_u128(0x5a1e7c90_3b41_4c0f_8d59_1f0c66c6bfff);
            let hr = CoCreateInstance(&none, null_mut(), CLSCTX_INPROC_SERVER, &IUnknown::IID, &mut raw);
            assert_eq!(hr, REGDB_E_CLASSNOTREG);
        });
        sta.close();
    });
}

#[test]
fn a_handle_is_awaited() {
    use oleander::future::{block_on, resume_on_signal};
    both(|world| {
        let sta = world.sta();
        let (auto, manual) = (event(false, false), event(true, true));
        let setter = world.mta();
        sta.run(move || unsafe {
            // Set already, then set while it waits, then dropped while it waits.
            assert!(block_on(resume_on_signal(manual)).is_ok());
            let mut once = Box::pin(resume_on_signal(auto));
            let mut looks = 0;
            block_on(std::future::poll_fn(|cx| {
                looks += 1;
                let ready = once.as_mut().poll(cx);
                if looks == 1 {
                    assert!(ready.is_pending() && SetEvent(auto).as_bool());
                }
                ready
            }))
            .unwrap();
            assert_eq!(WaitForSingleObject(auto, 0), WAIT_TIMEOUT, "the signal was taken");
            let mut dropped = Box::pin(resume_on_signal(auto));
            assert!(dropped.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending());
            drop(dropped);
            assert!(SetEvent(auto).as_bool());
            assert_eq!(WaitForSingleObject(auto, 0), WAIT_OBJECT_0, "nobody took it");
        });
        // From another thread, while the STA serves calls.
        let waits = sta.start(move || block_on(resume_on_signal(auto)).is_ok());
        setter.run(move || assert!(unsafe { SetEvent(auto) }.as_bool()));
        assert!(waits.wait());
        setter.close();
        sta.close();
        assert!(unsafe { CloseHandle(auto) }.as_bool() && unsafe { CloseHandle(manual) }.as_bool());
        let stale = block_on(resume_on_signal(auto)).map_err(|error| error.code());
        assert_eq!(stale, Err(E_HANDLE));
    });
}

/// A value of the program's own threads, and what a thread of the emulation makes of it; then the other way round.
fn across<T: Send + 'static>(make: fn() -> T, other: fn(T)) {
    let made = make();
    world(move |_| other(made));
    let (send, receive) = std::sync::mpsc::channel();
    world(move |_| send.send(make()).unwrap());
    other(receive.recv().unwrap());
}

#[test]
fn memory_of_either_backend_is_freed_by_the_other() {
    across(
        || Carry(unsafe { CoTaskMemAlloc(100) }),
        |block| unsafe {
            let block = CoTaskMemRealloc(block.take(), 1000);
            assert!(!block.is_null());
            CoTaskMemFree(block);
        },
    );
    across(
        || bstr::OwnedBstr::from("oleander"),
        |text| {
            assert_eq!(text.to_string(), "oleander");
            drop(text);
        },
    );
}

/// (On the same backend the handle of an event in another process says nothing, for both count from the same number.)
#[test]
fn handles_of_either_backend_are_none_for_the_other() {
    if backend::current() == Backend::Emulation {
        return println!("the program's own threads have the emulation: there is no other backend");
    }
    across(
        || event(true, true),
        |handle| unsafe {
            let mut index = 0;
            assert!(!SetEvent(handle).as_bool());
            assert_eq!(GetLastError(), ERROR_INVALID_HANDLE);
            assert_eq!(WaitForSingleObject(handle, 0), WAIT_FAILED);
            assert_eq!(GetLastError(), ERROR_INVALID_HANDLE);
            assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
            let hr = CoWaitForMultipleHandles(0, 0, 1, &handle, &mut index);
            assert!([E_INVALIDARG, windows_core::HRESULT::from_win32(ERROR_INVALID_HANDLE)].contains(&hr), "{hr:?}");
            CoUninitialize();
        },
    );
}

/// Two rooms, one of each backend, alive at the same time: neither knows of the other's apartments.
#[test]
fn both_backends_live_in_one_process() {
    both(|own| {
        let own_sta = own.sta();
        world(|emulated| {
            let (send, receive) = std::sync::mpsc::channel();
            let (sta, mta) = (emulated.sta(), emulated.mta());
            let packet = sta.run(|| pack(&probe(&Lives::default())));
            mta.start(move || send.send(thread_of(&unpack::<IProbe>(packet))).unwrap());
            assert_eq!(receive.recv().unwrap(), sta.thread);
            sta.close();
            mta.close();
        });
        let kind = own_sta.run(apartment_type);
        assert_eq!(kind, (S_OK, APTTYPE_MAINSTA, APTTYPEQUALIFIER_NONE));
        own_sta.close();
    });
}

extern "system" fn add(context: *mut c_void) -> u32 {
    let count = unsafe { &*context.cast::<AtomicU32>() };
    count.fetch_add(1, Ordering::SeqCst);
    u32::from(backend::current() == Backend::System)
}

#[test]
fn a_thread_has_the_backend_of_the_one_that_created_it() {
    both(|world| unsafe {
        let count = AtomicU32::new(0);
        let handle = CreateThread(null(), 0, Some(add), (&raw const count).cast_mut().cast(), 0, null_mut());
        assert_ne!(handle, HANDLE::NULL);
        wait_for(handle);
        let mut code = 7;
        assert!(GetExitCodeThread(handle, &mut code).as_bool());
        assert_eq!((code, count.into_inner()), (u32::from(world.is_system()), 1));
        assert!(CloseHandle(handle).as_bool());
    });
}
