//! The life of one member: an STA that registers an object, does things to the others at random, serves them meanwhile,
//! and ends in one of three ways; or a guest, a thread of the MTA that does the same without an object of its own. What all
//! members share: the cookies and threads of those who are there, a market of packets, the counts.
//!
//! Members meet through the global interface table: a cookie whose owner has ended stays until somebody revokes it.

use super::member::{AsyncIMember, IMember, call_of, member};
use super::random::Random;
use super::rooms::{Carry, Packet, pack, query, try_unpack};
use super::watch::Watch;
use oleander::windows_core::{IUnknown, Interface, OutRef};
use oleander::*;
use std::cell::RefCell;
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// What outlives its apartment.
pub type Left = Vec<Carry<IUnknown>>;

#[derive(Default)]
struct Slot {
    cookie: AtomicU32,
    thread: AtomicU32,
}

pub struct Crowd {
    slots: Vec<Slot>,
    market: Mutex<Vec<Packet>>,
    closed: AtomicBool,
    pub objects: AtomicIsize,
    pub watch: Watch,
}

impl Crowd {
    pub fn new(members: usize) -> Self {
        Self {
            slots: std::iter::repeat_with(Slot::default).take(members).collect(),
            market: Mutex::default(),
            closed: AtomicBool::new(false),
            objects: AtomicIsize::new(0),
            watch: Watch::new(members),
        }
    }

    /// Nobody begins anything any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn take(&self, random: &mut Random) -> Option<Packet> {
        let mut market = self.market.lock().unwrap();
        let len = market.len();
        (len > 0).then(|| market.swap_remove(random.below(len)))
    }

    /// Lets go of what nobody has taken, on a thread outside COM when all have ended.
    pub fn clear(&self) {
        assert_eq!(unsafe { CoInitializeEx(null_mut(), COINIT_MULTITHREADED) }, S_OK);
        let rest = std::mem::take(&mut *self.market.lock().unwrap());
        rest.into_iter().for_each(|packet| self.discard(packet));
        let table = table();
        for slot in &self.slots {
            // The last apartment's end has emptied the table.
            let cookie = slot.cookie.swap(0, Ordering::SeqCst);
            let hr = unsafe { table.RevokeInterfaceFromGlobal(cookie) };
            self.watch.heard("RevokeInterfaceFromGlobal at the end", &[E_INVALIDARG], hr);
        }
        drop(table);
        unsafe { CoUninitialize() };
    }

    fn discard(&self, packet: Packet) {
        let stream = unsafe { IStream::from_raw(packet.take()) };
        self.watch.heard("CoReleaseMarshalData", &[], unsafe { CoReleaseMarshalData(stream.as_raw()) });
    }

    fn revoke(&self, table: &IGlobalInterfaceTable, cookie: u32) {
        if cookie != 0 {
            let hr = unsafe { table.RevokeInterfaceFromGlobal(cookie) };
            self.watch.heard("RevokeInterfaceFromGlobal", &[], hr);
        }
    }
}

fn table() -> IGlobalInterfaceTable {
    let mut raw = null_mut();
    let (clsid, iid) = (&CLSID_StdGlobalInterfaceTable, &IGlobalInterfaceTable::IID);
    unsafe {
        assert_eq!(CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw), S_OK);
        IGlobalInterfaceTable::from_raw(raw)
    }
}

/// The member whose thread this is.
pub struct OnMember {
    crowd: Arc<Crowd>,
    slot: usize,
    table: IGlobalInterfaceTable,
    /// Not the objects' own: one that is given itself would live for ever.
    kept: RefCell<Option<IUnknown>>,
}

// The program's own, or the simulated thread's.
super::thread_local! {
    static HERE: RefCell<Option<Rc<OnMember>>> = const { RefCell::new(None) };
}

impl OnMember {
    /// Runs `f` with the member of the calling thread; one that has ended does nothing.
    pub fn with_current(f: impl FnOnce(&Self)) {
        let here = HERE.with_borrow(Clone::clone);
        if let Some(here) = here {
            f(&here);
        }
    }

