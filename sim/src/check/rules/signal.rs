//! Signals that come twice, or that never reach the call object's event.
//!
//! A call is told once: by its own event, or by the Signal of an outer object, which forwards it to the call object (AGG-05).
//! An outer object that keeps it for itself must have fetched the result, or whoever waits on the call waits for ever.

use super::Seen;
use crate::trace::Noted;
use oleander::platform::Fact;
use std::collections::BTreeMap;

#[derive(Default)]
struct Told {
    through_outer: bool,
    told: u32,
    signalled: u32,
    fetched: bool,
}

/// Names the call.
pub(super) fn look(seen: &Seen<'_>) -> Option<String> {
    let mut calls = BTreeMap::<u64, Told>::new();
    let twice = seen.replay(|ledger, thread, at, what| {
        let Noted::Fact(fact) = what else { return None };
        match fact {
            Fact::Expects { call, through_outer, .. } => {
                calls.entry(call.id).or_default().through_outer = *through_outer
            }
            Fact::Told(call) => calls.entry(call.id).or_default().told += 1,
            Fact::Signalled(call) => calls.entry(call.id).or_default().signalled += 1,
            Fact::Fetched(call) => calls.entry(call.id).or_default().fetched = true,
            _ => return None,
        }
        let (Fact::Told(call) | Fact::Signalled(call)) = fact else { return None };
        let told = &calls[&call.id];
        let times = if told.through_outer { told.signalled.max(told.told) } else { told.told + told.signalled };
        let name = ledger.call(*call)?.name();
        (times > 1)
            .then(|| format!("the end of {name} was signalled twice, at last by {} in step {at}", ledger.who(thread)))
    });
    twice.or_else(|| {
        let kept = |told: &&Told| told.through_outer && told.told > 0 && told.signalled == 0 && !told.fetched;
        let (number, _) = calls.iter().find(|(_, told)| kept(told))?;
        let ledger = seen.end();
        let name = ledger.calls().find(|(it, _)| it == number)?.1.name();
        Some(format!(
            "the outer object of {name} got its Signal, did not forward it, and did not finish the call (AGG-05)"
        ))
    })
}
