//! What the facts of an execution come to: who is where, which call is where, who owns what. Read from a trace, fact by fact,
//! so that it can be asked at any step; nothing here runs while the scenario does.
//!
//! Names are the same whenever the threads are: STAs are counted in the order of their threads, and threads of one name in
//! the order in which they began.

use super::{Noted, Trace};
use crate::report::{thing, verb};
use oleander::platform::{Fact, Object, PlaceKind, Why};
use std::collections::{BTreeMap, BTreeSet};

/// A call, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct CallState {
    pub(crate) from: usize,
    pub(crate) to: u64,
    pub(crate) interface: &'static str,
    pub(crate) method: u32,
    pub(crate) asynchronous: bool,
    /// Who has the method on its stack.
    pub(crate) server: Option<usize>,
    /// It has reached a stub.
    pub(crate) begun: bool,
    pub(crate) decided: bool,
    pub(crate) told: bool,
    pub(crate) fetched: bool,
    pub(crate) forgotten: bool,
    pub(crate) refused: Option<(usize, i32)>,
    /// It lay in the queue when the server's apartment ended.
    pub(crate) abandoned: bool,
}

impl CallState {
    /// Its method.
    pub(crate) fn name(&self) -> String {
        let interface = if self.interface.is_empty() { "a call" } else { self.interface };
        format!("{interface} method {}", self.method)
    }

    /// What has become of it.
    pub(crate) fn state(&self) -> &'static str {
        match self {
            Self { fetched: true, .. } => "finished",
            Self { told: true, .. } => "complete, client told",
            Self { decided: true, .. } => "complete",
            Self { forgotten: true, .. } => "given up by the client",
            Self { server: Some(_), .. } => "being served",
            Self { refused: Some(_), .. } => "begun, Signal refused",
            Self { begun: true, .. } => "begun, waits for the server's Signal",
            _ => "queued",
        }
    }
}

/// Where a thread stands.
#[derive(Clone, Debug, Default)]
struct ThreadState {
    place: Option<(u64, PlaceKind)>,
    /// What it waits for in vain.
    blocked: Option<(Why, Vec<Object>)>,
}

/// The state of an execution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    names: Vec<String>,
    threads: Vec<ThreadState>,
    /// STAs by OXID: their number and thread.
    stas: BTreeMap<u64, (usize, usize)>,
    calls: BTreeMap<u64, CallState>,
    /// Calls that have come from another process, as it knows them.
    twins: BTreeMap<u64, u64>,
    /// The call whose end an event tells.
    waits_for: BTreeMap<u64, u64>,
    /// The thread whose end an object is.
    ends: BTreeMap<u64, usize>,
    owners: BTreeMap<u64, usize>,
    titles: BTreeMap<u64, String>,
    /// Events that an ISynchronize shows.
    synchronize: BTreeSet<u64>,
}

impl Ledger {
    /// The ledger at the end of an execution.
    pub(crate) fn of<S: AsRef<str>>(trace: &Trace, names: &[S]) -> Self {
        let mut ledger = Self::new(trace, names);
        trace.notes().iter().for_each(|note| ledger.apply(note.thread, &note.what));
        ledger
    }

    /// The ledger before the first step: it knows the names that will be needed.
    pub(crate) fn new<S: AsRef<str>>(trace: &Trace, names: &[S]) -> Self {
        let names = distinct(names);
        let mut stas = Vec::new();
        for note in trace.notes() {
            if let Noted::Fact(Fact::Enters(Some((oxid, PlaceKind::Sta)))) = note.what
                && !stas.contains(&(note.thread, oxid))
            {
                stas.push((note.thread, oxid));
            }
        }
        stas.sort_by_key(|&(thread, _)| thread);
        let stas = stas.iter().enumerate().map(|(at, &(thread, oxid))| (oxid, (at + 1, thread))).collect();
        let threads = vec![ThreadState::default(); trace.threads().max(names.len())];
        Self { names, threads, stas, ..Self::default() }
    }

