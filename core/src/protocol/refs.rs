//! References on a stub manager: who keeps an object reachable from other apartments.
//!
//! | sort | who | holds the object |
//! | --- | --- | --- |
//! | packets | references in normal packets that nobody has taken, by IPID | yes, external |
//! | proxies | references of proxy managers | yes, external |
//! | tables | table-strong packets | yes, external |
//! | locks | `CoLockObjectExternal` | yes, external |
//! | weak tables | table-weak packets | until the last external reference goes (MRSH-09) |
//! | visits | calls on their way, marshaling under way | as long as they last |
//!
//! A packet's references are taken once: whoever unmarshals or releases it later gets none of those that belong to
//! others. When the last external reference goes, it says whether the object shall close; weak packets then hold it no
//! more, unless it is *watched*, that is, implements IExternalConnection (MA-14, MA-18).

use std::collections::BTreeMap;

/// References on one stub manager.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    packets: BTreeMap<u128, u64>,
    proxies: u64,
    tables: u32,
    locks: u32,
    weak_tables: u32,
    visits: u32,
    /// The object implements IExternalConnection.
    watched: bool,
    /// What the last external reference said when it went.
    last_closes: bool,
    /// Weak packets hold the object no more.
    closing: bool,
}

/// Who holds an object from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// References in normal packets that nobody has taken.
    pub packets: u64,
    /// References of proxies.
    pub proxies: u64,
    /// Table-strong packets.
    pub tables: u32,
    /// Locks of `CoLockObjectExternal`.
    pub locks: u32,
}

/// The packet that is taken or released holds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent;

impl Refs {
    /// No references; `watched` when the object implements IExternalConnection.
    pub fn new(watched: bool) -> Self {
        Self { watched, ..Self::default() }
    }

    /// Whether anybody outside references the object: what IExternalConnection is told.
    pub fn is_external(&self) -> bool {
        !self.packets.is_empty() || self.proxies > 0 || self.tables > 0 || self.locks > 0
    }

    /// Who they are.
    pub fn holders(&self) -> Holders {
        let Self { packets, proxies, tables, locks, .. } = self;
        Holders { packets: packets.values().sum(), proxies: *proxies, tables: *tables, locks: *locks }
    }

    /// Whether the object has to stay reachable.
    pub fn is_held(&self) -> bool {
        self.is_external() || self.visits > 0 || (self.weak_tables > 0 && !self.closing)
    }

    /// Whether the object implements IExternalConnection.
    pub fn is_watched(&self) -> bool {
        self.watched
    }

    /// `fLastReleaseCloses`, as the last external reference said it.
    pub fn last_closes(&self) -> bool {
        self.last_closes
    }

    /// Whether a table packet is good.
    pub fn has_table(&self) -> bool {
        self.tables > 0 || self.weak_tables > 0
    }

    /// A normal packet with `count` references was written.
    pub fn add_packet(&mut self, ipid: u128, count: u32) {
        *self.packets.entry(ipid).or_default() += u64::from(count);
        self.closing = false;
    }

    /// A proxy takes the references of a normal packet over.
    pub fn take_packet(&mut self, ipid: u128, count: u32) -> Result<(), Spent> {
        self.take(ipid, count)?;
        self.add_proxy(count);
        Ok(())
    }

    /// A normal packet is given back, or ends at home.
    pub fn release_packet(&mut self, ipid: u128, count: u32, closes: bool) -> Result<(), Spent> {
        self.take(ipid, count)?;
        self.released(closes);
        Ok(())
    }

    fn take(&mut self, ipid: u128, count: u32) -> Result<(), Spent> {
        let there =
            self.packets.get_mut(&ipid).filter(|there| count > 0 && **there >= u64::from(count)).ok_or(Spent)?;
        *there -= u64::from(count);
        if *there == 0 {
            self.packets.remove(&ipid);
        }
        Ok(())
    }

    /// A proxy has `count` references more.
    pub fn add_proxy(&mut self, count: u32) {
        self.proxies += u64::from(count);
        self.closing = false;
    }

    /// A proxy gives its references back.
    pub fn release_proxy(&mut self, count: u64) {
        debug_assert!(count <= self.proxies, "a proxy gives back what it has");
        self.proxies = self.proxies.saturating_sub(count);
        self.released(true);
    }

    /// A table-strong packet was written.
    pub fn add_table(&mut self) {
        self.tables += 1;
        self.closing = false;
    }

    /// A table-strong packet is released.
    pub fn release_table(&mut self) -> Result<(), Spent> {
        self.tables = self.tables.checked_sub(1).ok_or(Spent)?;
        self.released(true);
        Ok(())
    }

    /// A table-weak packet was written.
    pub fn add_weak_table(&mut self) {
        self.weak_tables += 1;
        self.closing = false;
    }

    /// A table-weak packet is released.
    pub fn release_weak_table(&mut self) -> Result<(), Spent> {
        self.weak_tables = self.weak_tables.checked_sub(1).ok_or(Spent)?;
        Ok(())
    }

    /// `CoLockObjectExternal(TRUE)`.
    pub fn lock(&mut self) {
        self.locks += 1;
        self.closing = false;
    }

    /// `CoLockObjectExternal(FALSE)`. One too many is harmless.
    pub fn unlock(&mut self, closes: bool) {
        if let Some(fewer) = self.locks.checked_sub(1) {
            self.locks = fewer;
            self.released(closes);
        }
    }

    /// Somebody looks at the object for a while.
    pub fn enter(&mut self) {
        self.visits += 1;
    }

    /// He is done.
    pub fn leave(&mut self) {
        self.visits -= 1;
    }

