//! Window classes and windows, as far as message loops need them: message-only and hidden windows, whose procedures
//! run on the thread that made them and nowhere else.
//!
//! Both tables belong to the process and are guarded by one lock each, held for look-ups and changes and never while a
//! window procedure runs. A window's record is counted: who has looked it up may go on with it while another thread's
//! look-up already fails. Its fields:
//! - `thread`, `parent`, `class_atom`, `name` and `extra`'s length never change;
//! - `procedure`, `user_data`, `styles` and `extra` may be read and written from every thread of the process, as documented.

use super::MessageQueue;
use super::queue::{PostError, WM_TASK, message as now_message};
use super::sent::{self, Answer, How};
use super::slots::{Slots, tell_of_stray};
use crate::abi::types::{
    HWND, HWND_BROADCAST, HWND_MESSAGE, LPARAM, LRESULT, MSG, WM_DESTROY, WM_NCDESTROY, WM_TIMER, WPARAM,
};
use crate::object::guard;
use crate::platform;
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicIsize, Ordering};

/// A window procedure that is not null.
pub(crate) type Procedure = unsafe extern "system" fn(HWND, u32, WPARAM, LPARAM) -> LRESULT;

/// The class of the window to which an STA's calls are messages (MSG-01).
const COM_CLASS: &str = "OleMainThreadWndClass";
/// The style of a window that is its parent's child; without it the parent is an owner.
const WS_CHILD: i32 = 0x4000_0000;
/// The first class atom, as on Windows.
const ATOM_FIRST: u16 = 0xC000;

/// A registered class.
#[derive(Clone)]
pub(crate) struct Class {
    pub(crate) atom: u16,
    pub(crate) procedure: Procedure,
    pub(crate) extra_bytes: usize,
}

/// A window.
pub(crate) struct Window {
    pub(crate) thread: u32,
    pub(crate) queue: Arc<MessageQueue>,
    class_atom: u16,
    parent: HWND,
    name: Vec<u16>,
    procedure: Mutex<Procedure>,
    pub(crate) user_data: AtomicIsize,
    /// The style and the extended style, which change nothing.
    pub(crate) styles: [AtomicI32; 2],
    pub(crate) extra: Mutex<Box<[u8]>>,
    /// Being destroyed: a second `DestroyWindow` from its own procedure does nothing.
    destroying: AtomicBool,
}

impl Window {
    /// The procedure that messages go to.
    pub(crate) fn procedure(&self) -> Procedure {
        *self.procedure.lock()
    }

    /// Puts another procedure in its place and gives the one before.
    pub(crate) fn set_procedure(&self, procedure: Procedure) -> Procedure {
        std::mem::replace(&mut *self.procedure.lock(), procedure)
    }
}

/// What a window is created with, besides its class.
pub(crate) struct NewWindow {
    pub(crate) parent: HWND,
    pub(crate) name: Vec<u16>,
    pub(crate) styles: [i32; 2],
}

/// What a search for windows wants.
pub(crate) struct WantedWindow {
    pub(crate) parent: HWND,
    pub(crate) after: HWND,
    pub(crate) class: Option<ClassName>,
    pub(crate) name: Option<Vec<u16>>,
}

/// The classes and windows of a process.
pub(crate) struct WindowTable {
    classes: RwLock<Classes>,
    windows: RwLock<Slots<Arc<Window>>>,
    /// Numbers of messages by their names in lower case.
    messages: Mutex<BTreeMap<Vec<u16>, u32>>,
}

struct Classes {
    /// By name in lower case: names are compared without case.
    by_name: BTreeMap<Vec<u16>, Class>,
    atoms: u16,
}

/// How a class is named: by its name, or by the atom that registration gave.
pub(crate) enum ClassName {
    Name(Vec<u16>),
    Atom(u16),
}

impl ClassName {
    fn find<'a>(&self, classes: &'a Classes) -> Option<(&'a Vec<u16>, &'a Class)> {
        match self {
            Self::Name(name) => classes.by_name.get_key_value(&fold_case(name)),
            Self::Atom(atom) => classes.by_name.iter().find(|(_, class)| class.atom == *atom),
        }
    }
}

/// Names of classes are compared as if all letters of ASCII were small.
fn fold_case(name: &[u16]) -> Vec<u16> {
    name.iter().map(|&c| if (65..=90).contains(&c) { c + 32 } else { c }).collect()
}

/// Why a window function refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    ClassExists,
    NoSuchClass,
    ClassHasWindows,
    TooMany,
    NoSuchWindow,
    WrongThread,
}

impl WindowTable {
    pub(crate) fn new(in_world: bool) -> Self {
        let com = Class { atom: ATOM_FIRST, procedure: com_procedure, extra_bytes: 0 };
        let mut by_name = BTreeMap::new();
        by_name.insert(COM_CLASS.bytes().map(|c| u16::from(c.to_ascii_lowercase())).collect(), com);
        Self {
            classes: RwLock::new(Classes { by_name, atoms: 1 }),
            windows: RwLock::new(Slots::new(in_world)),
            messages: Mutex::default(),
        }
    }