    /// Enters what has been told.
    pub(crate) fn apply(&mut self, thread: usize, what: &Noted) {
        let fact = match what {
            Noted::Waits(_) => return,
            Noted::Born(ends) => {
                self.ends.extend(ends.iter().map(|end| (end.id, thread)));
                return;
            }
            Noted::Fact(fact) => fact,
        };
        match fact {
            Fact::Enters(place) => self.threads[thread].place = *place,
            Fact::Sent { call, done, to, interface, method, asynchronous } => {
                self.waits_for.insert(done.id, call.id);
                let state = CallState {
                    from: thread,
                    to: *to,
                    interface,
                    method: *method,
                    asynchronous: *asynchronous,
                    server: None,
                    begun: false,
                    decided: false,
                    told: false,
                    fetched: false,
                    forgotten: false,
                    refused: None,
                    abandoned: false,
                };
                self.calls.insert(call.id, state);
            }
            Fact::Expects { call, event, .. } => _ = self.waits_for.insert(event.id, call.id),
            Fact::Twin { twin, of } => _ = self.twins.insert(twin.id, *of),
            Fact::Serves(call) => self.with(*call, |it| (it.server, it.begun) = (Some(thread), true)),
            Fact::Served(call) => self.with(*call, |it| it.server = None),
            Fact::Refused { call, hr } => self.with(*call, |it| it.refused = Some((thread, *hr))),
            Fact::Abandoned(call) => self.with(*call, |it| it.abandoned = true),
            Fact::Decided(call) => self.with(*call, |it| it.decided = true),
            Fact::Told(call) => self.with(*call, |it| it.told = true),
            Fact::Fetched(call) => self.with(*call, |it| it.fetched = true),
            Fact::Forgotten(call) => self.with(*call, |it| it.forgotten = true),
            Fact::Owns(object) => _ = self.owners.insert(object.id, thread),
            Fact::GivesUp(object) => _ = self.owners.remove(&object.id),
            Fact::Synchronizes(event) => _ = self.synchronize.insert(event.id),
            Fact::Named(object, name) => _ = self.titles.insert(object.id, name.clone()),
            Fact::Signalled(_) | Fact::Stray(_) | Fact::Made { .. } | Fact::Gone { .. } | Fact::UsedAfterEnd(_) => {}
            // They belong to a checker.
            Fact::Held { .. } | Fact::LetGo { .. } => {}
            // It is of its step alone.
            Fact::Chooses { .. } => {}
        }
    }

    fn with(&mut self, call: Object, change: impl FnOnce(&mut CallState)) {
        let number = self.original(call);
        if let Some(call) = self.calls.get_mut(&number) {
            change(call);
        }
    }

    /// A thread waits in vain.
    pub(crate) fn block(&mut self, thread: usize, why: Why, on: Vec<Object>) {
        self.threads[thread].blocked = Some((why, on));
    }

