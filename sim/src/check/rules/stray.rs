//! Pointers that are used in an apartment that they do not belong to.

use super::Seen;
use crate::trace::Noted;
use oleander::platform::Fact;

/// Names the thread.
pub(super) fn look(seen: &Seen<'_>) -> Option<String> {
    seen.replay(|ledger, thread, at, what| match what {
        Noted::Fact(Fact::Stray(what)) => {
            Some(format!("{} used {what} of another apartment, behind step {at} (MRSH-13)", ledger.who(thread)))
        }
        _ => None,
    })
}
