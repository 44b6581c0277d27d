//! Pointers that outlive the last Release of what they point at: each use is the failure of its execution, and its twin, in
//! which the pointer is counted, passes.

#[path = "common/explored.rs"]
mod explored;
#[path = "common/objects.rs"]
mod objects;
#[path = "../../core/tests/support/mod.rs"]
mod support;

use explored::*;
use objects::*;
use oleander::kernel::Event;
use oleander::platform::{Deadline, Why, block};
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_sim::{Builder, End, Strategy, world};
use std::mem::ManuallyDrop;
use support::outer::{Notify, notify};
use support::probe::*;
use support::*;

/// What the checker says.
#[track_caller]
fn red(scenario: impl Fn() + Sync) -> String {
    broken(&Builder::new(), "release", scenario).0
}

#[track_caller]
fn green(scenario: impl Fn() + Sync) {
    explored(&Builder::new(), scenario);
}

/// The scenario passes where its pointer is counted; what the checker says where it is not.
#[track_caller]
fn twins(scenario: impl Fn(bool) + Sync) -> String {
    green(|| scenario(true));
    red(|| scenario(false))
}

/// A pointer, counted or not.
struct Lent<I: Interface> {
    pointer: ManuallyDrop<I>,
    counted: bool,
}

impl<I: Interface> Lent<I> {
    fn new(of: &I, counted: bool) -> Self {
        // SAFETY: not counted unless this says so, and not released then.
        let pointer = if counted { of.clone() } else { unsafe { I::from_raw(of.as_raw()) } };
        Self { pointer: ManuallyDrop::new(pointer), counted }
    }
}

impl<I: Interface> Drop for Lent<I> {
    fn drop(&mut self) {
        if self.counted {
            // SAFETY: dropped once.
            unsafe { ManuallyDrop::drop(&mut self.pointer) };
        }
    }
}

#[test]
fn a_pointer_that_was_lent_and_not_counted_is_named_under_the_schedule_that_needs_it() {
    // The lender waits until the borrower has begun, and no longer: only some schedules are bad.
    let scenario = |counted: bool| {
        let (begun, mine, here) = (Event::manual(), Event::manual(), object());
        let (set, lent) = (begun.clone(), Sent(Lent::new(&here, counted)));
        let borrower = world::spawn("borrower", move || {
            let lent = lent.take();
            set.set();
            mine.set();
            // SAFETY: as sound as the lender makes it.
            assert_eq!(unsafe { lent.pointer.Label(1) }, S_OK);
        });
        wait(&begun);
        drop(here);
        borrower.join().unwrap();
    };
    // Calls of a direct pointer and references are no steps, so the reduction does not know that their order matters.
    let dfs = Builder::new().strategy(Strategy::Dfs);
    let (what, failure) = broken(&dfs, "release", || scenario(false));
    assert_eq!(
        what,
        "used after its last Release: 'borrower' calls IProbe method 4 of Does, object 1, behind step 3; the last \
         Release came from 'main' in step 2"
    );
    assert!(failure.page.contains("IProbe method 4 of Does"), "the page says it");
    assert!(failure.to_string().contains("release: used after its last Release: 'borrower' calls"), "{failure}");
    green(|| scenario(true));
}

#[test]
fn the_methods_of_iunknown_are_named() {
    let what = red(|| {
        let lent = Lent::new(&object(), false);
        drop((*lent.pointer).clone());
    });
    assert!(what.contains("'main' calls IProbe::AddRef of Does, object 1, behind step 0"), "{what}");
    let what = red(|| {
        let lent = Lent::new(&object(), false);
        _ = lent.pointer.cast::<ICallFactory>();
    });
    assert!(what.contains("'main' calls IProbe::QueryInterface of Does"), "{what}");
    let what = red(|| {
        let probe = object();
        // SAFETY: it is not; that is found.
        drop(unsafe { IProbe::from_raw(probe.as_raw()) });
        drop(probe);
    });
    assert!(what.contains("'main' calls IProbe::Release of Does"), "{what}");
    let unknown = |counted: bool| {
        let lent = Lent::new(&object().cast::<IUnknown>().unwrap(), counted);
        drop((*lent.pointer).clone());
    };
    let what = twins(unknown);
    assert!(what.contains("'main' calls IUnknown::AddRef of Does"), "{what}");
}

#[test]
fn a_proxy_behind_its_last_release_is_named_by_its_interface() {
    let scenario = |counted: bool| {
        client_of_an_sta(|probe| {
            let lent = Lent::new(&probe, counted);
            drop(probe);
            // SAFETY: as sound as the count makes it.
            assert_eq!(unsafe { lent.pointer.Label(1) }, S_OK);
        });
    };
    let what = twins(scenario);
    assert!(what.contains("'main' calls IProbe method 4 of a proxy of IProbe, object "), "{what}");
}

