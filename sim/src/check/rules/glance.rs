//! A first look at an execution that completed. Nearly all of them are right, and a search looks at every one: this one makes
//! no names and no ledger. It may suspect what is right, and never passes what a checker would object to.

use super::Checks;
use crate::trace::{Noted, Trace};
use oleander::platform::{Fact, Holders};
use smallvec::SmallVec;

/// With more objects alive or held at once, or more calls told, looking for one takes too long.
const FEW: usize = 64;

/// Numbers of objects, calls or stub managers.
type Numbers = SmallVec<[u64; FEW]>;

/// Whether the checkers must look.
pub(super) fn suspects(checks: &Checks, trace: &Trace) -> bool {
    let (mut alive, mut told, mut held) = (Numbers::new(), Numbers::new(), Numbers::new());
    for note in trace.notes() {
        let Noted::Fact(fact) = &note.what else { continue };
        match fact {
            Fact::Made { number, .. } => alive.push(*number),
            Fact::Gone { number } => {
                if let Some(at) = alive.iter().rposition(|it| it == number) {
                    alive.swap_remove(at);
                }
            }
            Fact::Held { manager, by } => {
                held.retain(|it| *it != manager.id);
                if *by != Holders::default() {
                    held.push(manager.id);
                }
            }
            Fact::LetGo { manager, apartment_ends } => {
                if checks.stubs && *apartment_ends && held.contains(&manager.id) {
                    return true;
                }
                held.retain(|it| *it != manager.id);
            }
            Fact::Told(call) | Fact::Signalled(call) => {
                if checks.signals && told.contains(&call.id) {
                    return true;
                }
                told.push(call.id);
            }
            Fact::Expects { through_outer, .. } if checks.signals && *through_outer => return true,
            Fact::Owns(_) if checks.locks => return true,
            Fact::Abandoned(_) if checks.pumps => return true,
            Fact::Stray(_) if checks.apartments => return true,
            Fact::Sent { .. } if checks.pumps_within.is_some() => return true,
            Fact::Enters(_)
            | Fact::Sent { .. }
            | Fact::Expects { .. }
            | Fact::Twin { .. }
            | Fact::Serves(_)
            | Fact::Served(_)
            | Fact::Refused { .. }
            | Fact::Abandoned(_)
            | Fact::Decided(_)
            | Fact::Fetched(_)
            | Fact::Forgotten(_)
            | Fact::Owns(_)
            | Fact::GivesUp(_)
            | Fact::Synchronizes(_)
            | Fact::Named(..)
            | Fact::Chooses { .. }
            | Fact::Stray(_) => {}
            Fact::UsedAfterEnd(_) => return true,
        }
        if alive.len() > FEW || told.len() > FEW || held.len() > FEW {
            return true;
        }
    }
    checks.leaks && !alive.is_empty() || checks.stubs && !held.is_empty()
}