    /// Registers a class and gives its atom.
    pub(crate) fn register(&self, name: &[u16], procedure: Procedure, extra_bytes: usize) -> Result<u16, Refusal> {
        let name = fold_case(name);
        let mut classes = self.classes.write();
        if classes.by_name.contains_key(&name) {
            return Err(Refusal::ClassExists);
        }
        if classes.atoms == u16::MAX - ATOM_FIRST {
            return Err(Refusal::TooMany);
        }
        let atom = ATOM_FIRST + classes.atoms;
        classes.atoms += 1;
        classes.by_name.insert(name, Class { atom, procedure, extra_bytes });
        Ok(atom)
    }

    /// Forgets a class that no window is of.
    pub(crate) fn unregister(&self, name: &ClassName) -> Result<(), Refusal> {
        let mut classes = self.classes.write();
        let (key, atom) = match name.find(&classes) {
            Some((key, class)) => (key.clone(), class.atom),
            None => return Err(Refusal::NoSuchClass),
        };
        if self.windows.read().numbers().any(|(_, window)| window.class_atom == atom) {
            return Err(Refusal::ClassHasWindows);
        }
        classes.by_name.remove(&key);
        Ok(())
    }

    /// Makes a window of the current thread. It gets no message yet.
    pub(crate) fn create(&self, class: &ClassName, made: NewWindow) -> Result<HWND, Refusal> {
        // The queue first: making it may be a step, and no lock is held across one.
        let queue = super::queue();
        let classes = self.classes.read();
        let (_, class) = class.find(&classes).ok_or(Refusal::NoSuchClass)?;
        let window = Window {
            thread: queue.thread_id(),
            queue,
            class_atom: class.atom,
            parent: made.parent,
            name: made.name,
            procedure: Mutex::new(class.procedure),
            user_data: AtomicIsize::new(0),
            styles: made.styles.map(AtomicI32::new),
            extra: Mutex::new(vec![0; class.extra_bytes].into()),
            destroying: AtomicBool::new(false),
        };
        let inserted = self.windows.write().insert(Arc::new(window));
        inserted.map(to_hwnd).map_err(|_| Refusal::TooMany)
    }

    /// The window that a handle stands for.
    pub(crate) fn get(&self, hwnd: HWND) -> Option<Arc<Window>> {
        let found = self.windows.read().get(hwnd.0.addr()).cloned();
        found.or_else(|| {
            if self.windows.read().is_stray(hwnd.0.addr()) {
                tell_of_stray();
            }
            None
        })
    }

    /// Takes a window out of the table without telling it.
    pub(crate) fn remove(&self, hwnd: HWND) -> Option<Arc<Window>> {
        self.windows.write().remove(hwnd.0.addr())
    }

    /// The first window of a parent that comes after one of its others and has the class and the name, where asked for. Windows
    /// come in the order of their places in the table.
    pub(crate) fn find(&self, wanted: &WantedWindow) -> Option<HWND> {
        let atom = match &wanted.class {
            Some(class) => Some(class.find(&self.classes.read())?.1.atom),
            None => None,
        };
        let windows = self.windows.read();
        let mut siblings = windows.numbers().filter(|(_, window)| window.parent == wanted.parent);
        if !wanted.after.is_null() {
            siblings.by_ref().find(|(number, _)| *number == wanted.after.0.addr())?;
        }
        let has_name =
            |window: &Window| wanted.name.as_ref().is_none_or(|name| fold_case(name) == fold_case(&window.name));
        let mut fitting = siblings.filter(|(_, window)| atom.is_none_or(|atom| atom == window.class_atom));
        fitting.find(|(_, window)| has_name(window)).map(|(number, _)| to_hwnd(number))
    }

    /// The number of a message with a name, the same for the name each time; `None` when there are too many.
    pub(crate) fn message_named(&self, name: &[u16]) -> Option<u32> {
        let mut messages = self.messages.lock();
        let next = u32::from(ATOM_FIRST) + u32::try_from(messages.len()).ok()?;
        let name = fold_case(name);
        if let Some(number) = messages.get(&name) {
            return Some(*number);
        }
        if next > u32::from(u16::MAX) {
            return None;
        }
        messages.insert(name, next);
        Some(next)
    }

    fn numbers(&self, wanted: impl Fn(&Window) -> bool) -> Vec<HWND> {
        let windows = self.windows.read();
        windows.numbers().filter(|(_, window)| wanted(window)).map(|(number, _)| to_hwnd(number)).collect()
    }

    /// A thread ends: its windows go, and their procedures are not called, for there is no thread to run them.
    pub(super) fn end_thread(&self, thread: u32) {
        let mut gone = Vec::new();
        {
            let mut windows = self.windows.write();
            let of_thread = windows.numbers().filter(|(_, window)| window.thread == thread);
            let numbers: Vec<usize> = of_thread.map(|(number, _)| number).collect();
            gone.extend(numbers.into_iter().filter_map(|number| windows.remove(number)));
        }
        drop(gone);
    }
}

fn to_hwnd(number: usize) -> HWND {
    HWND(std::ptr::without_provenance_mut(number))
}