    fn released(&mut self, closes: bool) {
        if !self.is_external() {
            self.last_closes = closes;
            self.closing = closes && !self.watched;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mrsh_04_a_normal_packet_holds_until_released() {
        let mut refs = Refs::default();
        refs.add_packet(1, 5);
        assert!(refs.is_external());
        assert_eq!(refs.release_packet(1, 5, true), Ok(()));
        assert!(!refs.is_held());
        assert_eq!(refs.release_packet(1, 5, true), Err(Spent));
    }

    #[test]
    fn mrsh_06_a_packet_is_taken_once_and_nobody_elses() {
        let mut refs = Refs::default();
        refs.add_packet(1, 5);
        refs.add_packet(2, 5);
        assert_eq!(refs.take_packet(1, 5), Ok(()));
        assert_eq!(refs.take_packet(1, 5), Err(Spent), "the other interface's packet is not his");
        assert_eq!(refs.release_packet(1, 5, true), Err(Spent), "nor are the proxy's references");
        assert_eq!(refs.take_packet(2, 6), Err(Spent), "more than was written");
        assert_eq!(refs.take_packet(2, 0), Err(Spent), "no packet has none");
        refs.release_proxy(5);
        assert!(refs.is_held());
        assert_eq!(refs.release_packet(2, 5, true), Ok(()));
        assert!(!refs.is_held());
    }

    #[test]
    fn mrsh_09_ma_20_table_strong_outlives_its_proxies() {
        let mut refs = Refs::default();
        refs.add_table();
        refs.add_proxy(5);
        refs.release_proxy(5);
        assert!(refs.is_held() && refs.is_external() && refs.has_table());
        assert_eq!(refs.holders(), Holders { tables: 1, ..Holders::default() });
        assert_eq!(refs.release_table(), Ok(()));
        assert!(!refs.is_held() && !refs.has_table());
        assert_eq!(refs.release_table(), Err(Spent));
    }

    #[test]
    fn mrsh_09_ma_14_table_weak_after_the_last_proxy() {
        for watched in [false, true] {
            let mut refs = Refs::new(watched);
            assert_eq!(refs.is_watched(), watched);
            refs.add_weak_table();
            assert!(refs.is_held() && !refs.is_external() && refs.has_table());
            assert_eq!(refs.is_watched(), watched);
            refs.add_proxy(5);
            refs.add_proxy(5);
            refs.release_proxy(5);
            assert!(refs.is_held() && refs.is_external());
            refs.release_proxy(5);
            assert_eq!((refs.is_held(), refs.is_external(), refs.last_closes()), (watched, false, true));
            assert_eq!(refs.release_weak_table(), Ok(()));
            assert!(!refs.is_held());
        }
    }

    #[test]
    fn ma_19_two_weak_tables() {
        let mut refs = Refs::default();
        refs.add_weak_table();
        refs.add_weak_table();
        assert_eq!(refs.release_weak_table(), Ok(()));
        assert!(refs.is_held());
        assert_eq!(refs.release_weak_table(), Ok(()));
        assert!(!refs.is_held());
        assert_eq!(refs.release_weak_table(), Err(Spent));
    }

    #[test]
    fn mrsh_21_locks_count_and_the_last_says_whether_weak_packets_hold() {
        for closes in [false, true] {
            let mut refs = Refs::default();
            refs.add_weak_table();
            refs.lock();
            refs.lock();
            refs.unlock(true);
            assert!(refs.is_external());
            refs.unlock(closes);
            assert_eq!((refs.is_held(), refs.last_closes()), (!closes, closes));
            refs.unlock(!closes);
            assert_eq!(refs.last_closes(), closes, "one too many says nothing");
        }
    }

    #[test]
    fn mrsh_04_mrsh_09_mrsh_21_the_holders_are_those_that_were_added() {
        let mut refs = Refs::default();
        refs.add_packet(1, 5);
        refs.add_packet(2, 6);
        refs.add_proxy(3);
        refs.add_table();
        refs.add_weak_table();
        refs.lock();
        refs.lock();
        assert_eq!(refs.holders(), Holders { packets: 11, proxies: 3, tables: 1, locks: 2 });
    }

    #[test]
    fn call_30_a_call_on_its_way_holds_what_is_closing() {
        let mut refs = Refs::default();
        refs.add_weak_table();
        refs.add_proxy(5);
        refs.enter();
        refs.release_proxy(5);
        assert!(refs.is_held() && !refs.is_external());
        refs.leave();
        assert!(!refs.is_held());
        refs.add_weak_table();
        assert!(refs.is_held(), "marshaled once more before it went");
    }

    proptest! {
        /// Whatever packets do, they give and take what they brought, and in the end nothing is left.
        #[test]
        fn references_are_never_made_nor_lost(steps in proptest::collection::vec((0u8..4, 0u128..3), 0..60)) {
            let mut refs = Refs::default();
            let (mut packets, mut proxies) = ([0u32; 3], 0u64);
            for (what, ipid) in steps {
                let there = &mut packets[ipid as usize];
                match what {
                    0 => { refs.add_packet(ipid, 5); *there += 1; }
                    1 => {
                        prop_assert_eq!(refs.take_packet(ipid, 5).is_ok(), *there > 0);
                        proxies += if *there > 0 { 5 } else { 0 };
                        *there = there.saturating_sub(1);
                    }
                    2 => {
                        prop_assert_eq!(refs.release_packet(ipid, 5, true).is_ok(), *there > 0);
                        *there = there.saturating_sub(1);
                    }
                    _ => { refs.release_proxy(proxies); proxies = 0; }
                }
                prop_assert_eq!(refs.is_held(), packets != [0; 3] || proxies > 0);
            }
        }
    }
}
