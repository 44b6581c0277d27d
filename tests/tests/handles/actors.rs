//! Threads that make the calls they are told, with the runtime's own functions.

use super::model::{ACTORS, Answer, Model, Op};
use super::told::Told;
use oleander::windows_core::BOOL;
use oleander::*;
use std::ptr::null;
use std::sync::{Arc, Mutex};

/// What the threads share: the handles in the order in which they were given, closed ones too.
type Handles = Arc<Mutex<Vec<usize>>>;

/// A thread that makes the calls it is told: the next call, and whether it may wait without a limit.
type Actor = Told<(Op, bool), Answer>;

fn start(handles: &Handles) -> Actor {
    let handles = handles.clone();
    Told::start(wait, move |(op, may_wait)| call(&op, may_wait, &handles))
}

/// Nothing comes in between: calls that are queued to the thread wait for its own waits.
fn wait(ordered: HANDLE) {
    // SAFETY: a live handle.
    assert_eq!(unsafe { WaitForSingleObject(ordered, INFINITE) }, WAIT_OBJECT_0);
}

fn handle(number: usize) -> HANDLE {
    HANDLE(std::ptr::without_provenance_mut(number))
}

unsafe extern "system" fn on_apc(_: usize) {}

fn answer(value: u32, failure: u32) -> Answer {
    // SAFETY: none to keep.
    if value == failure { Answer::Error(unsafe { GetLastError() }) } else { Answer::Value(value) }
}

fn truth(value: BOOL) -> Answer {
    answer(u32::from(value.as_bool()), 0)
}

/// Makes one call. A handle that is given is kept.
fn call(op: &Op, may_wait: bool, handles: &Handles) -> Answer {
    let ms = if may_wait { INFINITE } else { 0 };
    let of = |which: usize| handle(handles.lock().unwrap().get(which).copied().unwrap_or(0));
    let keep = |new: HANDLE| {
        let given = truth(BOOL::from(!new.is_null()));
        if !new.is_null() {
            handles.lock().unwrap().push(new.0.addr());
        }
        given
    };
    // SAFETY: no names, valid pointers; stale handles are errors.
    unsafe {
        SetLastError(0);
        match op {
            Op::Event { manual, set } => keep(CreateEventW(null(), (*manual).into(), (*set).into(), null())),
            Op::Semaphore { count, max } => keep(CreateSemaphoreW(null(), *count, *max, null())),
            Op::Mutex { owned } => keep(CreateMutexW(null(), (*owned).into(), null())),
            Op::Duplicate(which) => {
                let (mut new, here) = (HANDLE::NULL, GetCurrentProcess());
                let made = DuplicateHandle(here, of(*which), here, &mut new, 0, false.into(), DUPLICATE_SAME_ACCESS);
                assert_eq!(made.as_bool(), !new.is_null());
                keep(new)
            }
            Op::Close(which) => truth(CloseHandle(of(*which))),
            Op::Set(which) => truth(SetEvent(of(*which))),
            Op::Reset(which) => truth(ResetEvent(of(*which))),
            Op::ReleaseSemaphore(which, count) => {
                let mut before = 0;
                let released = truth(ReleaseSemaphore(of(*which), *count, &mut before));
                if released == Answer::Value(1) { Answer::Value(before as u32 + 1) } else { released }
            }
            Op::ReleaseMutex(which) => truth(ReleaseMutex(of(*which))),
            Op::Wait { handles: which, all } => {
                let which: Vec<_> = which.iter().map(|which| of(*which)).collect();
                let (count, first) = (which.len() as u32, which.as_ptr());
                answer(WaitForMultipleObjectsEx(count, first, (*all).into(), ms, true.into()), WAIT_FAILED)
            }
            Op::SignalAndWait(signal, which) => {
                answer(SignalObjectAndWait(of(*signal), of(*which), ms, true.into()), WAIT_FAILED)
            }
            Op::Apc(_) | Op::End => unreachable!("the player does that"),
        }
    }
}

/// Plays calls by threads (taken modulo their number) on the runtime and on the model; the first difference, in words.
pub fn play(ops: &[(usize, Op, bool)]) -> Result<(), String> {
    let handles = Handles::default();
    let mut actors: [Actor; ACTORS] = std::array::from_fn(|_| start(&handles));
    let mut model = Model::default();
    let mut result = Ok(());
    for (at, (who, op, may_wait)) in ops.iter().enumerate() {
        let who = who % ACTORS;
        // A thread that waits makes no calls; only one waits at a time.
        if model.waits() == Some(who) || !model.is_certain(who, op) {
            continue;
        }
        // Nobody can see whether one that signals and waits has signalled yet.
        let is_seen = !matches!(op, Op::SignalAndWait(..));
        let may_wait = *may_wait && is_seen && model.waits().is_none();
        result = step(&mut model, &mut actors, &handles, (who, op, may_wait))
            .map_err(|what| format!("step {at}, {op:?} by {who} of {ops:?}: {what}"));
        if result.is_err() {
            break;
        }
    }
    give_back(&mut model, actors, &handles, result.is_ok());
    result
}

fn step(
    model: &mut Model,
    actors: &mut [Actor; ACTORS],
    handles: &Handles,
    (who, op, may_wait): (usize, &Op, bool),
) -> Result<(), String> {
    if let Some(early) = model.waits().and_then(|waiting| actors[waiting].said()) {
        return Err(format!("a thread that should wait got {early:?}"));
    }
    let expected = model.step(who, op, may_wait);
    match op {
        Op::Apc(other) => {
            // SAFETY: a live thread; the function does nothing.
            assert_ne!(unsafe { QueueUserAPC(Some(on_apc), actors[*other].thread, 0) }, 0);
        }
        Op::End => std::mem::replace(&mut actors[who], start(handles)).end(),
        _ => {
            actors[who].order((op.clone(), may_wait));
            if let Some(answer) = &expected.answer {
                let found = actors[who].answer().map_err(|what| format!("{who} {what} for {answer:?}"))?;
                if !answer.allows(&found) {
                    return Err(format!("{found:?} instead of {answer:?}"));
                }
            }
        }
    }
    if let Some((waited, answer)) = &expected.woken {
        let found = actors[*waited].answer().map_err(|what| format!("{waited} {what} for {answer:?}"))?;
        if !answer.allows(&found) {
            return Err(format!("the wait of {waited} ended with {found:?} instead of {answer:?}"));
        }
    }
    Ok(())
}

/// Lets the thread that waits go, ends all, closes what is open.
fn give_back(model: &mut Model, actors: [Actor; ACTORS], handles: &Handles, as_expected: bool) {
    if let Some(waiting) = model.waits().filter(|_| as_expected) {
        // SAFETY: a live thread; the function does nothing.
        assert_ne!(unsafe { QueueUserAPC(Some(on_apc), actors[waiting].thread, 0) }, 0);
        assert_eq!(actors[waiting].answer(), Ok(Answer::Value(WAIT_IO_COMPLETION)), "nothing else has let it go");
    }
    if as_expected {
        actors.into_iter().for_each(Actor::end);
        assert_eq!(handles.lock().unwrap().len(), model.handles());
        for open in model.open() {
            // SAFETY: a handle that the model says is open.
            assert!(unsafe { CloseHandle(handle(handles.lock().unwrap()[open])) }.as_bool());
        }
        assert_eq!((debug::live_objects(), debug::open_handles()), (0, 0));
    }
}
