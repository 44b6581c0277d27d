//! What the contract says of entering and leaving apartments, as a table of values: a reference to compare the runtime with.
//!
//! Written from the facts: APT-01 to APT-10 and APT-13 to APT-19 for who is where; APT-23 for a thread that ends without a
//! word; APT-27 for the main STA, CXL-30 and CXL-31 for the count of cancellations, MF-01 and APT-20 for the filter; APT-28
//! and APT-29 for what is asked outside COM; MRSH-25 for the global interface table and RUL-31 for its end.

/// How many threads there are.
pub const ACTORS: usize = 3;

/// One call of a thread.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    Enter {
        sta: bool,
        /// With a reserved argument that is not null.
        reserved: bool,
    },
    Leave,
    /// `CoIncrementMTAUsage`.
    Increment,
    /// `CoDecrementMTAUsage` with one of the cookies that are out.
    Decrement(usize),
    Type,
    Token,
    EnableCancellation,
    DisableCancellation,
    Filter,
    /// Puts an object of the thread's apartment into the global interface table.
    Put,
    /// Gets one of those that were put.
    Get(usize),
    Revoke(usize),
    /// The thread ends, in COM or not, and another takes its place.
    End,
}

/// What a call says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Ok,
    False,
    ChangedMode,
    NotInitialized,
    NotSupported,
    InvalidArgument,
    CancelDisabled,
}

/// What a call gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub code: Code,
    /// `APTTYPE_…` and `APTTYPEQUALIFIER_…`.
    pub kind: Option<(i32, i32)>,
    /// Which apartment that is: a number that no other apartment has or had.
    pub apartment: Option<u32>,
    /// Whether the pointer is the object's own, not a proxy.
    pub direct: Option<bool>,
}

