//! A table that gives numbers to things and knows stale ones: the ground of handles and windows.
//!
//! A number is `generation << 27 | world << 26 | index << 2 | 2`; `world` is 1 in processes of simulated worlds, so that a
//! number which has strayed out of one is none of another process's, and is known for what it is. Bit 1 is set and bit 0 is
//! not: the system's own kernel handles are multiples of four and its pseudo handles are -1 to -6, so a number of ours is
//! never taken for one of those, for null or for `INVALID_HANDLE_VALUE` (none of them has 2 in its low two bits but -2 and
//! -6, which are negative, as ours never are). The generation of a slot counts its uses, so a number that was closed is not
//! valid again before it has wrapped, and slots that were freed first are used first.

use std::collections::VecDeque;
use std::sync::Once;

const INDEX_BITS: u32 = 24;
const INDEX_SHIFT: u32 = 2;
const WORLD: usize = 1 << (INDEX_BITS + INDEX_SHIFT);
const GENERATION_SHIFT: u32 = INDEX_BITS + INDEX_SHIFT + 1;
const TAG: usize = 2;

/// The table.
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: VecDeque<usize>,
    /// [`WORLD`], or 0.
    world: usize,
}

struct Slot<T> {
    /// The value's number, or that of the next one to come here.
    number: usize,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(super) const fn new(in_world: bool) -> Self {
        Self { slots: Vec::new(), free: VecDeque::new(), world: if in_world { WORLD } else { 0 } }
    }

    /// Keeps a value and gives its number; gives the value back when the table is full.
    pub(super) fn insert(&mut self, value: T) -> Result<usize, T> {
        let index = match self.free.pop_front() {
            Some(index) => index,
            None if self.slots.len() == 1 << INDEX_BITS => return Err(value),
            None => {
                let index = self.slots.len();
                self.slots.push(Slot { number: self.world + (index << INDEX_SHIFT) + TAG, value: None });
                index
            }
        };
        let slot = &mut self.slots[index];
        slot.value = Some(value);
        Ok(slot.number)
    }

    /// The value that a number stands for, unless it is stale or none of ours.
    #[inline]
    pub(super) fn get(&self, number: usize) -> Option<&T> {
        self.slots.get(index_of(number)).filter(|slot| slot.number == number)?.value.as_ref()
    }

    /// Whether it looks like a number of a simulated world, which this table is not of.
    pub(super) fn is_stray(&self, number: usize) -> bool {
        self.world == 0 && is_number(number) && number & WORLD != 0
    }

    /// Frees a number.
    pub(super) fn remove(&mut self, number: usize) -> Option<T> {
        let index = index_of(number);
        let slot = self.slots.get_mut(index).filter(|slot| slot.number == number)?;
        let value = slot.value.take()?;
        // The generation has all bits above, but for the sign.
        slot.number = (number + (1 << GENERATION_SHIFT)) & usize::MAX >> 1;
        self.free.push_back(index);
        Some(value)
    }

    /// The numbers in use, in the order of their slots.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (usize, &T)> {
        self.slots.iter().filter_map(|slot| Some((slot.number, slot.value.as_ref()?)))
    }
}

/// The slot of a number, if it is one at all.
#[inline]
const fn index_of(number: usize) -> usize {
    number >> INDEX_SHIFT & ((1 << INDEX_BITS) - 1)
}

fn is_number(number: usize) -> bool {
    number & 3 == TAG && (number as isize) >= 0
}

/// Says, once for the real process, what a handle or window of a simulated world is doing in another process. No lock is held
/// by whoever calls this.
#[cold]
pub(super) fn tell_of_stray() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        eprintln!(
            "a handle or window of a simulated world is used outside it, where it stands for nothing: start threads with \
             `spawn` of `oleander_sim::thread` or of `oleander_sim::world`, not with that of `std::thread`"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_numbers_are_known() {
        let mut slots = Slots::new(false);
        let first = slots.insert('a').unwrap();
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b').unwrap();
        assert_ne!(first, second, "the same slot, another generation");
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(second), Some(&'b'));
    }

    #[test]
    fn a_worlds_numbers_are_none_of_another_process() {
        let (mut worlds, mut hosts) = (Slots::new(true), Slots::new(false));
        let (strayed, own) = (worlds.insert('a').unwrap(), hosts.insert('b').unwrap());
        assert_eq!((worlds.get(strayed), hosts.get(strayed)), (Some(&'a'), None));
        assert_eq!((worlds.get(own), hosts.get(own)), (None, Some(&'b')));
        assert_eq!(hosts.remove(strayed), None);
        assert!(
            hosts.is_stray(strayed)
                && !hosts.is_stray(strayed + 1)
                && !hosts.is_stray(own)
                && !worlds.is_stray(own)
                && !hosts.is_stray(usize::MAX)
        );
        assert_eq!(worlds.numbers().next(), Some((strayed, &'a')));
    }

    #[test]
    fn numbers_are_none_of_the_systems() {
        let mut slots = Slots::new(false);
        for value in 0..1000 {
            let number = slots.insert(value).unwrap();
            assert_eq!(number & 3, 2);
            assert!((number as isize) > 0);
        }
        for other in [0, 4, 6, usize::MAX, usize::MAX - 1, usize::MAX - 5, 1 << 30 | 2] {
            assert!(other == 6 || slots.get(other).is_none(), "{other:#x}");
        }
    }

    #[test]
    fn a_slot_counts_its_uses_and_begins_again_behind_the_last() {
        let mut slots = Slots::new(false);
        let mut used = std::collections::BTreeSet::new();
        for value in 0..5 {
            let number = slots.insert(value).unwrap();
            assert!(used.insert(number) && slots.remove(number) == Some(value));
        }
        slots.slots[0].number |= usize::MAX >> 1 << GENERATION_SHIFT & usize::MAX >> 1;
        let last = slots.insert(5).unwrap();
        assert!((last as isize) > 0 && slots.remove(last) == Some(5));
        let again = slots.insert(6).unwrap();
        assert!(used.contains(&again) && slots.get(again) == Some(&6), "after 68,719,476,736 uses");
    }
}
