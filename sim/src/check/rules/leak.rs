//! Objects, proxies and call objects that nobody has released.

use super::Seen;
use crate::trace::Noted;
use oleander::platform::Fact;
use std::collections::BTreeMap;

/// Names what is left, and who made it.
pub(super) fn look(seen: &Seen<'_>) -> Option<String> {
    let mut alive = BTreeMap::new();
    seen.replay(|ledger, thread, at, what| {
        match what {
            Noted::Fact(Fact::Made { number, what }) => {
                let name = what.rsplit("::").next().unwrap_or(what);
                _ = alive.insert(*number, format!("{name}, made by {} in step {at}", ledger.who(thread)));
            }
            Noted::Fact(Fact::Gone { number }) => _ = alive.remove(number),
            _ => {}
        }
        None
    });
    let left: Vec<_> = alive.into_values().collect();
    (!left.is_empty()).then(|| format!("leaked: {}", left.join("; ")))
}