    /// Keeps an object, and gives what was kept before.
    pub fn keep(object: Option<IUnknown>) -> Option<IUnknown> {
        match HERE.with_borrow(Clone::clone) {
            Some(here) => here.kept.replace(object),
            None => object,
        }
    }

    fn watch(&self) -> &Watch {
        &self.crowd.watch
    }

    /// Another member, or what is left of it.
    fn other(&self, random: &mut Random) -> usize {
        (self.slot + 1 + random.below(self.crowd.slots.len() - 1)) % self.crowd.slots.len()
    }

    /// A proxy for another member's object.
    fn meet(&self, whom: usize) -> Option<IMember> {
        let cookie = self.crowd.slots[whom].cookie.load(Ordering::SeqCst);
        let mut raw = null_mut();
        if cookie == 0 {
            return None;
        }
        let get = || unsafe { self.table.GetInterfaceFromGlobal(cookie, &IMember::IID, &mut raw) };
        // Its owner may have revoked it just now.
        self.watch().ask(self.slot, "GetInterfaceFromGlobal", whom, &[E_INVALIDARG], get);
        (!raw.is_null()).then(|| unsafe { IMember::from_raw(raw) })
    }

    /// A call that calls.
    pub fn nest(&self, depth: u32, random: &mut Random) {
        if let Some(object) = self.meet_somebody(random) {
            self.call(&object.1, object.0, depth, random);
        }
    }

    fn meet_somebody(&self, random: &mut Random) -> Option<(usize, IMember)> {
        let whom = self.other(random);
        self.meet(whom).map(|object| (whom, object))
    }

    fn call(&self, object: &IMember, whom: usize, depth: u32, random: &mut Random) {
        let (how, mut twice) = (random.below(1 << 30) as u32, 0);
        let mut said = S_OK;
        self.watch().ask(self.slot, "Nest", whom, &[E_ABORT, RPC_E_SERVERFAULT], || {
            said = unsafe { object.Nest(depth, how, &mut twice) };
            said
        });
        assert_eq!(twice, if said == S_OK { how * 2 } else { twice }, "the outputs of a call that went well");
    }
}

/// Where a member lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// In an STA, with an object that others call.
    Own,
    /// In the MTA, with no object.
    Guest,
}

/// What a member has in its hands.
struct Hands {
    here: Rc<OnMember>,
    own: Option<IMember>,
    others: Vec<(usize, IMember)>,
    begun: Vec<(usize, u32, AsyncIMember)>,
    event: HANDLE,
}

impl Hands {
    fn new(here: Rc<OnMember>, home: Home, random: &mut Random) -> Self {
        let event = unsafe { CreateEventW(null(), true.into(), false.into(), null()) };
        let mut hands = Self { here, own: None, others: Vec::new(), begun: Vec::new(), event };
        if home == Home::Own {
            hands.show_another(random);
        }
        hands
    }

    /// Puts an object of its own where others find it, and takes away what was there.
    fn show_another(&mut self, random: &mut Random) {
        let own = member(&self.here.crowd, random.once_in(3));
        let before = self.own.replace(own.clone());
        drop(before);
        let (here, mut cookie) = (&self.here, 0);
        let (raw, iid) = (own.as_raw(), &IMember::IID);
        let hr = unsafe { here.table.RegisterInterfaceInGlobal(raw, iid, &mut cookie) };
        assert_eq!(hr, S_OK, "of an object of this apartment");
        let before = here.crowd.slots[here.slot].cookie.swap(cookie, Ordering::SeqCst);
        here.crowd.revoke(&here.table, before);
    }

