//! Calls through a pointer to an object that has gone with its last Release.

use super::Seen;
use crate::trace::Noted;
use oleander::platform::Fact;
use std::collections::BTreeMap;

/// Who let go of an object that no thread did.
const NOBODY: &str = "the condition of a wait";

/// Names the method, the object, and who let go of it.
pub(super) fn look(seen: &Seen<'_>) -> Option<String> {
    let mut gone = BTreeMap::new();
    seen.replay(|ledger, thread, at, what| match what {
        Noted::Fact(Fact::Gone { number }) => {
            _ = gone.insert(*number, format!("{} in step {at}", ledger.who(thread)));
            None
        }
        Noted::Fact(Fact::UsedAfterEnd(called)) => {
            let name = called.object.rsplit("::").next().unwrap_or(&called.object);
            let (who, number) = (ledger.who(thread), called.number & 0xffff_ffff);
            // Every Release that a thread takes is told before its object's grave is made. One on the hub is told by nobody:
            // the condition of a wait has dropped the object. The use is as wrong then.
            let by = gone.get(&called.number).map_or(NOBODY, String::as_str);
            Some(format!(
                "used after its last Release: {who} calls {} of {name}, object {number}, behind step {at}; the last \
                 Release came from {by}",
                called.method
            ))
        }
        _ => None,
    })
}