#[test]
fn a_proxys_own_interfaces_and_a_call_objects_are_named() {
    let factory = |counted: bool| {
        client_of_an_sta(|probe| {
            let lent = Lent::new(&probe.cast::<ICallFactory>().unwrap(), counted);
            drop(probe);
            let call = create_call(&*lent.pointer, std::ptr::null_mut(), &IUnknown::IID);
            assert_eq!(call.0, S_OK);
            // SAFETY: a counted pointer.
            drop(unsafe { IUnknown::from_raw(call.1) });
        });
    };
    let what = twins(factory);
    assert!(what.contains("'main' calls ICallFactory::QueryInterface of ProxyManager"), "{what}");
    let typed = |counted: bool| {
        client_of_an_sta(|probe| {
            let lent = {
                let caller = Caller::new(&probe);
                assert_eq!(caller.begin(1), S_OK);
                assert_eq!(caller.finish(), (S_OK, 2));
                Lent::new(&caller.call, counted)
            };
            // SAFETY: as above.
            assert_eq!(unsafe { lent.pointer.Finish_Double(&mut 0) }, RPC_E_CALL_COMPLETE);
        });
    };
    let what = twins(typed);
    assert!(what.contains("'main' calls AsyncIProbe method 4 of a proxy of IProbe, object "), "{what}");
    let synchronize = |counted: bool| {
        client_of_an_sta(|probe| {
            let lent = Lent::new(&Caller::new(&probe).sync, counted);
            // SAFETY: as above.
            assert_eq!(unsafe { lent.pointer.Reset() }, S_OK);
        });
    };
    let what = twins(synchronize);
    assert!(what.contains("'main' calls ISynchronize method 5 of "), "{what}");
}

#[test]
fn an_aggregated_objects_interface_is_named_behind_the_end_of_its_outer() {
    let scenario = |counted: bool| {
        client_of_an_sta(|probe| {
            let log = Log::default();
            let lent = {
                let (_outer, caller) = notify(&probe, Notify::new(&log));
                Lent::new(&caller.call, counted)
            };
            // SAFETY: as sound as the count makes it.
            assert_eq!(unsafe { lent.pointer.Begin_Label(1) }, S_OK);
            // SAFETY: as above.
            assert_eq!(unsafe { lent.pointer.Finish_Label() }, S_OK);
        });
    };
    let what = twins(scenario);
    assert!(what.contains("'main' calls AsyncIProbe method 5 of a proxy of IProbe, object "), "{what}");
}

#[test]
fn a_synchronize_object_of_the_system_is_named() {
    let scenario = |counted: bool| {
        enter(Kind::Mta);
        let lent = Lent::new(&event_object(), counted);
        // SAFETY: as above.
        assert_eq!(unsafe { lent.pointer.Signal() }, S_OK);
        drop(lent);
        leave();
    };
    let what = twins(scenario);
    assert!(what.contains("'main' calls ISynchronize method 4 of "), "{what}");
}

#[test]
fn a_release_too_many_while_a_panic_unwinds_leaves_the_panic_as_the_failure() {
    let checked = Builder::new().run(|| {
        let probe = object();
        // SAFETY: it is not; that is not what is found here.
        let _too_many = unsafe { IProbe::from_raw(probe.as_raw()) };
        panic!("the first thing that is wrong");
    });
    let failure = checked.failure.expect("it panics");
    assert!(matches!(&failure.report.end, End::Panicked { message, .. } if message == "the first thing that is wrong"));
}

#[test]
fn an_object_that_the_condition_of_a_wait_has_dropped_is_named_too() {
    // No thread takes that Release: the hub does, while it looks who can go on.
    let scenario = |counted: bool| {
        let probe = object();
        let (lent, last) = (Lent::new(&probe, counted), std::cell::Cell::new(Some(probe)));
        let drops = || {
            drop(last.take());
            true
        };
        assert!(block(&[], &drops, Deadline::NEVER, Why::Wait));
        // SAFETY: as sound as the count makes it.
        assert_eq!(unsafe { lent.pointer.Label(1) }, S_OK);
    };
    let what = twins(scenario);
    assert!(what.ends_with("the last Release came from the condition of a wait"), "{what}");
}

/// An object whose destructor asks the object itself.
#[com_class(IProbe)]
struct AsksItself(std::rc::Rc<std::cell::Cell<*mut std::ffi::c_void>>);

impl IProbe_Impl for AsksItself_Impl {
    unsafe fn Double(&self, _n: u32, _twice: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Label(&self, _n: u32) -> HRESULT {
        E_NOTIMPL
    }
}

impl Drop for AsksItself {
    fn drop(&mut self) {
        let (at, mut raw) = (self.0.get(), std::ptr::null_mut());
        // SAFETY: the object's memory is there while its value is dropped.
        let answer = unsafe { IUnknown::from_raw_borrowed(&at).unwrap().query(&IProbe::IID, &mut raw) };
        assert_eq!(answer, E_NOINTERFACE);
    }
}

#[test]
fn a_destructors_use_of_its_own_object_is_no_use_after_the_end() {
    green(|| {
        let at = std::rc::Rc::new(std::cell::Cell::new(std::ptr::null_mut()));
        let probe: IProbe = AsksItself(at.clone()).into();
        at.set(probe.as_raw());
    });
}
