//! What the crowd's members are doing, and what they heard: the list of answers that facts allow, how often each was
//! given, and, when nothing moves, who waits for whom.
//!
//! Each member writes its own row; the watchdog reads them all. No lock is held while anything is called.

use oleander::windows_core::HRESULT;
use oleander::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Every answer that may be heard while anything may end at any moment, and the facts that allow it. A test of the contract
/// sees to it that these are there.
const ALLOWED: [(HRESULT, &str, &str); 14] = [
    (S_OK, "S_OK", "CALL-16"),
    (E_ABORT, "E_ABORT", "MA-41"),
    (E_NOINTERFACE, "E_NOINTERFACE", "CALL-03, PX-05, CXL-37"),
    (E_INVALIDARG, "E_INVALIDARG", "MRSH-25"),
    (CO_E_OBJNOTCONNECTED, "CO_E_OBJNOTCONNECTED", "MRSH-06, APT-22"),
    (CO_E_OBJNOTREG, "CO_E_OBJNOTREG", "RUL-40"),
    (RPC_E_DISCONNECTED, "RPC_E_DISCONNECTED", "RUL-03, RUL-21, MRSH-08"),
    (RPC_S_UNKNOWN_IF_HR, "RPC_S_UNKNOWN_IF", "RUL-05"),
    (RPC_S_CALL_CANCELLED_HR, "RPC_S_CALL_CANCELLED", "CXL-07, CXL-40"),
    (RPC_E_CALL_COMPLETE, "RPC_E_CALL_COMPLETE", "CXL-04"),
    (RPC_E_CALL_CANCELED, "RPC_E_CALL_CANCELED", "CXL-05"),
    (RPC_E_SERVERFAULT, "RPC_E_SERVERFAULT", "RUL-22"),
    (CO_E_CANCEL_DISABLED, "CO_E_CANCEL_DISABLED", "CXL-38"),
    (RPC_S_CALLPENDING, "RPC_S_CALLPENDING", "WAIT-08"),
];

/// What a member is doing, and with whom.
struct Doing {
    what: &'static str,
    whom: usize,
}

pub struct Watch {
    doing: Vec<Mutex<Vec<Doing>>>,
    heard: Mutex<BTreeMap<(&'static str, i32), u64>>,
    moves: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Watch {
    pub fn new(members: usize) -> Self {
        let doing = std::iter::repeat_with(Mutex::default).take(members).collect();
        Self { doing, heard: Mutex::default(), moves: AtomicU64::new(0) }
    }

    /// Something that `who` does with `whom`: its answer must be among `also` and what every call may say.
    pub fn ask(&self, who: usize, what: &'static str, whom: usize, also: &[HRESULT], f: impl FnOnce() -> HRESULT) {
        self.heard(what, also, self.during(who, what, whom, f));
    }

    /// Something that `who` does with `whom`.
    pub fn during<R>(&self, who: usize, what: &'static str, whom: usize, f: impl FnOnce() -> R) -> R {
        lock(&self.doing[who]).push(Doing { what, whom });
        let said = f();
        lock(&self.doing[who]).pop();
        self.moves.fetch_add(1, Ordering::Relaxed);
        said
    }

    /// An answer.
    pub fn heard(&self, what: &'static str, also: &[HRESULT], hr: HRESULT) {
        const ENDS: [HRESULT; 6] = [
            S_OK,
            RPC_E_DISCONNECTED,
            RPC_S_UNKNOWN_IF_HR,
            CO_E_OBJNOTCONNECTED,
            CO_E_OBJNOTREG,
            RPC_S_CALL_CANCELLED_HR,
        ];
        assert!(ENDS.contains(&hr) || also.contains(&hr), "{what}: {hr}");
        assert!(ALLOWED.iter().any(|(code, ..)| *code == hr), "{what}: no fact allows {hr}");
        *lock(&self.heard).entry((what, hr.0)).or_default() += 1;
    }

    /// Adds what another has heard.
    pub fn add(&self, other: &Self) {
        let other = std::mem::take(&mut *lock(&other.heard));
        let mut heard = lock(&self.heard);
        other.into_iter().for_each(|(answer, times)| *heard.entry(answer).or_default() += times);
    }

    /// Grows while anything moves.
    pub fn moves(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }

    pub fn who_waits_for_whom(&self) -> String {
        let mut text = String::new();
        for (who, row) in self.doing.iter().enumerate() {
            let row = lock(row);
            if row.is_empty() {
                continue;
            }
            let stack: Vec<_> = row.iter().map(|doing| format!("{} of {}", doing.what, doing.whom)).collect();
            writeln!(text, "{who}: {}", stack.join(", within it ")).unwrap();
        }
        text
    }

    /// How often each answer was heard, and the facts that allow it.
    pub fn report(&self) -> String {
        let mut text = String::new();
        for ((what, code), times) in lock(&self.heard).iter() {
            let (_, name, facts) = ALLOWED.iter().find(|(hr, ..)| hr.0 == *code).expect("it was checked");
            writeln!(text, "{times:>9}  {what}: {name} ({facts})").unwrap();
        }
        text
    }
}

#[test]
fn a_hang_is_named() {
    let watch = Watch::new(4);
    let inner = watch.during(2, "Nest", 3, || watch.during(2, "Finish_", 1, || watch.who_waits_for_whom()));
    assert_eq!(inner, "2: Nest of 3, within it Finish_ of 1\n");
    assert_eq!((watch.who_waits_for_whom(), watch.moves()), (String::new(), 2));
}

#[test]
fn answers_add_up() {
    let (watch, other) = (Watch::new(1), Watch::new(1));
    watch.heard("Nest", &[], S_OK);
    other.heard("Nest", &[], S_OK);
    other.heard("Nest", &[E_ABORT], E_ABORT);
    watch.add(&other);
    assert_eq!(watch.report(), "        1  Nest: E_ABORT (MA-41)\n        2  Nest: S_OK (CALL-16)\n");
}