    fn act(&mut self, random: &mut Random) {
        let here = self.here.clone();
        match random.below(16) {
            0..4 => {
                let known = random.below(self.others.len().max(1));
                if let Some((whom, object)) = self.others.get(known).cloned() {
                    here.call(&object, whom, random.below(4) as u32, random);
                }
            }
            4..7 => self.others.extend(here.meet_somebody(random)),
            7 | 8 => self.begin(random),
            9 => self.finish(random),
            10 => self.swap(random),
            11 => self.trade(random),
            12 => {
                let whom = here.other(random);
                let thread = here.crowd.slots[whom].thread.load(Ordering::SeqCst);
                let also = [E_NOINTERFACE, CO_E_CANCEL_DISABLED, RPC_E_CALL_COMPLETE, RPC_E_CALL_CANCELED];
                here.watch().ask(here.slot, "CoCancelCall", whom, &also, || unsafe { CoCancelCall(thread, 0) });
            }
            13 => self.let_go(random),
            14 => {
                let (mut index, also) = (0, [RPC_S_CALLPENDING]);
                let wait = || unsafe { CoWaitForMultipleHandles(0, 1, 1, &self.event, &mut index) };
                here.watch().ask(here.slot, "CoWaitForMultipleHandles", here.slot, &also, wait);
            }
            _ => self.own_object(random),
        }
    }

    fn begin(&mut self, random: &mut Random) {
        let Some((whom, object)) = self.here.meet_somebody(random) else { return };
        if let Some(call) = call_of(&object, &self.here.crowd) {
            let how = random.below(1 << 30) as u32;
            let begin = || unsafe { call.Begin_Nest(2, how) };
            self.here.watch().ask(self.here.slot, "Begin_", whom, &[], begin);
            self.begun.push((whom, how, call));
        }
    }

    fn finish(&mut self, random: &mut Random) {
        let Some((whom, how, call)) = self.begun.pop() else { return };
        let (who, mut twice, mut said) = (self.here.slot, 0, S_OK);
        if random.once_in(3) {
            let cancel: ICancelMethodCalls = query(&call).expect("call objects have it");
            let also = [RPC_E_CALL_COMPLETE, RPC_E_CALL_CANCELED];
            self.here.watch().ask(who, "Cancel", whom, &also, || unsafe { cancel.Cancel(0) });
        }
        // A call that could not begin is none.
        let also = [E_ABORT, RPC_E_SERVERFAULT, RPC_E_CALL_COMPLETE];
        self.here.watch().ask(who, "Finish_", whom, &also, || {
            said = unsafe { call.Finish_Nest(&mut twice) };
            said
        });
        assert_eq!(twice, if said == S_OK { how * 2 } else { twice }, "the outputs of a call that went well");
    }

    /// Gives an object, own or another's, for another.
    fn swap(&mut self, random: &mut Random) {
        let Some((whom, object)) = self.here.meet_somebody(random) else { return };
        let given: Option<IUnknown> = match self.others.last() {
            Some((_, other)) if random.once_in(2) => query(other).ok(),
            _ => self.own.as_ref().and_then(|own| query(own).ok()),
        };
        let mut other: Option<IUnknown> = None;
        let out: OutRef<'_, IUnknown> = (&mut other).into();
        let swap = || unsafe { object.Swap(given.as_ref().into(), out) };
        self.here.watch().ask(self.here.slot, "Swap", whom, &[], swap);
        if let Some(other) = other {
            match self.here.watch().during(self.here.slot, "query", whom, || query::<IMember>(&other)) {
                Ok(other) => self.others.push((whom, other)),
                Err(hr) => self.here.watch().heard("query", &[E_NOINTERFACE], hr),
            }
        }
    }

