//! STAs that do not dispatch although calls wait for it.

use super::Seen;
use crate::trace::Noted;
use oleander::platform::Fact;
use std::collections::BTreeMap;
use std::time::Duration;

/// A call that lay in an STA's queue when that ended. One that was refused, or could not be sent, is not the STA's fault.
pub(super) fn never(seen: &Seen<'_>) -> Option<String> {
    let ledger = seen.end();
    ledger.calls().find(|(_, call)| call.abandoned && ledger.thread_of(call.to).is_some()).map(|(_, call)| {
        let place = ledger.place(call.to).unwrap_or_default();
        format!("{place} has never served {}, which '{}' sent to it", call.name(), ledger.name(call.from))
    })
}

/// A call that has lain in an STA's queue for longer than `most`.
pub(super) fn late(seen: &Seen<'_>, most: Duration) -> Option<String> {
    let mut sent = BTreeMap::new();
    let time = |at: usize| Duration::from_nanos(seen.trace.ns_at(at.saturating_sub(1)));
    seen.replay(|ledger, _, at, what| match what {
        Noted::Fact(Fact::Sent { call, to, .. }) if ledger.thread_of(*to).is_some() => {
            _ = sent.insert(call.id, at);
            None
        }
        Noted::Fact(Fact::Serves(call)) => {
            let number = ledger.original(*call);
            let waited = time(at) - time(sent.remove(&number)?);
            let state = ledger.call(*call)?;
            let place = ledger.place(state.to).unwrap_or_default();
            (waited > most).then(|| format!("{place} left {} in its queue for {waited:?}", state.name()))
        }
        _ => None,
    })
}
