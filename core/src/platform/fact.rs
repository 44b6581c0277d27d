//! What a simulated world is told of an execution, beside what its steps touch: who is where, which call is for whom, who
//! owns what, what was made and what has gone. Its reports, pictures and checkers rest on these facts; nothing else does, so
//! a port that has no use for them ignores them.
//!
//! A fact is no step and changes nothing. It belongs to the step in which it is told, and to the thread that tells it.

use super::{CalledAfterEnd, Object};
use crate::protocol::refs::Holders;

/// What kind of apartment a thread is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// A single-threaded apartment.
    Sta,
    /// The multithreaded apartment.
    Mta,
    /// The neutral apartment, or a context without threads.
    Guest,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The thread is in this apartment from now on, or in none.
    Enters(Option<(u64, PlaceKind)>),
    /// The thread has sent a call to an apartment.
    Sent {
        /// The call.
        call: Object,
        /// What a synchronous caller waits for.
        done: Object,
        /// The OXID of the server's apartment.
        to: u64,
        /// The name of the interface, if it is known.
        interface: &'static str,
        /// The method's number in its vtable.
        method: u32,
        /// Whether `Begin_` has sent it.
        asynchronous: bool,
    },
    /// The end of the call will set this event, too: a call object's own.
    Expects {
        /// The call.
        call: Object,
        /// The event.
        event: Object,
        /// Whether the event is set by an outer object's Signal, which has to forward it.
        through_outer: bool,
    },
    /// A call of another process has arrived, and is served as this one.
    Twin {
        /// The call that the server sees.
        twin: Object,
        /// The number of the client's.
        of: u64,
    },
    /// The thread runs a method for the call.
    Serves(Object),
    /// It has returned from it.
    Served(Object),
    /// `ISynchronize::Signal` of the server's call object was refused: the wrong thread.
    Refused {
        /// The call that stays pending.
        call: Object,
        /// The HRESULT.
        hr: i32,
    },
    /// The server's apartment has ended, and nobody had taken the call from its queue.
    Abandoned(Object),
    /// The call's fate is decided.
    Decided(Object),
    /// The client is told: its call object's event is set, or its outer object signalled.
    Told(Object),
    /// The call object's own Signal was called for this call.
    Signalled(Object),
    /// The client has fetched the result.
    Fetched(Object),
    /// The client is gone, and nobody is to be told.
    Forgotten(Object),
    /// The thread owns this from now on.
    Owns(Object),
    /// It does not any more.
    GivesUp(Object),
    /// An ISynchronize shows this event.
    Synchronizes(Object),
    /// What the user calls an object.
    Named(Object, String),
    /// A pointer was used in an apartment that it does not belong to.
    Stray(&'static str),
    /// Who holds an object by its stub manager, behind a change.
    Held {
        /// The stub manager.
        manager: Object,
        /// Who.
        by: Holders,
    },
    /// A stub manager lets its object go.
    LetGo {
        /// The stub manager.
        manager: Object,
        /// The object's apartment ends, whoever holds it.
        apartment_ends: bool,
    },
    /// An object was made.
    Made {
        /// Its number.
        number: u64,
        /// Its type.
        what: &'static str,
    },
    /// It has gone.
    Gone {
        /// Its number.
        number: u64,
    },
    /// The thread has called a method of an object that had gone.
    UsedAfterEnd(CalledAfterEnd),
    /// A scenario goes one of several ways, counted from 0.
    Chooses {
        /// Which.
        way: usize,
        /// How many there are.
        of: usize,
    },
}
