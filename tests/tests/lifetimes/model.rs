//! What the contract says of who keeps an object that other apartments reach, as a table of values: a reference to compare the
//! runtime with.
//!
//! Written from the facts: MRSH-04 to MRSH-09 and MA-01 to MA-20 for packets and pointers, MRSH-18 and MA-10 for packets of proxies,
//! MRSH-21 and MA-26, MA-27 for locks, MRSH-20 and MA-31 for being cut off. The object's connections are those that an
//! IExternalConnection is told of: some or none, for that is all that the facts say.

/// The object's apartment, and how many threads there are: each in an apartment of its own.
pub const HOME: usize = 0;
pub const ACTORS: usize = 3;

/// How a packet is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Normal,
    TableStrong,
    TableWeak,
}

/// One call of a thread. Numbers pick among the packets that were made, and the pointers that the thread has.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// By the home.
    Marshal(Kind),
    /// By a client: its proxy, for others.
    MarshalProxy(usize),
    /// By the home.
    ReleasePacket(usize),
    Unmarshal(usize),
    Release(usize),
    /// By a client.
    Call(usize),
    /// `CoLockObjectExternal`, by the home; the last unlock releases.
    Lock,
    Unlock,
    /// `CoDisconnectObject`, by the home.
    Disconnect,
}

/// What a call says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Ok,
    NotConnected,
    NotRegistered,
    Disconnected,
}

/// A packet, and the connection of the object that it leads to.
struct Packet {
    kind: Kind,
    to: u32,
    /// Used up or released.
    spent: bool,
}

/// The table.
pub struct Model {
    /// Whether the object has IExternalConnection.
    watched: bool,
    /// How many pointers of its own the home has.
    own: usize,
    /// The connection through which the object can be reached, and how many there have been.
    connection: Option<u32>,
    connections: u32,
    /// The pointers of each client.
    clients: [Vec<u32>; ACTORS - 1],
    packets: Vec<Packet>,
    locks: usize,
    /// Connections that were cut off, of whose end the object is not told.
    unended: usize,
}

impl Model {
    pub fn new(watched: bool) -> Self {
        let clients = Default::default();
        let (packets, connection) = (Vec::new(), None);
        Self { watched, own: 1, connection, connections: 0, clients, packets, locks: 0, unended: 0 }
    }

    pub fn lives(&self) -> bool {
        self.own > 0 || self.connection.is_some()
    }

    /// Whether the object has been told of more connections than of ends.
    pub fn is_connected(&self) -> bool {
        self.watched && (self.unended > 0 || self.strong() > 0)
    }

    fn packets(&self) -> impl Iterator<Item = &Packet> {
        self.packets.iter().filter(|packet| self.leads(packet.to) && !packet.spent)
    }

    fn leads(&self, to: u32) -> bool {
        self.connection == Some(to)
    }

    /// What holds the object.
    fn strong(&self) -> usize {
        let packets = self.packets().filter(|packet| packet.kind != Kind::TableWeak).count();
        let clients = self.clients.iter().filter(|pointers| pointers.iter().any(|&to| self.leads(to))).count();
        packets + clients + self.locks
    }

    fn weak(&self) -> usize {
        self.packets().filter(|packet| packet.kind == Kind::TableWeak).count()
    }

    /// The packet that a number means.
    pub fn packet(&self, which: usize) -> usize {
        which % self.packets.len()
    }

    /// The pointer that a number means.
    pub fn pointer(&self, who: usize, which: usize) -> usize {
        which % self.pointers(who)
    }

    fn pointers(&self, who: usize) -> usize {
        if who == HOME { self.own } else { self.clients[who - 1].len() }
    }

