//! What outer objects of call objects do wrong.

use super::kit::*;
use super::{Fails, program};
use oleander::object::Inner;
use oleander::windows_core::{ComObject, HRESULT, IUnknown, Interface, InterfaceRef};
use oleander::*;
use std::cell::RefCell;

/// What the outer object does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Well,
    /// Its Signal notifies, and tells the inner object nothing.
    KeepsTheSignal,
    /// Its Reset says that it has none.
    RefusesReset,
    /// It holds a counted pointer to the inner object's interface.
    Counts,
}

#[com_class(ISynchronize, blind = inner)]
struct Outer {
    inner: Inner,
    does: Does,
    counted: RefCell<Option<AsyncIPart>>,
}

impl Outer_Impl {
    fn inner_sync(&self) -> InterfaceRef<'_, ISynchronize> {
        self.inner.cached::<ISynchronize>().expect("the inner object has it")
    }
}

impl ISynchronize_Impl for Outer_Impl {
    unsafe fn Wait(&self, dwFlags: u32, dwMilliseconds: u32) -> HRESULT {
        unsafe { self.inner_sync().Wait(dwFlags, dwMilliseconds) }
    }
    unsafe fn Signal(&self) -> HRESULT {
        if self.does == Does::KeepsTheSignal { S_OK } else { unsafe { self.inner_sync().Signal() } }
    }
    unsafe fn Reset(&self) -> HRESULT {
        if self.does == Does::RefusesReset { E_NOTIMPL } else { unsafe { self.inner_sync().Reset() } }
    }
}

fn with_outer(does: Does) {
    client_and_part(
        |question| question + 1,
        |part| {
            let outer = ComObject::new(Outer { inner: Inner::new(), does, counted: RefCell::new(None) });
            let create = |unknown, riid, ppv| unsafe { aggregated(&part, unknown, riid, ppv) };
            unsafe { outer.aggregate(&outer.inner, create) }.expect("AGG-01");
            let call: AsyncIPart = outer.to_interface::<IUnknown>().cast().expect("blindly from the inner object");
            if does == Does::Counts {
                *outer.counted.borrow_mut() = Some(call.clone());
            }
            assert_eq!(unsafe { call.Begin_Ask(1) }, S_OK, "the call can be begun");
            assert_eq!(finish(&call), (S_OK, 2));
        },
    );
}

#[test]
fn agg_05_an_outer_whose_signal_is_not_forwarded() {
    program("signal_not_forwarded", Fails::Deadlock, || with_outer(Does::KeepsTheSignal), || with_outer(Does::Well));
}

#[test]
fn agg_06_pit_03_an_outer_that_implements_no_reset() {
    let (bad, good) = (|| with_outer(Does::RefusesReset), || with_outer(Does::Well));
    program("reset_not_implemented", Fails::Saying("the call can be begun"), bad, good);
}

#[test]
fn agg_12_pit_04_an_outer_that_counts_its_inner() {
    let (bad, good) = (|| with_outer(Does::Counts), || with_outer(Does::Well));
    program("counted_inner", Fails::Saying("left behind"), bad, good);
}
