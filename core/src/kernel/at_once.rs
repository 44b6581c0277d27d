//! What a wait for manual-reset events finds without a lock, and without writing anything.
//!
//! # Why what it finds was so at one moment
//!
//! A wait takes the lowest object that is ready, or all of them at one moment; nothing is taken from a manual-reset event, so it
//! is enough that there was such a moment. The value of such an event counts its changes (see the table of `header`): one that
//! is the same at two looks has not changed between them, and an event that was reset and set again meanwhile is known by it.
//!
//! - *Any*: the first look reads the events in order up to the first that is signalled, the second those before it once more. If
//!   they are unchanged, none of them was signalled when the one that was found was read, for that lies between their looks.
//! - *None*: likewise, with all events before what was found.
//! - *All*: the second look reads all but the last once more. If they are unchanged, all were signalled when the last was read.
//! - *Not all*: one that is not signalled is enough, at the moment it is read.
//!
//! If something has changed, or if one of them is another object, [`Look::Unclear`] is said, and the wait takes the lock.
//!
//! The looks keep no list: they compare sums. Counts only grow, so equal sums are equal counts, unless one of them has gone
//! round between the two looks of one thread, after 2,147,483,648 changes.
//!
//! # Orders
//!
//! The loads of the first look are acquire: what is read later is not older. Who reads that an event was signalled sees all that
//! its signaller saw and did before, signals of lower events among it. Two signals of two threads that know nothing of each
//! other may be seen in one order by one wait and in the other by another, as by two polls of each, where the hardware lets
//! them; x86-64 and AArch64 do not. Nothing here rests on SeqCst.

use super::Event;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The lowest event that is signalled; 0 where all are.
    Hit(usize),
    /// None is signalled; or not all are.
    NotReady,
    /// Has to be looked at under the lock.
    Unclear,
}

/// Looks for the first event that is signalled. `find` gives no event for what is none, and that is unclear, wherever it is.
#[inline]
pub(super) fn look_for_any<'e, T: Copy>(items: &[T], find: impl Fn(T) -> Option<&'e Event>) -> Look {
    let (mut hit, mut sum) = (items.len(), 0);
    for (at, item) in items.iter().enumerate() {
        let Some(count) = find(*item).and_then(Event::count) else { return Look::Unclear };
        if Event::is_signalled_at(count) {
            hit = at;
            break;
        }
        sum += u64::from(count);
    }
    let is_known = |item: &T| find(*item).is_some();
    if !items.iter().skip(hit + 1).all(is_known) || sum_of(&items[..hit], &find) != Some(sum) {
        return Look::Unclear;
    }
    if hit < items.len() { Look::Hit(hit) } else { Look::NotReady }
}

/// Looks whether all events are signalled. Events that were not made in the order in which they are named are unclear: one may
/// be named twice.
#[inline]
pub(super) fn look_for_all<'e, T: Copy>(items: &[T], find: impl Fn(T) -> Option<&'e Event>) -> Look {
    let (mut before, mut sum, mut last, mut all) = (0, 0, 0, true);
    for item in items {
        let Some(event) = find(*item) else { return Look::Unclear };
        let (number, Some(count)) = (event.number(), event.count()) else { return Look::Unclear };
        if number <= before {
            return Look::Unclear;
        }
        before = number;
        all &= Event::is_signalled_at(count);
        sum += last;
        last = u64::from(count);
    }
    match items {
        _ if !all => Look::NotReady,
        [but_last @ .., _] if sum_of(but_last, find) == Some(sum) => Look::Hit(0),
        _ => Look::Unclear,
    }
}

/// How often they were changed together.
#[inline]
fn sum_of<'e, T: Copy>(items: &[T], find: impl Fn(T) -> Option<&'e Event>) -> Option<u64> {
    let mut sum = 0;
    for item in items {
        sum += u64::from(find(*item)?.count()?);
    }
    Some(sum)
}
