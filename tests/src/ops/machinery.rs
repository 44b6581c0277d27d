//! What is no function of COM: gates, the log, what methods of test objects return.

use super::{Operation, give, op};
use crate::objects::Player;
use oleander::windows_core::IUnknown;
use oleander::*;
use std::ffi::c_void;

/// # Safety
/// `data` is the address of a box that nobody else has.
unsafe extern "system" fn run_apc(data: usize) {
    // SAFETY: the caller's promise.
    let call = unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut::<(Player, u32)>(data)) };
    call.0.method("Run", Some(call.1));
}

/// # Safety
/// `data` is a box that nobody else has.
unsafe extern "system" fn run_work_item(data: *mut c_void) -> u32 {
    // SAFETY: the caller's promise.
    let player = unsafe { Box::from_raw(data.cast::<Player>()) };
    player.method("Run", None);
    0
}

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op("wait", "gate", "", "waits for a gate without dispatching anything", |c| {
        // SAFETY: a handle is a number.
        match unsafe { WaitForSingleObject(c.get(0)?, INFINITE) } {
            WAIT_OBJECT_0 => give![],
            other => Err(format!("the wait gave {other}")),
        }
    }),
    op("open", "gate", "BOOL", "opens a gate", |c| {
        // SAFETY: a handle is a number.
        let done = unsafe { SetEvent(c.get(0)?) };
        give![done]
    }),
    op("say", "what:text", "", "writes a text into the log", |c| {
        c.stage.say(c.get::<String>(0)?);
        give![]
    }),
    op("return", "value", "", "in a method: what it returns", |c| {
        let value = c.get(0)?;
        c.inside(|inside| inside.returns = Some(value));
        give![]
    }),
    op("panic", "", "", "in a method: panics", |c| c.panic()),
    op("equal", "a b", "BOOL", "whether two values are the same", |c| {
        give![c.get::<crate::run::Value>(0)? == c.get(1)?]
    }),
    op("leak", "handle", "BOOL", "duplicates a handle that nobody closes: for tests of the engine", |c| {
        let mut second = HANDLE::NULL;
        // SAFETY: a valid pointer; handles are numbers.
        let done = unsafe {
            let process = GetCurrentProcess();
            DuplicateHandle(process, c.get(0)?, process, &mut second, 0, false.into(), DUPLICATE_SAME_ACCESS)
        };
        give![done]
    }),
    op("leak.object", "object", "", "counts a reference that nobody gives back: for tests of the engine", |c| {
        std::mem::forget(c.exact::<IUnknown>(0)?);
        give![]
    }),
    op("exit", "code", "", "ends the process, in mid-row: for tests of the engine", |c| {
        std::process::exit(c.get::<u32>(0)?.cast_signed())
    }),
    op("abandon", "", "", "the actor's thread will end as it is: nothing given back, no CoUninitialize", |c| {
        c.stage.abandon(c.owner);
        give![]
    }),
    op("QueueUserAPC", "thread n", "BOOL", "queues a procedure to an actor's thread; it logs `apc.Run(n)`", |c| {
        let player = Player { stage: c.stage.clone(), owner: c.owner.to_owned(), name: "apc".to_owned() };
        let call: Box<(Player, u32)> = Box::new((player, c.get(1)?));
        let raw = Box::into_raw(call);
        // SAFETY: the procedure takes the box, once; the handle is closed once.
        unsafe {
            let thread = OpenThread(0x10, false.into(), c.get(0)?);
            let queued = QueueUserAPC(Some(run_apc), thread, raw.expose_provenance());
            let _ = CloseHandle(thread);
            if queued == 0 {
                drop(Box::from_raw(raw));
            }
            give![queued != 0]
        }
    }),
    op("QueueUserWorkItem", "", "BOOL item", "has a work item run that logs `name.Run`", |c| {
        let raw = Box::into_raw(Box::new(Player::of(c)));
        // SAFETY: the function takes the box, once.
        let done = unsafe { QueueUserWorkItem(Some(run_work_item), raw.cast(), WT_EXECUTEDEFAULT) };
        if !done.as_bool() {
            // SAFETY: nobody has it.
            drop(unsafe { Box::from_raw(raw) });
        }
        give![done, c.name()]
    }),
    op("GetCurrentThreadId", "", "thread", "the thread; an actor's name stands for its thread", |_| {
        // SAFETY: no pointers.
        give![unsafe { GetCurrentThreadId() }]
    }),
    op("Sleep", "ms", "", "sleeps", |c| {
        // SAFETY: no pointers.
        unsafe { Sleep(c.get(0)?) };
        give![]
    }),
    op("SetLastError", "error", "", "sets the thread's last error", |c| {
        // SAFETY: no pointers.
        unsafe { SetLastError(c.get(0)?) };
        give![]
    }),
    op("GetLastError", "", "error:ERROR_", "the thread's last error", |_| {
        // SAFETY: no pointers.
        give![unsafe { GetLastError() }]
    }),
];
