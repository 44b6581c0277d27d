//! References on a stub manager: who keeps an object reachable from other apartments.
//!
//! Three sorts: *strong* (references of proxies and of normal packets, counted one by one), *tables* (table-strong
//! packets and external locks) and *weak tables*. The object is held while any of them is there; when the last strong
//! reference goes and no strong table is left, weak packets do not hold it (MRSH-09).

/// References on one stub manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    /// References given out to packets and proxies.
    pub strong: u64,
    /// Table-strong packets and external locks.
    pub tables: u32,
    /// Table-weak packets.
    pub weak_tables: u32,
}

/// What a change of references asks for.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The object stays reachable.
    Yes,
    /// Nobody can reach the object any more: disconnect it.
    No,
}

impl Refs {
    /// Adds strong references.
    pub fn add(&mut self, count: u32) {
        self.strong += u64::from(count);
    }

    /// Gives strong references back. More than there are is no crash: a packet unmarshaled twice in two apartments
    /// gives its references back twice.
    pub fn release(&mut self, count: u32) -> Held {
        let had = self.strong > 0;
        self.strong = self.strong.saturating_sub(u64::from(count));
        if had && self.strong == 0 && self.tables == 0 { Held::No } else { Held::Yes }
    }

    /// Adds a table-strong packet or an external lock.
    pub fn add_table(&mut self) {
        self.tables += 1;
    }

    /// Takes a table-strong packet or an external lock back.
    pub fn release_table(&mut self) -> Held {
        self.tables = self.tables.saturating_sub(1);
        self.held()
    }

    /// Adds a table-weak packet.
    pub fn add_weak_table(&mut self) {
        self.weak_tables += 1;
    }

    /// Takes a table-weak packet back.
    pub fn release_weak_table(&mut self) -> Held {
        self.weak_tables = self.weak_tables.saturating_sub(1);
        self.held()
    }

    /// Whether at most weak packets reference the object.
    pub fn only_weak(&self) -> bool {
        self.strong == 0 && self.tables == 0
    }

    fn held(&self) -> Held {
        if self.strong == 0 && self.tables == 0 && self.weak_tables == 0 { Held::No } else { Held::Yes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mrsh_04_a_normal_packet_holds_until_released() {
        let mut refs = Refs::default();
        refs.add(5);
        assert_eq!(refs.release(5), Held::No);
    }

    #[test]
    fn mrsh_09_table_strong_outlives_its_proxies() {
        let mut refs = Refs::default();
        refs.add_table();
        refs.add(5);
        assert_eq!(refs.release(5), Held::Yes);
        assert_eq!(refs.release_table(), Held::No);
    }

    #[test]
    fn mrsh_09_table_weak_does_not_hold_after_the_last_proxy() {
        let mut refs = Refs::default();
        refs.add_weak_table();
        refs.add(5);
        refs.add(5);
        assert_eq!(refs.release(5), Held::Yes);
        assert_eq!(refs.release(5), Held::No);
    }

    #[test]
    fn ma_19_two_weak_tables() {
        let mut refs = Refs::default();
        refs.add_weak_table();
        refs.add_weak_table();
        assert_eq!(refs.release_weak_table(), Held::Yes);
        assert_eq!(refs.release_weak_table(), Held::No);
    }

    #[test]
    fn giving_back_too_much_is_harmless() {
        let mut refs = Refs::default();
        refs.add(5);
        assert_eq!(refs.release(5), Held::No);
        assert_eq!(refs.release(5), Held::Yes);
    }
}
