//! A mutex that an STA's thread holds while it serves calls: what it serves may want the mutex, and finds it taken by its own
//! thread or hands it on half-changed.

use super::Seen;
use crate::report::verb;
use crate::trace::Noted;
use oleander::platform::Why;

/// Names the thread, the mutex and the wait.
pub(super) fn look(seen: &Seen<'_>) -> Option<String> {
    seen.replay(|ledger, thread, at, what| {
        let Noted::Waits(why @ (Why::PumpingWait | Why::Reply | Why::MessageLoop)) = what else { return None };
        let object = ledger.owned_in_sta(thread)?;
        let who = ledger.who(thread);
        Some(format!("{who} {} and serves calls meanwhile, behind step {at}, while it holds {object}", verb(*why)))
    })
}
