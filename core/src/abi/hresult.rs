//! The HRESULTs of the machinery, under their header names, with what they mean.

use std::fmt;
use windows_core::HRESULT;

macro_rules! hresults {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "` (", stringify!($value), "): ", $text, ".")]
            pub const $name: HRESULT = HRESULT($value as u32 as i32);
        )*
        /// Every HRESULT of this module: name, value and meaning.
        pub const ALL: &[(&str, HRESULT, &str)] = &[$((stringify!($name), $name, $text)),*];
    };
}

hresults! {
    S_OK = 0x00000000, "success";
    S_FALSE = 0x00000001, "success, with the answer no";
    CO_S_NOTALLINTERFACES = 0x00080012, "some of the interfaces asked for are missing";
    RO_E_BLOCKED_CROSS_ASTA_CALL = 0x8000001F, "a call chain through two application STAs tried to come back into one";
    E_NOTIMPL = 0x80004001, "not implemented";
    E_NOINTERFACE = 0x80004002, "the object does not offer the interface";
    E_POINTER = 0x80004003, "a pointer that must not be null is null";
    E_ABORT = 0x80004004, "the operation was given up";
    E_FAIL = 0x80004005, "unspecified failure";
    CO_E_NOT_SUPPORTED = 0x80004021, "the operation is not supported here";
    E_UNEXPECTED = 0x8000FFFF, "the call makes no sense in this state";
    RPC_E_CALL_REJECTED = 0x80010001, "the callee's message filter rejected the call";
    RPC_E_CALL_CANCELED = 0x80010002, "the call was cancelled";
    RPC_E_CANTPOST_INSENDCALL = 0x80010003, "nothing may be posted while a message that was sent is handled";
    RPC_E_CANTCALLOUT_INASYNCCALL = 0x80010004, "no outgoing call while an asynchronous notification is handled";
    RPC_E_CANTCALLOUT_INEXTERNALCALL = 0x80010005, "no outgoing call from inside a message filter";
    RPC_E_CONNECTION_TERMINATED = 0x80010006, "the connection ended while the call was running";
    RPC_E_SERVER_DIED = 0x80010007, "the server ended; the call may have run";
    RPC_E_CLIENT_DIED = 0x80010008, "the client ended while its call was running";
    RPC_E_SERVER_DIED_DNE = 0x80010012, "the server ended and the call did not run";
    RPC_E_SYS_CALL_FAILED = 0x80010100, "a call of the operating system failed";
    RPC_E_OUT_OF_RESOURCES = 0x80010101, "there is no room for more";
    RPC_E_ATTEMPTED_MULTITHREAD = 0x80010102, "a second thread entered where only one may be";
    RPC_E_FAULT = 0x80010104, "the callee raised an exception";
    RPC_E_SERVERFAULT = 0x80010105, "the server raised an exception";
    RPC_E_CHANGED_MODE = 0x80010106, "the concurrency model of the thread is set already and cannot change";
    RPC_E_INVALIDMETHOD = 0x80010107, "the interface has no such method";
    RPC_E_DISCONNECTED = 0x80010108, "the object was disconnected from its clients";
    RPC_E_RETRY = 0x80010109, "the callee asks to try again later";
    RPC_E_SERVERCALL_RETRYLATER = 0x8001010A, "the callee's message filter says that it is busy";
    RPC_E_SERVERCALL_REJECTED = 0x8001010B, "the callee's message filter refused the call";
    RPC_E_CANTCALLOUT_ININPUTSYNCCALL = 0x8001010D, "no outgoing call while a message that was sent is handled";
    RPC_E_WRONG_THREAD = 0x8001010E, "the pointer belongs to another apartment and was not marshaled to this one";
    RPC_E_THREAD_NOT_INIT = 0x8001010F, "the thread has not initialised COM";
    RPC_E_INVALID_IPID = 0x80010113, "no interface has this id";
    RPC_E_INVALID_OBJECT = 0x80010114, "no object has this id";
    RPC_S_CALLPENDING = 0x80010115, "the call is not finished, or the wait has timed out";
    RPC_S_WAITONTIMER = 0x80010116, "a retry waits for its time";
    RPC_E_CALL_COMPLETE = 0x80010117, "no call is in progress, or it is complete already";
    RPC_E_INVALID_OBJREF = 0x8001011D, "the object reference is malformed";
    RPC_E_NO_CONTEXT = 0x8001011E, "there is no call context";
    RPC_E_TIMEOUT = 0x8001011F, "the time given is over";
    RPC_E_NO_SYNC = 0x80010120, "there is nothing to wait for";
    CO_E_CANCEL_DISABLED = 0x80010140, "call cancellation is not enabled on the thread";
    RPC_E_UNEXPECTED = 0x8001FFFF, "an internal error of the call machinery";
    STG_E_INVALIDFUNCTION = 0x80030001, "the stream cannot do that";
    STG_E_INVALIDPOINTER = 0x80030009, "a pointer given to the stream is invalid";
    STG_E_READFAULT = 0x8003001E, "the stream ended before all was read";
    DV_E_DVTARGETDEVICE = 0x80040065, "the target device cannot be used";
    DV_E_TYMED = 0x80040069, "the medium cannot be used";
    CLASS_E_NOAGGREGATION = 0x80040110, "the object cannot be aggregated, or not under the interface asked for";
    CLASS_E_CLASSNOTAVAILABLE = 0x80040111, "the class is not available";
    REGDB_E_CLASSNOTREG = 0x80040154, "the class is not registered";
    REGDB_E_IIDNOTREG = 0x80040155, "the interface has no registered proxy and stub";
    CO_E_NOTINITIALIZED = 0x800401F0, "COM is not initialised on the thread";
    CO_E_ALREADYINITIALIZED = 0x800401F1, "COM is initialised already";
    CO_E_CLASSSTRING = 0x800401F3, "the text names no class";
    CO_E_IIDSTRING = 0x800401F4, "the text names no interface";
    CO_E_OBJNOTREG = 0x800401FB, "the object is not registered";
    CO_E_OBJISREG = 0x800401FC, "the object is registered already";
    CO_E_OBJNOTCONNECTED = 0x800401FD, "the object is not connected to a server";
    CO_E_RELEASED = 0x800401FF, "the object has been released";
    CONTEXT_E_WOULD_DEADLOCK = 0x8004E005, "the operation would wait for itself";
    E_ACCESSDENIED = 0x80070005, "access denied";
    E_HANDLE = 0x80070006, "the handle is not valid";
    E_OUTOFMEMORY = 0x8007000E, "not enough memory";
    E_INVALIDARG = 0x80070057, "an argument is not valid";
    RPC_S_UNKNOWN_IF_HR = 0x800706B5, "the server does not know the interface (Win32 RPC_S_UNKNOWN_IF)";
    RPC_S_SERVER_UNAVAILABLE_HR = 0x800706BA, "the server cannot be reached (Win32 RPC_S_SERVER_UNAVAILABLE)";
    RPC_S_CALL_FAILED_HR = 0x800706BE, "the call failed; it may have run (Win32 RPC_S_CALL_FAILED)";
    RPC_S_CALL_FAILED_DNE_HR = 0x800706BF, "the call failed and did not run (Win32 RPC_S_CALL_FAILED_DNE)";
    RPC_S_INVALID_BOUND_HR = 0x800706C6, "the size of an array is not valid (Win32 RPC_S_INVALID_BOUND)";
    RPC_X_BAD_STUB_DATA_HR = 0x800706F7, "the marshaled data is malformed (Win32 RPC_X_BAD_STUB_DATA)";
    RPC_X_NULL_REF_POINTER_HR = 0x800706F4, "a pointer that must not be null is null (Win32 RPC_X_NULL_REF_POINTER)";
    RPC_S_CALL_CANCELLED_HR = 0x8007071A, "the remote call was cancelled (Win32 RPC_S_CALL_CANCELLED)";
}

