//! How an apartment ends.
//!
//! In this order: what others have begun with an STA ends ([`super::wait::end_conversations`], APT-24), and from there on no
//! call is served in it (MA-24); the contexts inside end; it becomes unreachable; calls that were queued and not started
//! fail; methods that run finish (the MTA waits for them, an STA has only its own stack); asynchronous calls that are with a
//! worker fail, in the contexts too; stubs let their objects go; proxies are disconnected; calls in flight let outer objects
//! go; classes are revoked. The thread stays in the apartment until all that is done, because it runs code of objects that
//! live there. The neutral apartment ends with the last one that somebody entered.

use super::{Apartment, Filter, Home, Stay, application, hosts, wait, wait_reply};
use crate::kernel::{Event, Task};
use crate::platform::{self, Current, Spawn};
use crate::process::Process;
use std::sync::Arc;

/// The thread leaves its apartment for good; the last one ends it.
pub(super) fn leave(thread: &Current) {
    let com = thread.com();
    let Some(apartment) = com.own_apartment() else { return };
    com.leaving.set(true);
    let ending = if apartment.is_sta() {
        let filter = com.filter.borrow_mut().take();
        drop(filter);
        // What an application STA has held back came before what is in its queue.
        for task in application::forget_held() {
            task.abandon();
        }
        wait::end_conversations();
        Some(apartment)
    } else {
        thread.process().apartments.leave_mta()
    };
    if let Some(apartment) = ending {
        end(thread, &apartment);
    }
    com.init_count.set(0);
    com.set_apartment(None);
    com.leaving.set(false);
    application::forget(thread);
    hosts::end_if_unused(thread);
}

/// Whether the calling thread is leaving its apartment, in which nobody is served any more: what was delivered and not
/// started is to be abandoned (MA-24).
pub(crate) fn is_leaving() -> bool {
    platform::with_current(|thread| thread.com().leaving.get())
}

/// Leaves whatever the current thread is still in, unless it is about to. Runs when the thread ends.
pub(crate) fn tear_down_thread() {
    let thread = platform::current();
    thread.com().leaves_at_exit.set(false);
    if thread.com().init_count.get() > 0 && !thread.com().leaving.get() {
        leave(&thread);
    }
}

/// Ends the MTA from a thread that has not entered it. The end runs code of the MTA's objects, so whoever does it is in
/// the MTA meanwhile. An STA has a thread of its own do it, and serves calls until that is done: methods that still run in
/// the MTA may be calling it.
pub(super) fn end_mta(thread: &Current, mta: Arc<Apartment>) {
    if thread.com().own_apartment().is_none_or(|mine| !mine.is_sta()) {
        let before = thread.com().set_apartment(Some(mta.clone()));
        end(thread, &mta);
        thread.com().set_apartment(before);
        return;
    }
    let process = thread.process();
    let done = Arc::new(Event::new(process, false, false));
    let ended = done.clone();
    let spawn = Spawn { name: "end of the MTA".to_owned(), process: process.clone(), daemon: true };
    let body = move || {
        end_mta(&platform::current(), mta);
        ended.set();
    };
    process.port().spawn(spawn, Box::new(body));
    let _ = wait_reply(&done, Filter::Ignore);
}

fn end(thread: &Current, apartment: &Arc<Apartment>) {
    let process = thread.process();
    let mut contexts = Vec::new();
    while let Some(context) = process.apartments.context_in(apartment) {
        step_in_and_end(thread, &context);
        contexts.push(context);
    }
    apartment.set_ended();
    process.apartments.remove(apartment.oxid);
    for task in close(apartment) {
        task.abandon();
    }
    if let Home::Mta(pool) | Home::Neutral(pool) = &apartment.home {
        pool.drain();
    }
    // Asynchronous calls that were about to begin there when it ended are with a worker now.
    for context in contexts {
        let stay = Stay::enter(&context);
        context.exports.disconnect_all();
        drop(stay);
    }
    apartment.exports.disconnect_all();
    apartment.imports.disconnect_all();
    apartment.outers.let_go();
    process.classes.apartment_ends(apartment.oxid);
    // What ended above ran code of users, which may have marshaled something once more.
    apartment.exports.disconnect_all();
    match process.apartments.take_neutral() {
        // Its end forgets, too.
        Some(neutral) => step_in_and_end(thread, &neutral),
        None => forget(process),
    }
}

/// COM has left the process: what was registered for all of it goes. Whoever enters meanwhile keeps what he registers.
fn forget(process: &Process) {
    let gone = process.apartments.when_empty(|| {
        process.ps_clsids.clear();
        (process.interface_table.take(), process.channel_hooks.take())
    });
    drop(gone);
}

/// Takes no more work; what was not started is the caller's.
fn close(apartment: &Apartment) -> Vec<Arc<dyn Task>> {
    match &apartment.home {
        Home::Sta { queue, .. } => queue.close_tasks(),
        Home::Mta(pool) | Home::Neutral(pool) => pool.close().into(),
        // Its work lies in the apartment around.
        Home::Context(_) => Vec::new(),
    }
}

/// Ends an apartment that has no threads: whoever ends it is in it meanwhile.
fn step_in_and_end(thread: &Current, apartment: &Arc<Apartment>) {
    let stay = Stay::enter(apartment);
    end(thread, apartment);
    drop(stay);
}
