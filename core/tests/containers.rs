//! Containers of synchronisation objects (SYNC-20 to SYNC-29, Q-12).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/rooms.rs"]
mod rooms;

use oleander::windows_core::{BOOL, HRESULT, IUnknown, Interface};
use oleander::*;
use rooms::*;
use std::ptr::{null, null_mut};

const FALSE: BOOL = BOOL(0);

fn manual() -> ISynchronize {
    create(&CLSID_ManualResetEvent)
}

fn add(container: &ISynchronizeContainer, sync: &impl Interface) -> HRESULT {
    unsafe { container.AddSynchronize(sync.as_raw()) }
}

fn wait(container: &ISynchronizeContainer, ms: u32) -> (HRESULT, Option<ISynchronize>) {
    let mut raw = null_mut();
    let hr = unsafe { container.WaitMultiple(COWAIT_DEFAULT, ms, &mut raw) };
    (hr, (!raw.is_null()).then(|| unsafe { ISynchronize::from_raw(raw) }))
}

/// Shows a handle as a synchronisation object, which somebody else signals.
#[com_class(ISynchronize, ISynchronizeHandle)]
struct Shows(HANDLE);

impl ISynchronize_Impl for Shows_Impl {
    unsafe fn Wait(&self, _: u32, _: u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Signal(&self) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Reset(&self) -> HRESULT {
        E_NOTIMPL
    }
}

impl ISynchronizeHandle_Impl for Shows_Impl {
    unsafe fn GetHandle(&self, ph: *mut HANDLE) -> HRESULT {
        unsafe { *ph = self.0 };
        S_OK
    }
}

/// Runs a test in the MTA and in an STA.
fn everywhere(test: fn()) {
    world(move |world| {
        for room in [world.mta(), world.sta()] {
            room.run(test);
            room.close();
        }
    });
}

#[test]
fn sync_20_the_64th_member_finds_no_room() {
    everywhere(|| {
        let container: ISynchronizeContainer = create(&CLSID_SynchronizeContainer);
        let event = manual();
        for _ in 0..63 {
            assert_eq!(add(&container, &event), S_OK);
        }
        assert_eq!(add(&container, &event), RPC_E_OUT_OF_RESOURCES);
    });
}

#[test]
fn sync_21_24_25_nothing_to_wait_for_all_and_nowhere_to_put_it() {
    everywhere(|| {
        let container: ISynchronizeContainer = create(&CLSID_SynchronizeContainer);
        assert!(matches!(wait(&container, 0), (RPC_E_NO_SYNC, None)));
        assert_eq!(add(&container, &manual()), S_OK);
        let mut raw = null_mut();
        unsafe {
            assert_eq!(container.WaitMultiple(COWAIT_WAITALL, 0, &mut raw), E_INVALIDARG);
            assert_eq!(container.WaitMultiple(COWAIT_DEFAULT, 0, null_mut()), E_INVALIDARG);
            assert_eq!(container.AddSynchronize(null_mut()), E_INVALIDARG);
        }
    });
}

#[test]
fn sync_22_23_27_what_is_signalled_comes_out_and_leaves() {
    everywhere(|| {
        let container: ISynchronizeContainer = create(&CLSID_SynchronizeContainer);
        let (one, two) = (manual(), manual());
        assert_eq!((add(&container, &one), add(&container, &two)), (S_OK, S_OK));
        assert!(matches!(wait(&container, 1), (RPC_S_CALLPENDING, None)));
        assert_eq!(unsafe { two.Signal() }, S_OK);
        let (hr, found) = wait(&container, INFINITE);
        assert_eq!((hr, found.map(|sync| sync.as_raw())), (S_OK, Some(two.as_raw())));
        // It has left, although it is still signalled.
        assert!(matches!(wait(&container, 0), (RPC_S_CALLPENDING, None)));
        assert_eq!(unsafe { one.Signal() }, S_OK);
        assert_eq!(wait(&container, 0).1.map(|sync| sync.as_raw()), Some(one.as_raw()));
        assert!(matches!(wait(&container, 0), (RPC_E_NO_SYNC, None)));
    });
}

#[test]
fn sync_28_a_member_must_show_a_handle() {
    everywhere(|| {
        let container: ISynchronizeContainer = create(&CLSID_SynchronizeContainer);
        let factory: IUnknown = object::class_factory_with(|_, _, _| E_NOTIMPL).into();
        assert_eq!(add(&container, &factory), E_NOINTERFACE);
    });
}

#[test]
fn agg_02_a_container_is_aggregated_under_iunknown_only() {
    everywhere(|| {
        let outer: IUnknown = manual().into();
        let mut raw = null_mut();
        let class = &CLSID_SynchronizeContainer;
        let iid = &ISynchronizeContainer::IID;
        let hr = unsafe { CoCreateInstance(class, outer.as_raw(), CLSCTX_INPROC_SERVER, iid, &mut raw) };
        assert_eq!((hr, raw.is_null()), (CLASS_E_NOAGGREGATION, true));
    });
}

#[test]
fn q_12_the_same_object_twice_takes_two_places() {
    everywhere(|| {
        let container: ISynchronizeContainer = create(&CLSID_SynchronizeContainer);
        let event = manual();
        assert_eq!((add(&container, &event), add(&container, &event)), (S_OK, S_OK));
        assert_eq!(unsafe { event.Signal() }, S_OK);
        for _ in 0..2 {
            assert_eq!(wait(&container, 0).1.map(|sync| sync.as_raw()), Some(event.as_raw()));
        }
        assert!(matches!(wait(&container, 0), (RPC_E_NO_SYNC, None)));
    });
}

#[test]
fn q_12_an_object_that_is_signalled_already_comes_out_at_once() {
    everywhere(|| {
        let container: ISynchronizeContainer = create(&CLSID_SynchronizeContainer);
        let automatic: ISynchronize = create(&CLSID_StdEvent);
        assert_eq!(unsafe { automatic.Signal() }, S_OK);
        assert_eq!(add(&container, &automatic), S_OK);
        assert_eq!(wait(&container, INFINITE).1.map(|sync| sync.as_raw()), Some(automatic.as_raw()));
        // The container's wait has taken the signal; and who has left may come again.
        assert_eq!(unsafe { automatic.Wait(COWAIT_DEFAULT, 0) }, RPC_S_CALLPENDING);
        assert_eq!(add(&container, &automatic), S_OK);
        assert!(matches!(wait(&container, 0), (RPC_S_CALLPENDING, None)));
    });
}

unsafe extern "system" fn takes(mutex: *mut std::ffi::c_void) -> u32 {
    unsafe { WaitForSingleObject(HANDLE(mutex), INFINITE) }
}

#[test]
fn sync_22_an_abandoned_mutex_is_the_member_that_comes_out() {
    everywhere(|| {
        let container: ISynchronizeContainer = create(&CLSID_SynchronizeContainer);
        let mutex = unsafe { CreateMutexW(null(), FALSE, null()) };
        let shows: ISynchronize = Shows(mutex).into();
        assert_eq!((add(&container, &manual()), add(&container, &shows)), (S_OK, S_OK));
        unsafe {
            let owner = CreateThread(null(), 0, Some(takes), mutex.0, 0, null_mut());
            assert_eq!(WaitForSingleObject(owner, INFINITE), WAIT_OBJECT_0);
            assert!(CloseHandle(owner).as_bool());
        }
        let (hr, found) = wait(&container, INFINITE);
        assert_eq!((hr, found.map(|sync| sync.as_raw())), (S_OK, Some(shows.as_raw())));
        // It is the thread's own now, and no more a member.
        assert!(unsafe { ReleaseMutex(mutex) }.as_bool());
        assert!(matches!(wait(&container, 0), (RPC_S_CALLPENDING, None)));
        assert!(unsafe { CloseHandle(mutex) }.as_bool());
    });
}

unsafe extern "system" fn counts(count: usize) {
    unsafe { *(count as *mut u32) += 1 };
}

#[test]
fn wait_16_calls_that_end_a_wait_are_no_member() {
    everywhere(|| {
        let container: ISynchronizeContainer = create(&CLSID_SynchronizeContainer);
        let event = manual();
        assert_eq!(add(&container, &event), S_OK);
        let (mut count, mut raw) = (0_u32, null_mut());
        let counter: *mut u32 = &mut count;
        unsafe {
            assert_ne!(QueueUserAPC(Some(counts), GetCurrentThread(), counter as usize), 0);
            assert_eq!(container.WaitMultiple(COWAIT_ALERTABLE, INFINITE, &mut raw), RPC_S_CALLPENDING);
            assert_eq!((*counter, raw.is_null()), (1, true));
            assert_eq!(event.Signal(), S_OK);
        }
        assert_eq!(wait(&container, 0).1.map(|sync| sync.as_raw()), Some(event.as_raw()));
    });
}

#[test]
fn sync_29_the_container_answers_its_other_face() {
    everywhere(|| {
        let other: IWaitMultiple = create(&CLSID_SynchronizeContainer);
        let event = manual();
        let mut raw = null_mut();
        unsafe {
            assert_eq!(other.WaitMultiple(0, &mut raw), RPC_E_NO_SYNC);
            assert_eq!(
                (other.AddSynchronize(null_mut()), other.WaitMultiple(0, null_mut())),
                (E_INVALIDARG, E_INVALIDARG)
            );
            assert_eq!(other.AddSynchronize(event.as_raw()), S_OK);
            assert_eq!(other.WaitMultiple(1, &mut raw), RPC_S_CALLPENDING);
        }
        // Both faces have the same members.
        let container: ISynchronizeContainer = other.cast().expect("one object");
        assert_eq!(unsafe { event.Signal() }, S_OK);
        assert_eq!(wait(&container, 0).1.map(|sync| sync.as_raw()), Some(event.as_raw()));
        assert!(matches!(unsafe { other.WaitMultiple(0, &mut raw) }, RPC_E_NO_SYNC));
        // No class of the system has an owner.
        for object in [manual().into(), event.into(), IUnknown::from(other)] {
            assert!(object.cast::<ISynchronizeMutex>().is_err());
        }
    });
}
