//! A crowd: 64 STAs that call each other at random, and eight host threads of the MTA that call them. Calls are synchronous,
//! asynchronous, nested, re-entrant, cancelled from inside and outside; methods panic; objects are released, disconnected and
//! handed on at any moment; apartments end with calls queued, with pointers in hand, or without a word, and others take their
//! places.
//!
//! Nothing crashes, nothing hangs, nothing leaks, and every HRESULT is one that a fact allows (`watch.rs`). The choices are
//! seeded (`OLEANDER_STRESS_SEED`), the order of the threads is not. It runs for some seconds, or for
//! `OLEANDER_STRESS_SECONDS`. `sim/tests/crowd.rs` has a smaller crowd of the same members in the simulator.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "../common/rooms.rs"]
mod rooms;

mod life;
mod member;
mod random;
mod watch;

use life::{Crowd, Home, live};
use oleander::{COINIT_MULTITHREADED, CoInitializeEx, CoUninitialize, Process, S_OK, kernel, platform};
use random::Random;
use rooms::moves::{LOOK, Patience};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread_local;
use std::time::{Duration, Instant};
use watch::Watch;

/// How many apartments live at once.
const CROWD: usize = 64;
/// How many threads of the MTA call them; their slots come behind.
const GUESTS: usize = 8;
/// More pointers than this, which have outlived their apartments, are released while others live.
const LEFT_MAX: usize = 1000;

fn setting(name: &str, or: u64) -> u64 {
    std::env::var(name).map_or(or, |said| said.parse().expect(name))
}

/// Starts a thread of the crowd's process. What it says at its end comes after the exits of the thread.
fn start<R: Send + 'static>(
    process: &Arc<Process>,
    name: String,
    ends: &mpsc::Sender<(usize, std::thread::Result<R>)>,
    slot: usize,
    body: impl FnOnce() -> R + Send + 'static,
) {
    let (said, hears) = mpsc::channel();
    let spawned = kernel::spawn_in(process, name, false, move || {
        said.send(catch_unwind(AssertUnwindSafe(body))).ok();
    });
    let ends = ends.clone();
    std::thread::spawn(move || {
        let said = hears.recv().expect("the body ran");
        spawned.ended.wait(platform::Deadline::NEVER, platform::Why::Wait);
        ends.send((slot, said)).ok();
    });
}

/// The next end, or a panic that names who waits for whom.
fn next_end<R>(ends: &mpsc::Receiver<(usize, std::thread::Result<R>)>, watch: &Watch) -> (usize, R) {
    let mut patience = Patience::new(watch.moves());
    loop {
        match ends.recv_timeout(LOOK) {
            Ok((slot, Ok(said))) => return (slot, said),
            Ok((_, Err(panic))) => resume_unwind(panic),
            Err(_) => assert!(!patience.is_over(watch.moves()), "hangs:\n{}", watch.who_waits_for_whom()),
        }
    }
}

/// What a thread without an apartment says at its end.
fn on_a_thread_of<R: Send + 'static>(
    process: &Arc<Process>,
    name: &str,
    watch: &Watch,
    body: impl FnOnce() -> R + Send + 'static,
) -> R {
    let (tell, ends) = mpsc::channel();
    start(process, name.to_owned(), &tell, 0, body);
    next_end(&ends, watch).1
}

/// A thread of the MTA that stays for as long as there are members. The interface table is emptied when the last apartment
/// ends: all members may have ended, and none of the next begun yet.
struct Keeper {
    leave: mpsc::Sender<()>,
    ends: mpsc::Receiver<(usize, std::thread::Result<()>)>,
}

impl Keeper {
    fn start(process: &Arc<Process>) -> Self {
        let ((leave, told), (entered, is_there)) = (mpsc::channel(), mpsc::channel());
        let (tell, ends) = mpsc::channel();
        start(process, "keeper".to_owned(), &tell, 0, move || {
            assert_eq!(unsafe { CoInitializeEx(null_mut(), COINIT_MULTITHREADED) }, S_OK);
            entered.send(()).expect("somebody waits");
            told.recv().ok();
            unsafe { CoUninitialize() };
        });
        is_there.recv().expect("the keeper enters");
        Self { leave, ends }
    }

    fn leave(self, watch: &Watch) {
        self.leave.send(()).expect("it is there");
        next_end(&self.ends, watch);
    }
}

#[test]
fn a_crowd_of_apartments_calls_each_other_and_ends_at_any_moment() {
    let seed = setting("OLEANDER_STRESS_SEED", 1);
    let time = Duration::from_secs(setting("OLEANDER_STRESS_SECONDS", 5));
    println!("OLEANDER_STRESS_SEED={seed} OLEANDER_STRESS_SECONDS={}", time.as_secs());
    let process = Process::new(platform::host());
    let keeper = Keeper::start(&process);
    let crowd = Arc::new(Crowd::new(CROWD + GUESTS));
    let (tell, ends) = mpsc::channel();
    let mut random = Random::new(seed);
    let mut spawn = |slot: usize| {
        let (crowd, seed) = (crowd.clone(), random.below(usize::MAX) as u64);
        let home = if slot < CROWD { Home::Own } else { Home::Guest };
        start(&process, format!("member {slot}"), &tell, slot, move || live(&crowd, home, slot, seed));
    };
    (0..CROWD + GUESTS).for_each(&mut spawn);
    let began = Instant::now();
    let (mut alive, mut left) = (CROWD + GUESTS, Vec::new());
    let mut lives = [CROWD, GUESTS];
    while alive > 0 {
        let (slot, outlived) = next_end(&ends, &crowd.watch);
        left.extend(outlived);
        if left.len() > LEFT_MAX {
            let left = std::mem::take(&mut left);
            on_a_thread_of(&process, "sweeper", &crowd.watch, move || drop(left));
        }
        if began.elapsed() < time {
            spawn(slot);
            lives[usize::from(slot >= CROWD)] += 1;
        } else {
            crowd.close();
            alive -= 1;
        }
    }
    keeper.leave(&crowd.watch);
    let own = crowd.clone();
    let handles = on_a_thread_of(&process, "last", &crowd.watch, move || {
        drop(left);
        own.clear();
        drop(own);
        rooms::no_object_lives();
        oleander::debug::open_handles()
    });
    println!("{} apartments, {} guests of the MTA\n{}", lives[0], lives[1], crowd.watch.report());
    assert_eq!(handles, 0, "handles left open");
    assert_eq!(crowd.objects.load(Ordering::SeqCst), 0, "objects of the crowd leaked");
    assert!(lives[0] > CROWD, "some ended while others went on");
}