/// Shows an HRESULT with its name and meaning: `RPC_S_CALLPENDING (0x80010115): the call is not finished, …`.
///
/// ```
/// use oleander::abi::hresult::{explain, RPC_S_CALLPENDING};
/// assert!(explain(RPC_S_CALLPENDING).to_string().starts_with("RPC_S_CALLPENDING (0x80010115): "));
/// ```
pub fn explain(hr: HRESULT) -> Explained {
    Explained(hr)
}

/// An HRESULT that displays with its name and meaning; see [`explain`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Explained(pub HRESULT);

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ALL.iter().find(|(_, value, _)| *value == self.0) {
            Some((name, value, text)) => write!(f, "{name} (0x{:08X}): {text}", value.0),
            None => write!(f, "HRESULT 0x{:08X}", self.0.0),
        }
    }
}

impl fmt::Debug for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_name_no_value_and_no_text_is_there_twice() {
        let names: BTreeSet<_> = ALL.iter().map(|(name, ..)| name).collect();
        let values: BTreeSet<_> = ALL.iter().map(|(_, value, _)| value.0).collect();
        let texts: BTreeSet<_> = ALL.iter().map(|(.., text)| text).collect();
        assert_eq!([names.len(), values.len(), texts.len()], [ALL.len(); 3]);
    }

    #[test]
    fn names_tell_success_from_failure_with_the_two_known_exceptions() {
        // Two codes have an S in their names and the sign of a failure: COM's own oddity, and why `SUCCEEDED` is false
        // for a call that is pending.
        for (name, value, _) in ALL {
            let says_success = name.starts_with("S_") || name.starts_with("CO_S_");
            assert_eq!(value.is_ok(), says_success, "{name}");
        }
        assert!(RPC_S_CALLPENDING.is_err() && RPC_S_WAITONTIMER.is_err());
    }

    #[test]
    fn every_code_is_shown_with_its_name_value_and_meaning() {
        assert_eq!(
            explain(RPC_S_CALLPENDING).to_string(),
            "RPC_S_CALLPENDING (0x80010115): the call is not finished, or the wait has timed out"
        );
        assert_eq!(format!("{:?}", explain(S_OK)), "S_OK (0x00000000): success");
        assert_eq!(explain(HRESULT(0x8765_4321_u32 as i32)).to_string(), "HRESULT 0x87654321");
        for (name, value, text) in ALL {
            assert_eq!(explain(*value).to_string(), format!("{name} (0x{:08X}): {text}", value.0));
        }
    }

    #[test]
    fn win32_codes_have_facility_7() {
        for (name, value, text) in ALL {
            assert_eq!(name.ends_with("_HR"), text.contains("(Win32 "), "{name}");
            if name.ends_with("_HR") {
                assert_eq!(value.0 as u32 >> 16, 0x8007, "{name}");
            }
        }
        assert_eq!(RPC_S_CALL_CANCELLED_HR.0 as u32 & 0xFFFF, 1818, "err_41: 0x71A, not the article's misprint");
    }
}
