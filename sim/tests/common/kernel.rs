//! A program of the calibration on the kernel's own queue and events.

use oleander::kernel::{Event, Filter, Waitable, message, queue, spawn, wait_all};
use oleander::platform::{Deadline, Why};
use std::sync::Arc;

/// The server is the scenario itself. It waits for all clients in one last step, so that what its end does to its queue
/// comes after everything else.
pub fn kernel_clients_on_one_sta(k: usize) -> Vec<usize> {
    let queue = queue();
    let events: Vec<_> = (0..k).map(|_| Event::manual()).collect();
    let client = |(i, event): (usize, &Arc<Event>)| {
        let (queue, event) = (queue.clone(), event.clone());
        spawn("client", false, move || {
            queue.post(message(Default::default(), 0x400, i, 0)).expect("there is room");
            assert!(event.wait(Deadline::NEVER, Why::Wait));
        })
    };
    let clients: Vec<_> = events.iter().enumerate().map(client).collect();
    let serve = |_| {
        let call = queue.next_message(&Filter::ALL, true, Deadline::NEVER).expect("it waits for ever");
        events[call.wParam].set();
        call.wParam
    };
    let served = (0..k).map(serve).collect();
    let ends: Vec<&dyn Waitable> = clients.iter().map(|client| &*client.ended as &dyn Waitable).collect();
    assert!(wait_all(&ends, Deadline::NEVER, Why::Wait));
    served
}