    /// The calls, by their numbers.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (u64, &CallState)> {
        self.calls.iter().map(|(&number, call)| (number, call))
    }

    /// The number of a call as its client knows it.
    pub(crate) fn original(&self, call: Object) -> u64 {
        self.twins.get(&call.id).copied().unwrap_or(call.id)
    }

    /// A call.
    pub(crate) fn call(&self, call: Object) -> Option<&CallState> {
        self.calls.get(&self.original(call))
    }

    /// A mutex that the thread of an STA owns.
    pub(crate) fn owned_in_sta(&self, thread: usize) -> Option<String> {
        self.threads[thread].place.filter(|place| place.1 == PlaceKind::Sta)?;
        let (&id, _) = self.owners.iter().find(|(_, owner)| **owner == thread)?;
        let object = Object { id, kind: oleander::platform::ObjectKind::Mutex };
        Some(self.titled(object))
    }

    /// The call that an event's signal means the end of.
    pub(crate) fn call_behind(&self, object: Object) -> Option<u64> {
        self.calls.contains_key(&object.id).then_some(object.id).or_else(|| self.waits_for.get(&object.id).copied())
    }

    /// Whether who waits for the object calls ISynchronize: of an object of the system, or of a call object.
    pub(crate) fn is_synchronize(&self, object: Object) -> bool {
        self.synchronize.contains(&object.id) || self.waits_for.contains_key(&object.id)
    }

    /// The name of an apartment's lane.
    pub(crate) fn place(&self, oxid: u64) -> Option<String> {
        if let Some((number, _)) = self.stas.get(&oxid) {
            return Some(format!("STA {number}"));
        }
        let kind = self.threads.iter().filter_map(|thread| thread.place).find(|place| place.0 == oxid);
        kind.map(|(_, kind)| if kind == PlaceKind::Mta { "the MTA" } else { "the neutral apartment" }.to_owned())
    }

    /// The thread of an STA.
    pub(crate) fn thread_of(&self, oxid: u64) -> Option<usize> {
        self.stas.get(&oxid).map(|&(_, thread)| thread)
    }

    /// The number of the thread's first STA.
    pub(crate) fn sta_of(&self, thread: usize) -> Option<usize> {
        let mut mine: Vec<_> = self.stas.values().filter(|sta| sta.1 == thread).map(|sta| sta.0).collect();
        mine.sort_unstable();
        mine.first().copied()
    }

    /// A thread's own name.
    pub(crate) fn name(&self, thread: usize) -> &str {
        self.names.get(thread).map_or("?", String::as_str)
    }

    /// A thread with the apartment that it is in.
    pub(crate) fn who(&self, thread: usize) -> String {
        let name = self.name(thread);
        match self.threads.get(thread).and_then(|it| it.place) {
            Some((oxid, PlaceKind::Sta)) => {
                let number = self.stas.get(&oxid).map_or(0, |sta| sta.0);
                format!("STA {number} ('{name}')")
            }
            _ => format!("'{name}'"),
        }
    }

    /// An object with its name.
    pub(crate) fn titled(&self, object: Object) -> String {
        if let Some(&thread) = self.ends.get(&object.id) {
            return format!("the end of '{}'", self.name(thread));
        }
        let title = self.titles.get(&object.id).map_or(String::new(), |title| format!(" \"{title}\""));
        format!("{}{title}", thing(object))
    }

    /// The same, with whoever owns it.
    pub(crate) fn object(&self, object: Object) -> String {
        let mut text = self.titled(object);
        if let Some(&owner) = self.owners.get(&object.id) {
            text.push_str(&format!(", which {} owns", self.who(owner)));
        }
        text
    }

    /// Who waits for what.
    pub(crate) fn words(&self, thread: usize) -> String {
        let mut text = self.who(thread);
        let Some((why, on)) = self.threads.get(thread).and_then(|it| it.blocked.as_ref()) else { return text };
        let call = on.iter().find_map(|&object| self.call_behind(object));
        match call.and_then(|number| self.calls.get(&number)) {
            Some(call) => {
                let how = if call.asynchronous { " for the end of the asynchronous call " } else { " for a reply to " };
                let verb = if *why == Why::Wait && call.asynchronous { "waits without dispatching" } else { "waits" };
                text.push_str(&format!(" {verb}{how}{} from {}", call.name(), self.callee(call)));
            }
            None => text.push_str(&format!(" {}", self.wait(*why, on))),
        }
        let queued: Vec<_> = self.queued_for(thread).map(|call| self.queued(call)).collect();
        if !queued.is_empty() && *why == Why::Wait {
            text.push_str(&format!("; until it dispatches, {} in its queue", queued.join(" and ")));
        }
        text
    }

    fn queued(&self, call: &CallState) -> String {
        format!("{} from {} stays", call.name(), self.who(call.from))
    }

    /// The calls that lie in the queue of a thread's STA.
    fn queued_for(&self, thread: usize) -> impl Iterator<Item = &CallState> {
        let place = self.threads[thread].place.filter(|place| place.1 == PlaceKind::Sta);
        let is_queued = move |call: &&CallState| Some(call.to) == place.map(|it| it.0) && !call.begun && !call.decided;
        self.calls.values().filter(is_queued)
    }

    /// How a thread waits, and for which objects.
    fn wait(&self, why: Why, on: &[Object]) -> String {
        let mut text = verb(why).to_owned();
        // A message queue is there in every wait that dispatches.
        let telling = on.iter().filter(|object| {
            !matches!(object.kind, oleander::platform::ObjectKind::Queue | oleander::platform::ObjectKind::Apcs)
        });
        for (at, &object) in telling.enumerate() {
            text.push_str(if at == 0 { " for " } else { " or " });
            text.push_str(&self.object(object));
        }
        text
    }

    /// Who is to answer a call, and what keeps it.
    fn callee(&self, call: &CallState) -> String {
        let place = self.place(call.to).unwrap_or_else(|| "an apartment that has ended".to_owned());
        if let Some((thread, hr)) = call.refused {
            let who = self.who(thread);
            return format!(
                "{place}, which has begun it; {who} called ISynchronize::Signal, which was refused with 0x{hr:08X}: \
                 the call object belongs to {place} (SRV-13)"
            );
        }
        let busy = |thread: usize| {
            let state = self.threads.get(thread).and_then(|it| it.blocked.as_ref());
            state.map(|(why, on)| match on.iter().find_map(|&object| self.call_behind(object)) {
                Some(number) => {
                    let to = self.calls.get(&number).and_then(|call| self.place(call.to));
                    format!("waits for a reply from {}", to.unwrap_or_else(|| "an apartment that has ended".to_owned()))
                }
                None => self.wait(*why, on),
            })
        };
        match (call.server, self.thread_of(call.to)) {
            (Some(server), Some(thread)) if server == thread => {
                let does = busy(server).unwrap_or_else(|| "runs".to_owned());
                format!("{}, which serves it and {does}", self.who(server))
            }
            (Some(server), _) => {
                let does = busy(server).unwrap_or_else(|| "runs".to_owned());
                format!("{place}, where '{}' serves it and {does}", self.name(server))
            }
            (None, _) if call.begun => format!("{place}, which has begun it and has not signalled its end"),
            (None, Some(thread)) => {
                let does = busy(thread).unwrap_or_else(|| "does not dispatch".to_owned());
                format!("{}, which {does}", self.who(thread))
            }
            (None, None) => format!("{place}, where no thread has taken it"),
        }
    }
}

/// Names that tell threads apart: the second and later ones of a name have a number.
fn distinct<S: AsRef<str>>(names: &[S]) -> Vec<String> {
    let mut seen = BTreeMap::<&str, usize>::new();
    let count = |name: &str| names.iter().filter(|other| other.as_ref() == name).count();
    let one = |name: &'_ S| {
        let name: &str = name.as_ref();
        name.to_owned()
    };
    let mut result: Vec<String> = names.iter().map(one).collect();
    for (at, name) in names.iter().enumerate() {
        let name = name.as_ref();
        if count(name) > 1 {
            let number = seen.entry(name).or_default();
            *number += 1;
            result[at] = format!("{name} {number}");
        }
    }
    result
}
