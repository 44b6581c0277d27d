//! Things that are put somewhere and taken out by whoever knows the place: each in one step, however many there are.
//!
//! `free` are the places without a thing; the last one left is the first to be used again, so a steady coming and going
//! allocates nothing. Whoever shares a [`Places`] guards it with a lock of his own.

/// The places.
#[derive(Debug)]
pub(crate) struct Places<T> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Places<T> {
    /// Puts a thing somewhere; where.
    pub(crate) fn put(&mut self, thing: T) -> usize {
        match self.free.pop() {
            Some(place) => {
                self.places[place] = Some(thing);
                place
            }
            None => {
                self.places.push(Some(thing));
                self.places.len() - 1
            }
        }
    }

    /// Takes the thing at a place out, if it is the one that is meant.
    pub(crate) fn take_if(&mut self, place: usize, is_it: impl FnOnce(&T) -> bool) -> Option<T> {
        let thing = self.places.get_mut(place)?.take_if(|thing| is_it(thing))?;
        self.free.push(place);
        Some(thing)
    }

    /// Takes all out, in the order of their places.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = T> + use<T> {
        std::mem::take(self).places.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_thing_is_found_with_one_look_among_ten_thousand() {
        let mut places = Places::default();
        let put: Vec<_> = (0..10_000).map(|n| (n, places.put(n))).collect();
        let looks = Cell::new(0);
        for (n, place) in put.into_iter().rev() {
            let taken = places.take_if(place, |there| {
                looks.set(looks.get() + 1);
                *there == n
            });
            assert_eq!(taken, Some(n));
        }
        assert_eq!(looks.get(), 10_000);
        assert_eq!(places.take_all().count(), 0);
    }

    #[test]
    fn a_place_that_is_free_is_used_again() {
        let mut places = Places::default();
        let (first, second) = (places.put('a'), places.put('b'));
        assert_eq!(places.take_if(first, |_| true), Some('a'));
        assert_eq!(places.take_if(first, |_| true), None, "nobody is there");
        assert_eq!(places.put('c'), first);
        assert_eq!(places.take_if(second, |there| *there == 'a'), None, "somebody else is there");
        assert_eq!(places.take_if(7, |_| true), None);
        assert_eq!(places.take_all().collect::<String>(), "cb");
    }
}