    /// Whether the thread can do it, and the facts say what it gives.
    pub fn is_certain(&self, who: usize, op: Op) -> bool {
        let alive = |which| {
            let packet = &self.packets[self.packet(which)];
            self.leads(packet.to) && !packet.spent
        };
        let reaches = |which| {
            who != HOME && self.pointers(who) > 0 && { self.leads(self.clients[who - 1][self.pointer(who, which)]) }
        };
        match op {
            Op::Marshal(_) | Op::Lock | Op::Disconnect => who == HOME && self.own > 0,
            Op::Unlock => who == HOME && self.own > 0 && self.locks > 0,
            Op::MarshalProxy(which) => reaches(which),
            Op::ReleasePacket(which) => who == HOME && !self.packets.is_empty() && alive(which),
            Op::Unmarshal(which) if !self.packets.is_empty() => {
                let packet = &self.packets[self.packet(which)];
                match packet.kind {
                    // Nobody says whether the home's use of a packet closes the object to weak ones.
                    Kind::Normal if alive(which) => who != HOME || self.weak() == 0,
                    // Nor what is left in a packet that was used while others lead to the object.
                    Kind::Normal => !self.leads(packet.to),
                    // One that was released has the bytes of one that was not.
                    _ if packet.spent => self.packets().all(|other| other.kind == Kind::Normal),
                    Kind::TableStrong => alive(which),
                    Kind::TableWeak => alive(which) && who != HOME,
                }
            }
            Op::Unmarshal(_) => false,
            Op::Release(_) => self.pointers(who) > 0,
            Op::Call(_) => who != HOME && self.pointers(who) > 0,
        }
    }

    fn connect(&mut self) -> u32 {
        *self.connection.get_or_insert_with(|| {
            self.connections += 1;
            self.connections
        })
    }

    /// Something that held the object is gone, beside which there was so much. Weak packets keep an object that has heard of
    /// connections only if it says that it wants to hear of them (MRSH-09, MA-14, MA-18).
    fn settle(&mut self, before: usize) {
        if self.strong() == 0 && (self.weak() == 0 || before > 0 && !self.watched) {
            self.connection = None;
        }
    }

    /// What a call gives: the code, and of an unmarshaling whether the pointer is the object's own.
    pub fn step(&mut self, who: usize, op: Op) -> (Code, Option<bool>) {
        let before = self.strong();
        match op {
            Op::Marshal(kind) => {
                let to = self.connect();
                self.packets.push(Packet { kind, to, spent: false });
            }
            Op::MarshalProxy(which) => {
                let to = self.clients[who - 1][self.pointer(who, which)];
                self.packets.push(Packet { kind: Kind::Normal, to, spent: false });
            }
            Op::ReleasePacket(which) => {
                let at = self.packet(which);
                self.packets[at].spent = true;
                self.settle(before);
            }
            Op::Unmarshal(which) => return self.unmarshal(who, self.packet(which)),
            Op::Release(_) if who == HOME => self.own -= 1,
            Op::Release(which) => {
                let at = self.pointer(who, which);
                self.clients[who - 1].remove(at);
                self.settle(before);
            }
            Op::Call(which) => {
                let reached = self.leads(self.clients[who - 1][self.pointer(who, which)]);
                return (if reached { Code::Ok } else { Code::Disconnected }, None);
            }
            Op::Lock => {
                self.connect();
                self.locks += 1;
            }
            Op::Unlock => {
                self.locks -= 1;
                self.settle(before);
            }
            Op::Disconnect => {
                self.unended += usize::from(before > 0);
                self.locks = 0;
                self.connection = None;
            }
        }
        (Code::Ok, None)
    }

    fn unmarshal(&mut self, who: usize, at: usize) -> (Code, Option<bool>) {
        let (before, to, kind) = (self.strong(), self.packets[at].to, self.packets[at].kind);
        if kind != Kind::Normal && self.packets[at].spent {
            return (Code::NotRegistered, None);
        }
        self.packets[at].spent |= kind == Kind::Normal;
        if who != HOME {
            // Also behind the object's back: the first call finds out (MRSH-08).
            self.clients[who - 1].push(to);
            return (Code::Ok, Some(false));
        }
        if !self.leads(to) {
            return (Code::NotConnected, None);
        }
        self.own += 1;
        self.settle(before);
        (Code::Ok, Some(true))
    }
}