impl From<Code> for Answer {
    fn from(code: Code) -> Self {
        Self { code, kind: None, apartment: None, direct: None }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Sta(u32);

/// A thread of its own apartment, and how often it has entered.
#[derive(Clone, Copy, Default)]
struct Thread {
    sta: Option<Sta>,
    in_mta: bool,
    entered: u32,
    cancellations: u32,
}

/// The table.
#[derive(Default)]
pub struct Model {
    threads: [Thread; ACTORS],
    main: Option<Sta>,
    /// The MTA, while it is there.
    mta: Option<u32>,
    /// The cookies of its usage: whether each is out.
    usage: Vec<bool>,
    /// What was put into the interface table: the apartment, while the cookie is good.
    table: Vec<Option<u32>>,
    /// How many apartments there have been.
    apartments: u32,
}

impl Model {
    fn new_apartment(&mut self) -> u32 {
        self.apartments += 1;
        self.apartments
    }

    /// The apartment that the thread is in, implicitly too (APT-09).
    fn apartment_of(&self, who: usize) -> Option<u32> {
        self.threads[who].sta.map(|sta| sta.0).or(self.mta)
    }

    fn lives(&self, apartment: u32) -> bool {
        self.mta == Some(apartment) || self.threads.iter().any(|thread| thread.sta == Some(Sta(apartment)))
    }

    /// Which cookie of the table an index means: good or not.
    fn cookie(&self, which: usize) -> Option<usize> {
        (!self.table.is_empty()).then(|| which % self.table.len())
    }

    /// Whether the facts say what this gives: not for what was put by an apartment that has ended.
    pub fn is_certain(&self, who: usize, op: Op) -> bool {
        match op {
            Op::Decrement(_) => self.usage.contains(&true),
            Op::Get(which) => self.cookie(which).is_some_and(|at| self.table[at].is_none_or(|home| self.lives(home))),
            Op::Revoke(which) => self.cookie(which).is_some() && self.apartment_of(who).is_some(),
            _ => true,
        }
    }

    /// A cookie of the MTA's usage that is out.
    pub fn usage_out(&self, which: usize) -> usize {
        let out: Vec<_> = (0..self.usage.len()).filter(|at| self.usage[*at]).collect();
        out[which % out.len()]
    }

    /// A cookie of the interface table that was given.
    pub fn given(&self, which: usize) -> usize {
        which % self.table.len()
    }

    /// The MTA is there while somebody is in it or uses it; with the last apartment the table is emptied.
    fn settle(&mut self) {
        let used = self.usage.contains(&true) || self.threads.iter().any(|thread| thread.in_mta);
        if !used {
            self.mta = None;
        } else if self.mta.is_none() {
            self.mta = Some(self.new_apartment());
        }
        if self.main.is_some_and(|main| !self.threads.iter().any(|thread| thread.sta == Some(main))) {
            self.main = None;
        }
        if self.mta.is_none() && self.threads.iter().all(|thread| thread.sta.is_none()) {
            self.table.fill(None);
        }
    }

    fn enter(&mut self, who: usize, sta: bool) -> Code {
        let thread = self.threads[who];
        if thread.entered > 0 {
            if thread.sta.is_some() != sta {
                return Code::ChangedMode;
            }
            self.threads[who].entered += 1;
            return Code::False;
        }
        self.threads[who].entered = 1;
        if sta {
            let sta = Sta(self.new_apartment());
            self.threads[who].sta = Some(sta);
            self.main.get_or_insert(sta);
        } else {
            self.threads[who].in_mta = true;
        }
        Code::Ok
    }

    fn leave(&mut self, who: usize) {
        let thread = &mut self.threads[who];
        thread.entered = thread.entered.saturating_sub(1);
        if thread.entered == 0 {
            (thread.sta, thread.in_mta) = (None, false);
        }
    }

    /// `MTA` 1, `STA` 0, `MAINSTA` 3, outside `CURRENT` -1; `IMPLICIT_MTA` 1.
    fn kind(&self, who: usize) -> Answer {
        let thread = self.threads[who];
        let kind = match thread.sta {
            Some(sta) if self.main == Some(sta) => (3, 0),
            Some(_) => (0, 0),
            None if thread.in_mta => (1, 0),
            None if self.mta.is_some() => (1, 1),
            None => (-1, 0),
        };
        let code = if kind.0 == -1 { Code::NotInitialized } else { Code::Ok };
        Answer { kind: Some(kind), ..code.into() }
    }

    fn get(&self, who: usize, which: usize) -> Answer {
        let Some(here) = self.apartment_of(who) else { return Code::NotInitialized.into() };
        match self.table[self.given(which)] {
            Some(home) => Answer { direct: Some(home == here), ..Code::Ok.into() },
            None => Code::InvalidArgument.into(),
        }
    }

    /// What a call gives.
    pub fn step(&mut self, who: usize, op: Op) -> Answer {
        let answer = match op {
            Op::Enter { reserved: true, .. } => Code::InvalidArgument.into(),
            Op::Enter { sta, .. } => self.enter(who, sta).into(),
            Op::Leave => {
                self.leave(who);
                Code::Ok.into()
            }
            Op::Increment => {
                self.usage.push(true);
                Code::Ok.into()
            }
            Op::Decrement(which) => {
                let at = self.usage_out(which);
                self.usage[at] = false;
                Code::Ok.into()
            }
            Op::Type => self.kind(who),
            Op::Token => match self.apartment_of(who) {
                Some(apartment) => Answer { apartment: Some(apartment), ..Code::Ok.into() },
                None => Code::NotInitialized.into(),
            },
            Op::EnableCancellation => {
                self.threads[who].cancellations += 1;
                Code::Ok.into()
            }
            Op::DisableCancellation => match self.threads[who].cancellations {
                0 => Code::CancelDisabled.into(),
                count => {
                    self.threads[who].cancellations = count - 1;
                    Code::Ok.into()
                }
            },
            Op::Filter if self.threads[who].sta.is_some() => Code::Ok.into(),
            Op::Filter => Code::NotSupported.into(),
            Op::Put => match self.apartment_of(who) {
                Some(apartment) => {
                    self.table.push(Some(apartment));
                    Code::Ok.into()
                }
                None => Code::NotInitialized.into(),
            },
            Op::Get(which) => self.get(who, which),
            Op::Revoke(which) => {
                let at = self.given(which);
                if self.table[at].take().is_some() { Code::Ok.into() } else { Code::InvalidArgument.into() }
            }
            Op::End => {
                self.threads[who] = Thread::default();
                Code::Ok.into()
            }
        };
        self.settle();
        answer
    }
}
