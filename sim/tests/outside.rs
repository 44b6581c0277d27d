//! What does not belong into a world: threads of the machine that use it, and primitives that block where it cannot see.

use oleander::kernel::Event;
use oleander::windows_core::{BOOL, Interface};
use oleander::*;
use oleander_sim::{Builder, try_replay, world};
use std::process::{Command, Output};
use std::ptr::null_mut;
use std::sync::{Arc, Barrier, Condvar, Mutex, RwLock, mpsc};
use std::time::{Duration, Instant};

/// Set for a process that runs a test once more.
const CHILD: &str = "OLEANDER_SIM_TEST_STALL";

#[test]
fn a_port_that_is_used_outside_is_a_failure_with_advice() {
    fails_with_advice(|| {
        let port = oleander::platform::current().port().clone();
        let answer = std::thread::spawn(move || port.now()).join();
        assert!(answer.is_err(), "the world's clock is not read outside");
    });
}

/// The failure is told, and its token leads to it again.
#[track_caller]
fn fails_with_advice(scenario: impl Fn() + Sync) {
    let checked = Builder::new().workers(1).run(&scenario);
    let words = checked.to_string();
    let failure = checked.failure.expect("somebody outside uses it");
    let again = try_replay(&failure.token.to_string(), &scenario).expect("the token is of this scenario");
    assert_eq!(again.end, failure.report.end);
    assert!(words.contains("on a thread outside it") && words.contains("oleander_sim::thread::spawn"), "{words}");
}

#[test]
fn an_event_that_is_set_outside_is_a_failure_with_advice() {
    fails_with_advice(|| {
        let event = Arc::new(Event::new(&Process::current(), false, false));
        let outside = event.clone();
        std::thread::spawn(move || outside.set()).join().unwrap();
        drop(event);
    });
}

/// A pointer that goes where it must not.
struct Sent(ISynchronize);
// SAFETY: the object is an event behind atomics; that it is used outside its world is what is tested.
unsafe impl Send for Sent {}

/// An object of the world, used by a thread outside.
#[track_caller]
fn hands_out(used: fn(Sent)) {
    fails_with_advice(move || {
        let mut event = None;
        // SAFETY: valid arguments; a counted pointer on success.
        unsafe {
            assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
            let (class, out) = (&CLSID_ManualResetEvent, (&raw mut event).cast());
            assert_eq!(CoCreateInstance(class, null_mut(), CLSCTX_INPROC_SERVER, &ISynchronize::IID, out), S_OK);
        }
        let event = Sent(event.expect("success gives a pointer"));
        std::thread::spawn(move || used(event)).join().unwrap();
        // SAFETY: nothing of the apartment is used any more.
        unsafe { CoUninitialize() };
    });
}

#[test]
fn an_object_that_is_signalled_outside_is_a_failure_with_advice() {
    // SAFETY: a live object. It is not released: that would be seen as well.
    hands_out(|event| unsafe { std::mem::ManuallyDrop::new(event).0.Signal().unwrap() });
}

#[test]
fn an_object_that_is_released_outside_is_a_failure_with_advice() {
    hands_out(drop);
}

/// Runs one of these tests once more in a process of its own, and tells it what.
fn once_more(name: &str, what: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture"]).env(CHILD, what).output().expect("the test runs once more")
}

