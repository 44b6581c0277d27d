//! A server's call object between the stub and its worker: on our channel (`call::server_call`) and on the system's
//! (`call::waiting_call`).
//!
//! ```text
//! Idle -begin-> Beginning -returned-> Begun -signal-> Finishing -finished-> Idle
//!                   |                   ^
//!                 signal             (the usual way)
//!                   v
//!              SignalledEarly -returned-> Finishing        (SRV-07)
//! ```
//! A failed Begin_ leads back to Idle whatever was signalled (SRV-09). The apartment's end leads to Dead, which stays.

/// No call.
pub const IDLE: u32 = 0;
/// Begin_ is running.
pub const BEGINNING: u32 = 1;
/// Begin_ is running and Signal has come.
pub const SIGNALLED_EARLY: u32 = 2;
/// Begin_ has returned; a worker has the call.
pub const BEGUN: u32 = 3;
/// Finish_ is due or running.
pub const FINISHING: u32 = 4;
/// The apartment has ended.
pub const DEAD: u32 = 5;

/// What the caller of a transition has to do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: somebody else goes on with the call.
    Nothing,
    /// Call Finish_ and send the reply.
    Finish,
    /// The apartment has ended: `RPC_E_DISCONNECTED`.
    Disconnected,
}

/// The stub is about to call Begin_. False when the object is not idle.
pub fn begin(state: u32) -> (u32, bool) {
    if state == IDLE { (BEGINNING, true) } else { (state, false) }
}

/// Signal came. A second one is ignored until the next Begin_.
pub fn signal(state: u32) -> (u32, Next) {
    match state {
        BEGINNING => (SIGNALLED_EARLY, Next::Nothing),
        BEGUN => (FINISHING, Next::Finish),
        DEAD => (DEAD, Next::Disconnected),
        other => (other, Next::Nothing),
    }
}

/// Begin_ returned success. Only the apartment's end can have come between.
pub fn begun(state: u32) -> (u32, Next) {
    match state {
        BEGINNING => (BEGUN, Next::Nothing),
        SIGNALLED_EARLY => (FINISHING, Next::Finish),
        dead => (dead, Next::Disconnected),
    }
}

/// Begin_ failed, or Finish_ has returned. Whether the object can serve again.
pub fn ended(state: u32) -> (u32, bool) {
    if state == DEAD { (DEAD, false) } else { (IDLE, true) }
}

/// The apartment ends. True when a call was with a worker and now gets no reply from it.
pub fn die(state: u32) -> (u32, bool) {
    (DEAD, matches!(state, BEGINNING | SIGNALLED_EARLY | BEGUN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srv_06_only_signal_leads_to_finish() {
        let (state, next) = begun(begin(IDLE).0);
        assert_eq!((state, next), (BEGUN, Next::Nothing));
        assert_eq!(signal(state), (FINISHING, Next::Finish));
    }

    #[test]
    fn srv_07_signal_may_come_before_begin_returns() {
        let (state, next) = signal(begin(IDLE).0);
        assert_eq!(next, Next::Nothing);
        assert_eq!(begun(state), (FINISHING, Next::Finish));
    }

    #[test]
    fn a_second_signal_is_ignored() {
        let (state, _) = signal(begun(begin(IDLE).0).0);
        assert_eq!(signal(state), (FINISHING, Next::Nothing));
        assert_eq!(signal(ended(state).0), (IDLE, Next::Nothing));
    }

    #[test]
    fn srv_09_a_failed_begin_leaves_an_idle_object() {
        assert_eq!(ended(signal(begin(IDLE).0).0), (IDLE, true));
    }

    #[test]
    fn srv_15_one_call_at_a_time() {
        assert!(!begin(begin(IDLE).0).1);
    }

    #[test]
    fn the_apartments_end_is_final() {
        let (state, lost) = die(begun(begin(IDLE).0).0);
        assert!(lost);
        assert_eq!(signal(state).1, Next::Disconnected);
        assert_eq!(ended(state), (DEAD, false));
        assert!(!die(IDLE).1);
        assert_eq!(begun(die(begin(IDLE).0).0), (DEAD, Next::Disconnected));
    }
}
