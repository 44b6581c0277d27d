//! Requests changed on their way through the runtime's own channel, to servers of both kinds in either kind of apartment,
//! with calls that are finished, cancelled or let go, and servers that signal or do not: an HRESULT, and nothing left.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use oleander::windows_core::Interface;
use oleander::*;
use oleander_fuzz::calling::{Call, End, On, call};
use oleander_fuzz::forger::{forge, register};
use oleander_fuzz::late::{When, late};
use oleander_fuzz::wire::Change;
use oleander_fuzz::{AsyncIEvery, IEvery, beside, every, in_process, packet, stream};
use std::ptr::null_mut;

#[derive(Arbitrary, Debug)]
struct Input {
    server_in_sta: bool,
    client_in_sta: bool,
    /// None for a server that is synchronous.
    when: Option<When>,
    calls: Vec<(Call, Option<End>, Option<u8>, Change)>,
}

fn enter(sta: bool) {
    let flags = if sta { COINIT_APARTMENTTHREADED } else { COINIT_MULTITHREADED };
    assert_eq!(unsafe { CoInitializeEx(null_mut(), flags) }, S_OK);
}

/// A server that never signals has calls that somebody gives up, or none.
fn end_for(when: Option<When>, end: Option<End>) -> Option<End> {
    match (when, end) {
        (Some(When::Never), None) => Some(End::Abandon),
        (Some(When::Never), Some(End::Finish)) => Some(End::Cancel),
        (_, end) => end,
    }
}

unsafe fn client(bytes: &[u8], when: Option<When>, calls: Vec<(Call, Option<End>, Option<u8>, Change)>) {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(CoUnmarshalInterface(stream(bytes).as_raw(), &IEvery::IID, &mut raw), S_OK);
        let proxy = IEvery::from_raw(raw);
        for (what, end, method, change) in calls.into_iter().take(6) {
            forge(method.map(|method| method % 12), change);
            let Some(end) = end_for(when, end) else {
                call(&On::Proxy(proxy.clone()), &what);
                continue;
            };
            // A direct pointer, or a server that was cut off, has none.
            let Ok(calls) = proxy.cast::<ICallFactory>() else { continue };
            let (twin, mut raw) = (AsyncIEvery::IID, null_mut());
            if calls.CreateCall(&twin, null_mut(), &twin, &mut raw).is_ok() {
                call(&On::Halves(AsyncIEvery::from_raw(raw), end), &what);
            }
        }
    }
}

fuzz_target!(|input: Input| {
    in_process(move || {
        enter(input.server_in_sta);
        register();
        let object = input.when.map_or_else(every, late);
        let bytes = packet(&object, MSHLFLAGS_NORMAL);
        beside(move || {
            // Two threads in the MTA have nothing between them.
            enter(input.client_in_sta || !input.server_in_sta);
            unsafe {
                client(&bytes, input.when, input.calls);
                CoUninitialize();
            }
        });
        drop(object);
        unsafe { CoUninitialize() };
    });
});