/// The hidden COM window of the current thread.
pub(super) fn new_com_window() -> HWND {
    let thread = platform::current();
    // Only a full table refuses; then tasks show themselves as messages of no window, and are run all the same.
    let made = NewWindow { parent: HWND_MESSAGE, name: Vec::new(), styles: [0; 2] };
    thread.process().windows.create(&ClassName::Atom(ATOM_FIRST), made).unwrap_or(HWND::NULL)
}

/// The procedure of the COM window: runs the task that the message stands for.
unsafe extern "system" fn com_procedure(_hwnd: HWND, message: u32, _wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    guard::call(|| {
        if message == WM_TASK {
            super::queue().dispatch_task(lparam);
        }
        0
    })
}

/// Calls a window's procedure, if the window is there and belongs to the current thread.
pub(crate) fn call(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> Option<LRESULT> {
    let procedure = platform::with_current(|thread| {
        let window = thread.process().windows.get(hwnd)?;
        (window.thread == thread.id()).then(|| window.procedure())
    })?;
    // SAFETY: whoever registered the class or set the procedure vouches for it; it runs on the window's own thread.
    Some(unsafe { procedure(hwnd, message, wparam, lparam) })
}

/// Has a message handled: by a direct call on the window's own thread, else by sending it there and waiting. A broadcast goes
/// to one top-level window after the other, and says nothing of what became of it there.
pub(crate) fn send(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM, how: How) -> Answer {
    if hwnd != HWND_BROADCAST {
        return send_to(hwnd, message, wparam, lparam, how);
    }
    for window in top_level() {
        let _ = send_to(window, message, wparam, lparam, how);
    }
    Answer::Handled(1)
}

/// The windows of the process that are nobody's children; message-only windows are none of them.
fn top_level() -> Vec<HWND> {
    let is_child = |window: &Window| window.styles[0].load(Ordering::Relaxed) & WS_CHILD != 0;
    let is_top = |window: &Window| window.parent.is_null() || (window.parent != HWND_MESSAGE && !is_child(window));
    platform::current().process().windows.numbers(|window| is_top(window))
}

fn send_to(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM, how: How) -> Answer {
    let thread = platform::current();
    let Some(window) = thread.process().windows.get(hwnd) else { return Answer::Ended };
    if window.thread == thread.id() {
        return call(hwnd, message, wparam, lparam).map_or(Answer::Ended, Answer::Handled);
    }
    sent::send(&window.queue, (hwnd, message, wparam, lparam), how)
}

/// Puts a message for a window into its thread's queue; a broadcast into those of all top-level windows that take it.
pub(crate) fn post(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> Result<(), PostError> {
    if hwnd != HWND_BROADCAST {
        return post_to(hwnd, message, wparam, lparam);
    }
    for window in top_level() {
        // A queue that is full, or a window that has gone meanwhile, misses it.
        let _ = post_to(window, message, wparam, lparam);
    }
    Ok(())
}

fn post_to(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> Result<(), PostError> {
    let thread = platform::current();
    let windows = &thread.process().windows;
    let window = windows.get(hwnd).ok_or(PostError::Ended)?;
    window.queue.post(now_message(hwnd, message, wparam, lparam))
}

/// What `DispatchMessage` does: has a message that was retrieved handled by its window, if that is one of the current
/// thread's. A timer's message calls its procedure instead, if it names that of a timer that is set still. No lock is held
/// meanwhile.
pub fn dispatch(msg: &MSG) -> LRESULT {
    if msg.message == WM_TIMER && msg.lParam != 0 {
        if let Some(procedure) = super::queue().timer_procedure(msg.lParam) {
            let time = (platform::now_ns() / 1_000_000) as u32;
            // SAFETY: whoever set the timer vouches for its procedure, which runs on the thread that set it.
            unsafe { procedure(msg.hwnd, WM_TIMER, msg.wParam, time) };
        }
        return 0;
    }
    if msg.hwnd.is_null() {
        return 0;
    }
    call(msg.hwnd, msg.message, msg.wParam, msg.lParam).unwrap_or(0)
}

/// Destroys a window of the current thread, its children before it is gone itself.
pub(crate) fn destroy(hwnd: HWND) -> Result<(), Refusal> {
    let thread = platform::current();
    let windows = &thread.process().windows;
    let window = windows.get(hwnd).ok_or(Refusal::NoSuchWindow)?;
    if window.thread != thread.id() {
        return Err(Refusal::WrongThread);
    }
    if window.destroying.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    call(hwnd, WM_DESTROY, 0, 0);
    for child in windows.numbers(|window| window.parent == hwnd) {
        // A child of another thread stays: only that thread can destroy it.
        let _ = destroy(child);
    }
    call(hwnd, WM_NCDESTROY, 0, 0);
    drop(window);
    discard(hwnd);
    Ok(())
}

/// A window of the current thread is gone, with its posted messages and its timers.
pub(crate) fn discard(hwnd: HWND) {
    let gone = platform::current().process().windows.remove(hwnd);
    if let Some(window) = gone {
        window.queue.forget_window(hwnd);
    }
}
