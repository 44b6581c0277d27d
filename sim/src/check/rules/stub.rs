//! Stub managers that are leaked: somebody can still reach the object when nobody is left to do it.
//!
//! A proxy may outlive the apartment of its object, and finds it disconnected; a packet, a table-strong packet or a lock has an
//! owner who must give it back. When the execution ends nobody may hold anything.

use super::Seen;
use crate::trace::Noted;
use oleander::platform::{Fact, Holders};
use std::collections::{BTreeMap, BTreeSet};

/// Names the apartment, who showed the object, and who holds it.
pub(super) fn look(seen: &Seen<'_>) -> Option<String> {
    let (mut held, mut gone) = (BTreeMap::new(), BTreeSet::new());
    let at_end = seen.replay(|ledger, thread, at, what| match what {
        // What comes back behind a disconnection holds nothing any more.
        Noted::Fact(Fact::Held { manager, by }) if !gone.contains(&manager.id) => {
            let shown = || (format!("{} showed in step {at}", ledger.who(thread)), *by);
            held.entry(manager.id).or_insert_with(shown).1 = *by;
            None
        }
        Noted::Fact(Fact::LetGo { manager, apartment_ends }) => {
            gone.insert(manager.id);
            let (shown, by) = held.remove(&manager.id)?;
            let words = words(&Holders { proxies: 0, ..by });
            (*apartment_ends && !words.is_empty()).then(|| {
                let who = ledger.who(thread);
                format!("the apartment of {who} ends, and an object that {shown} is still held by {words}")
            })
        }
        _ => None,
    });
    at_end.or_else(|| {
        let (shown, by) = held.into_values().find(|(_, by)| *by != Holders::default())?;
        Some(format!("leaked stub manager: an object that {shown} is still held by {}", words(&by)))
    })
}

fn words(by: &Holders) -> String {
    let Holders { packets, proxies, tables, locks } = *by;
    let all = [
        (packets, "references in packets that nobody has unmarshaled"),
        (proxies, "references of proxies"),
        (u64::from(tables), "table-strong packets"),
        (u64::from(locks), "locks of CoLockObjectExternal"),
    ];
    let some = all.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    some.collect::<Vec<_>>().join(", ")
}