    /// Puts a packet on the market, takes one, or throws one away.
    fn trade(&mut self, random: &mut Random) {
        let here = &self.here;
        match random.below(4) {
            0 => {
                let mut stream = null_mut();
                let Some(object) = self.others.last().map(|(_, object)| object).or(self.own.as_ref()) else { return };
                let marshal =
                    || unsafe { CoMarshalInterThreadInterfaceInStream(&IMember::IID, object.as_raw(), &mut stream) };
                here.watch().ask(here.slot, "marshal", here.slot, &[], marshal);
                if !stream.is_null() {
                    here.crowd.market.lock().unwrap().push(Packet(stream));
                }
            }
            1 => {
                let Some(own) = &self.own else { return };
                let packet = pack(own);
                here.crowd.market.lock().unwrap().push(packet);
            }
            2 => here.crowd.take(random).into_iter().for_each(|packet| here.crowd.discard(packet)),
            _ => match here.crowd.take(random).map(try_unpack::<IMember>) {
                Some(Ok(object)) => self.others.push((here.slot, object)),
                Some(Err(hr)) => here.watch().heard("unmarshal", &[], hr),
                None => {}
            },
        }
    }

    fn let_go(&mut self, random: &mut Random) {
        match random.below(4) {
            0 => self.begun.clear(),
            1 => drop(self.begun.pop()),
            2 => self.others.clear(),
            _ => drop(self.others.pop()),
        }
    }

    /// Something with the own object: it is cut off, locked, or another takes its place.
    fn own_object(&mut self, random: &mut Random) {
        let Some(own) = &self.own else { return };
        let raw = own.as_raw();
        unsafe {
            match random.below(4) {
                0 => assert_eq!(CoDisconnectObject(raw, 0), S_OK),
                1 => {
                    assert_eq!(CoLockObjectExternal(raw, true.into(), false.into()), S_OK);
                    pump();
                    let unlocked = CoLockObjectExternal(raw, false.into(), true.into());
                    self.here.watch().heard("CoLockObjectExternal", &[], unlocked);
                }
                _ => self.show_another(random),
            }
        }
    }

    /// What it holds, as a heap of pointers.
    fn into_left(self) -> Left {
        assert!(unsafe { CloseHandle(self.event) }.as_bool());
        let others = self.others.into_iter().map(|(_, object)| object.into());
        others.chain(self.begun.into_iter().map(|(.., call)| call.into())).map(Carry).collect()
    }
}

/// Serves whoever has called.
fn pump() {
    let mut msg = MSG::default();
    while unsafe { PeekMessageW(&mut msg, HWND::NULL, 0, 0, PM_REMOVE) }.as_bool() {
        unsafe { DispatchMessageW(&msg) };
    }
}

/// From the first initialisation to the last.
pub fn live(crowd: &Arc<Crowd>, home: Home, slot: usize, seed: u64) -> Left {
    let mut random = Random::new(seed);
    let model = if home == Home::Own { COINIT_APARTMENTTHREADED } else { COINIT_MULTITHREADED };
    unsafe {
        assert_eq!(CoInitializeEx(null_mut(), model), S_OK);
        if !random.once_in(4) {
            assert_eq!(CoEnableCallCancellation(null_mut()), S_OK);
        }
        crowd.slots[slot].thread.store(GetCurrentThreadId(), Ordering::SeqCst);
    }
    let here = Rc::new(OnMember { crowd: crowd.clone(), slot, table: table(), kept: None.into() });
    HERE.set(Some(here.clone()));
    let mut hands = Hands::new(here.clone(), home, &mut random);
    for _ in 0..random.below(120) {
        if crowd.closed.load(Ordering::Relaxed) {
            break;
        }
        hands.act(&mut random);
        pump();
    }
    if random.once_in(2) {
        let cookie = crowd.slots[slot].cookie.swap(0, Ordering::SeqCst);
        crowd.revoke(&here.table, cookie);
    }
    drop(here);
    // Three ends: all tidy; pointers that outlive their apartment; no CoUninitialize at all. Calls may be served until then.
    let end = random.below(3);
    let left = match end {
        0 => {
            drop(hands.into_left());
            Vec::new()
        }
        _ => hands.into_left(),
    };
    if end < 2 {
        crowd.watch.during(slot, "CoUninitialize", slot, || unsafe { CoUninitialize() });
    }
    let gone = HERE.take();
    drop(gone);
    left
}
