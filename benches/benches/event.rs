//! One thread: Signal, Wait(0), Reset, Wait(0).
//!
//! Through `ISynchronize` these are four calls through a vtable. The thread is in the MTA: in an STA a `Wait(0)` has to
//! look at the message queue (WAIT-24).

use criterion::{Criterion, criterion_group, criterion_main};
use oleander::{COWAIT_DEFAULT, RPC_S_CALLPENDING, S_OK};
use oleander_benches::{in_mta, peers::ThreeState, pin, server};
use std::hint::black_box;

fn event(c: &mut Criterion) {
    pin::pin_to(0);
    let mut group = c.benchmark_group("event");
    in_mta(|| {
        let event = server::com_event();
        group.bench_function("ISynchronize", |b| {
            b.iter(|| {
                let event = black_box(&event);
                // SAFETY: a live interface.
                unsafe {
                    let signalled = (event.Signal(), event.Wait(COWAIT_DEFAULT, 0));
                    let reset = (event.Reset(), event.Wait(COWAIT_DEFAULT, 0));
                    assert!(signalled == (S_OK, S_OK) && reset == (S_OK, RPC_S_CALLPENDING));
                }
            });
        });
        drop(event);
        let event = server::kernel_event();
        group.bench_function("kernel::Event", |b| {
            b.iter(|| {
                let event = black_box(&event);
                event.set();
                let signalled = event.poll();
                event.reset();
                assert!(signalled && !event.poll());
            });
        });
    });
    group.bench_function("peer/three_state", |b| {
        let event = ThreeState::default();
        b.iter(|| {
            let event = black_box(&event);
            event.set();
            let signalled = event.is_set();
            event.reset();
            assert!(signalled && !event.is_set());
        });
    });
    #[cfg(feature = "peers")]
    others(&mut group);
    group.finish();
}

#[cfg(feature = "peers")]
fn others(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>) {
    use event_listener::{Event, Listener};
    use rsevents::{Awaitable, EventState, ManualResetEvent};
    use std::sync::atomic::{AtomicBool, Ordering};

    group.bench_function("peer/rsevents", |b| {
        let event = ManualResetEvent::new(EventState::Unset);
        b.iter(|| {
            let event = black_box(&event);
            event.set();
            let signalled = event.wait0();
            event.reset();
            assert!(signalled && !event.wait0());
        });
    });
    // It has no state of its own: the flag is its documentation's pattern.
    group.bench_function("peer/event_listener", |b| {
        let (flag, event) = (AtomicBool::new(false), Event::new());
        let wait0 = || flag.load(Ordering::Acquire) || event.listen().wait_timeout(std::time::Duration::ZERO).is_some();
        b.iter(|| {
            flag.store(true, Ordering::Release);
            black_box(&event).notify(usize::MAX);
            let signalled = wait0();
            flag.store(false, Ordering::Release);
            assert!(signalled && !wait0());
        });
    });
}

criterion_group!(benches, event);
criterion_main!(benches);