#[test]
fn a_handle_that_is_used_outside_stands_for_nothing_there() {
    if std::env::var_os(CHILD).is_none() {
        let output = once_more("a_handle_that_is_used_outside_stands_for_nothing_there", "1");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}");
        assert_eq!(words.matches("a handle or window of a simulated world is used outside it").count(), 1, "{words}");
        assert!(words.contains("oleander_sim::thread"), "{words}");
        return;
    }
    let checked = Builder::new().workers(1).run(|| {
        // SAFETY: valid arguments throughout; a number that is no handle or window is refused.
        unsafe {
            let event = CreateEventW(null_mut(), BOOL(0), BOOL(0), null_mut());
            let number = event.0.addr();
            let outside = std::thread::spawn(move || {
                let set = SetEvent(HANDLE(number as *mut _));
                let refused = (set, GetLastError());
                (refused, CloseHandle(HANDLE(number as *mut _)), DestroyWindow(HWND(number as *mut _)))
            });
            assert_eq!(outside.join().unwrap(), ((BOOL(0), ERROR_INVALID_HANDLE), BOOL(0), BOOL(0)));
            assert_eq!(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
            assert!(CloseHandle(event).as_bool());
        }
    });
    assert!(checked.failure.is_none(), "{checked}");
}

/// What of the standard library blocks, each with nobody who ends it.
const BLOCKING: [(&str, fn()); 8] = [
    ("Condvar", || {
        let (lock, changed) = (Mutex::new(()), Condvar::new());
        let _never = changed.wait_while(lock.lock().unwrap(), |()| true);
    }),
    ("Mutex", || {
        static LOCK: Mutex<()> = Mutex::new(());
        std::mem::forget(LOCK.lock());
        // Of a thread that is not the one that has it: fibers share one, and a lock may refuse that.
        std::thread::scope(|scope| _ = scope.spawn(|| drop(LOCK.lock())).join());
    }),
    ("RwLock", || {
        static LOCK: RwLock<()> = RwLock::new(());
        std::mem::forget(LOCK.read());
        std::thread::scope(|scope| _ = scope.spawn(|| drop(LOCK.write())).join());
    }),
    ("mpsc", || {
        let (_sender, receiver) = mpsc::channel::<()>();
        _ = receiver.recv();
    }),
    ("sync_channel", || {
        let (sender, _receiver) = mpsc::sync_channel::<()>(0);
        _ = sender.send(());
    }),
    ("Barrier", || _ = Barrier::new(2).wait()),
    ("join", || _ = std::thread::spawn(park_for_ever).join()),
    ("park", park_for_ever),
];

fn park_for_ever() {
    loop {
        std::thread::park();
    }
}

/// In a process of its own: a check whose worker blocks. Comes back where nothing ends it.
fn blocks(name: &str, builder: &Builder) {
    let (_, block) = BLOCKING.into_iter().find(|it| it.0 == name).expect("a name of the list");
    builder.check(|| world::spawn("worker", block).join().unwrap());
}

fn assert_advises(name: &str, output: &Output, time: &str) {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{name}: {words}");
    assert!(words.contains(&format!("has taken no step for {time}:")), "{name}: {words}");
    assert!(words.contains("oleander_sim::sync") && words.contains("oleander_sim::thread"), "{name}: {words}");
    assert!(words.contains("thread 1 of the world"), "{name}: {words}");
}

#[test]
fn a_scenario_that_blocks_in_std_is_told_what_to_use() {
    let test = "a_scenario_that_blocks_in_std_is_told_what_to_use";
    if let Ok(name) = std::env::var(CHILD) {
        blocks(&name, &Builder::new().stall_max(Duration::from_secs(1)));
        unreachable!("the watch ends the process");
    }
    for (name, _) in BLOCKING {
        assert_advises(name, &once_more(test, name), "1s");
    }
}

#[test]
fn a_step_may_take_five_seconds_where_nobody_says() {
    let test = "a_step_may_take_five_seconds_where_nobody_says";
    if let Ok(name) = std::env::var(CHILD) {
        blocks(&name, &Builder::new());
        unreachable!("the watch ends the process");
    }
    let began = Instant::now();
    assert_advises("join", &once_more(test, "join"), "5s");
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_scenario_that_goes_on_is_left_alone() {
    let checked = Builder::new().stall_max(Duration::MAX).run(|| world::spawn("worker", || ()).join().unwrap());
    assert!(checked.complete && checked.failure.is_none(), "{checked}");
}
