//! Containers of synchronisation objects (SYNC-20 to SYNC-28).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/rooms.rs"]
mod rooms;

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use rooms::*;
use std::ptr::null_mut;

fn create<I: Interface>(clsid: &GUID) -> I {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, &I::IID, &mut raw), S_OK);
        I::from_raw(raw)
    }
}

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
