//! `WaitForMultipleObjects` where the last of so many handles is signalled (any) or all are (all), beside a loop of
//! `WaitForSingleObject(0)`; an operation is one handle.

use super::{Contest, Contestant, Row, Target};
use crate::pin;
use oleander::*;
use std::hint::black_box;
use std::rc::Rc;

const COUNTS: [u32; 3] = [2, 8, 63];

pub(super) fn rows() -> impl Iterator<Item = Row> {
    [false, true].into_iter().flat_map(|all| COUNTS.map(|count| Row::in_mta(move || contest(count, all))))
}

/// Events, closed in the end.
struct Events(Vec<HANDLE>);

impl Drop for Events {
    fn drop(&mut self) {
        for handle in &self.0 {
            // SAFETY: its own handle, once.
            unsafe { CloseHandle(*handle) }.ok().expect("it is open");
        }
    }
}

fn events(count: u32, all: bool) -> Rc<Events> {
    let event = |i| {
        // SAFETY: no pointers but the null ones.
        let event =
            unsafe { CreateEventW(std::ptr::null(), true.into(), (all || i == count - 1).into(), std::ptr::null()) };
        assert!(event != HANDLE::NULL);
        event
    };
    Rc::new(Events((0..count).map(event).collect()))
}

fn contest(count: u32, all: bool) -> Contest {
    pin::pin_to(0);
    let events = events(count, all);
    let (handles, hit) = (events.clone(), if all { 0 } else { count - 1 });
    let ours = Contestant::new("oleander", count, move || {
        let handles = black_box(&handles.0);
        // SAFETY: as many handles as are counted.
        let woken = unsafe { WaitForMultipleObjects(count, handles.as_ptr(), all.into(), INFINITE) };
        assert_eq!(woken, WAIT_OBJECT_0 + hit);
    });
    let singly = Contestant::new("(singly)", count, move || {
        for (handle, i) in black_box(&events.0).iter().zip(0..) {
            // SAFETY: no pointers.
            let woken = unsafe { WaitForSingleObject(*handle, 0) };
            assert_eq!(woken == WAIT_OBJECT_0, all || i == hit);
        }
    });
    let what = format!("wait for {} of {count} handles, a handle", if all { "all" } else { "any" });
    // A wait's own cost is that of several handles: the cost of one more shows where there are many.
    let targets = if count == 63 { vec![Target::Under(10.0)] } else { Vec::new() };
    Contest { what, place: None, ours, peers: vec![singly], targets }
}
