//! AsyncIMultiQI on proxies: the call object, its halves with lists of interfaces.

use super::probe::IProbe;
use super::{Apt, Kind, Running, wait};
use oleander::kernel::Event;
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ptr;
use std::sync::Arc;

/// A call object for the query of several interfaces.
#[track_caller]
pub fn several(object: &impl Interface) -> AsyncIMultiQI {
    let factory = object.cast::<ICallFactory>().expect("every proxy has a call factory");
    let mut raw = ptr::dangling_mut();
    // SAFETY: valid arguments; on success a counted pointer of that interface.
    unsafe {
        assert_eq!(factory.CreateCall(&AsyncIMultiQI::IID, ptr::null_mut(), &AsyncIMultiQI::IID, &mut raw), S_OK);
        AsyncIMultiQI::from_raw(raw)
    }
}

/// What was found, in order: a code, and a counted pointer where it is success.
#[derive(Debug, PartialEq)]
pub struct Found {
    pub hr: HRESULT,
    pub entries: Vec<Result<IUnknown, HRESULT>>,
}

impl Found {
    /// The code of each entry.
    pub fn codes(&self) -> Vec<HRESULT> {
        self.entries.iter().map(|entry| entry.as_ref().map_or_else(|hr| *hr, |_| S_OK)).collect()
    }
}

/// An entry with something in it that nobody may take for a result.
fn entry(iid: *const GUID) -> MULTI_QI {
    MULTI_QI { pIID: iid, pItf: ptr::dangling_mut(), hr: E_FAIL }
}

pub fn begin(call: &AsyncIMultiQI, iids: &[GUID]) -> HRESULT {
    let mut entries: Vec<_> = iids.iter().map(|iid| entry(iid)).collect();
    // SAFETY: as many entries as it says; they and what they name end here.
    let hr = unsafe { call.Begin_QueryMultipleInterfaces(entries.len() as u32, entries.as_mut_ptr()) };
    assert!(entries.iter().all(|entry| entry.pItf == ptr::dangling_mut() && entry.hr == E_FAIL), "read only");
    hr
}

/// The other half, for `count` interfaces. `None` where it has left the entries alone.
pub fn finish(call: &AsyncIMultiQI, count: usize) -> (HRESULT, Option<Found>) {
    let mut entries: Vec<_> = (0..count).map(|_| entry(ptr::null())).collect();
    // SAFETY: as many entries as were asked for.
    let hr = unsafe { call.Finish_QueryMultipleInterfaces(entries.as_mut_ptr()) };
    if count > 0 && entries.iter().all(|entry| entry.pItf == ptr::dangling_mut() && entry.hr == E_FAIL) {
        return (hr, None);
    }
    let read = |entry: &MULTI_QI| {
        if entry.hr != S_OK {
            assert!(entry.pItf.is_null(), "a failure leaves null");
            return Err(entry.hr);
        }
        // SAFETY: a counted pointer of an interface.
        Ok(unsafe { IUnknown::from_raw(entry.pItf) })
    };
    (hr, Some(Found { hr, entries: entries.iter().map(read).collect() }))
}

/// The other half, of which something is expected.
#[track_caller]
pub fn found(call: &AsyncIMultiQI, count: usize) -> Found {
    finish(call, count).1.expect("the entries are filled in")
}

pub fn wait_on(call: &AsyncIMultiQI, ms: u32) -> HRESULT {
    // SAFETY: no pointers.
    unsafe { call.cast::<ISynchronize>().expect("CALL-10").Wait(COWAIT_DEFAULT, ms) }
}

pub fn cancel(call: &AsyncIMultiQI, seconds: u32) -> HRESULT {
    // SAFETY: no pointers.
    unsafe { call.cast::<ICancelMethodCalls>().expect("CALL-10").Cancel(seconds) }
}

/// One that the object has, one that the proxy has, one that the object lacks, one that nothing could carry.
pub const MIXED: [GUID; 5] = [IProbe::IID, ICallFactory::IID, IClassFactory::IID, IMessageFilter::IID, IProbe::IID];

/// Keeps a server from serving anything.
pub struct Hung(Running<()>, Arc<Event>);

impl Hung {
    pub fn hang(host: &Apt) -> Self {
        let (is_hung, release) = (Event::manual(), Event::manual());
        let (there, go) = (is_hung.clone(), release.clone());
        let running = host.begin(move || {
            there.set();
            wait(&go);
        });
        wait(&is_hung);
        Self(running, release)
    }

    /// The MTA serves on other threads nevertheless.
    pub fn is_silent(host: &Apt) -> bool {
        host.kind == Kind::Sta
    }

    pub fn release(self) {
        self.1.set();
        self.0.join_pumping();
    }
}
