//! What does not belong into a world: threads of the machine that use it, and primitives that block where it cannot see.

use oleander::kernel::Event;
use oleander::windows_core::{BOOL, Interface};
use oleander::*;
use oleander_sim::{Builder, Checked, world};
use std::process::{Command, Output};
use std::ptr::null_mut;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Set for a process that runs a test once more.
const CHILD: &str = "OLEANDER_SIM_TEST_STALL";

#[test]
fn a_port_that_is_used_outside_is_a_failure_with_advice() {
    let checked = Builder::new().workers(1).run(|| {
        let port = oleander::platform::current().port().clone();
        let answer = std::thread::spawn(move || port.now()).join();
        assert!(answer.is_err(), "the world's clock is not read outside");
    });
    assert_says_outside(&checked);
}

fn assert_says_outside(checked: &Checked) {
    let words = checked.to_string();
    assert!(checked.failure.is_some(), "{words}");
    assert!(words.contains("on a thread outside it") && words.contains("oleander_sim::thread::spawn"), "{words}");
}

#[test]
fn an_event_that_is_set_outside_is_a_failure_with_advice() {
    let checked = Builder::new().workers(1).run(|| {
        let event = Arc::new(Event::new(&Process::current(), false, false));
        let outside = event.clone();
        std::thread::spawn(move || outside.set()).join().unwrap();
        drop(event);
    });
    assert_says_outside(&checked);
}

/// A pointer that goes where it must not.
struct Sent(ISynchronize);
// SAFETY: the object is an event behind atomics; that it is used outside its world is what is tested.
unsafe impl Send for Sent {}

/// An object of the world, used by a thread outside.
fn hands_out(used: fn(Sent)) -> Checked {
    Builder::new().workers(1).run(move || {
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
    })
}

#[test]
fn an_object_that_is_signalled_outside_is_a_failure_with_advice() {
    // SAFETY: a live object. It is not released: that would be seen as well.
    let checked = hands_out(|event| unsafe { std::mem::ManuallyDrop::new(event).0.Signal().unwrap() });
    assert_says_outside(&checked);
}

#[test]
fn an_object_that_is_released_outside_is_a_failure_with_advice() {
    assert_says_outside(&hands_out(drop));
}

/// Runs one of these tests once more in a process of its own.
fn once_more(name: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact", "--nocapture"]).env(CHILD, "1").output().expect("the test runs once more")
}

#[test]
fn a_handle_that_is_used_outside_stands_for_nothing_there() {
    if std::env::var_os(CHILD).is_none() {
        let output = once_more("a_handle_that_is_used_outside_stands_for_nothing_there");
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

#[test]
fn a_scenario_that_blocks_in_std_is_told_what_to_use() {
    if std::env::var_os(CHILD).is_some() {
        Builder::new().stall_max(Duration::from_millis(200)).check(|| {
            let worker = world::spawn("worker", || {
                let (lock, changed) = (Mutex::new(()), Condvar::new());
                // Nobody ever notifies it.
                let _never = changed.wait_while(lock.lock().unwrap(), |()| true);
            });
            worker.join().unwrap();
        });
        unreachable!("the watch ends the process");
    }
    let output = once_more("a_scenario_that_blocks_in_std_is_told_what_to_use");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{words}");
    assert!(words.contains("has taken no step for 200ms"), "{words}");
    assert!(words.contains("oleander_sim::sync") && words.contains("oleander_sim::thread"), "{words}");
    assert!(words.contains("thread 1 of the world"), "{words}");
}

#[test]
fn a_scenario_that_goes_on_is_left_alone() {
    let checked = Builder::new().stall_max(Duration::MAX).run(|| world::spawn("worker", || ()).join().unwrap());
    assert!(checked.complete && checked.failure.is_none(), "{checked}");
}
