//! The lists of a message queue, and which message comes next. No lock, no status bits: the queue has those.

use super::timers::Timers;
use super::{HAS_TIMERS, POSTED, POSTED_DDE, QUIT, SENT, TASKS, TIMER, Task};
use crate::abi::types::{HWND, MSG, WM_DDE_FIRST, WM_QUIT, WM_USER};
use crate::kernel::sent::SentMessage;
use crate::platform;
use std::collections::VecDeque;
use std::sync::Arc;

/// The last message that a modal wait dispatches: one more than the documented range, as measured (CM-01).
const DDE_LAST: u32 = 0x3E9;
/// The message in whose shape a task shows itself to a message loop.
pub(in crate::kernel) const WM_TASK: u32 = WM_USER;

/// Which posted messages a message loop wants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Of this window; `None` is of all windows and none, `Some(null)` is those of no window.
    pub hwnd: Option<HWND>,
    /// Lowest message number.
    pub first: u32,
    /// Highest message number; 0 and 0 is all.
    pub last: u32,
}

impl Filter {
    /// Every message.
    pub const ALL: Self = Self { hwnd: None, first: 0, last: 0 };

    pub(super) fn is_all(&self) -> bool {
        self.hwnd.is_none() && self.takes_every_number()
    }

    fn takes_every_number(&self) -> bool {
        self.first == 0 && self.last == 0
    }

    /// `WM_QUIT` passes every filter (MSG-12).
    pub(super) fn passes(&self, hwnd: HWND, message: u32) -> bool {
        message == WM_QUIT
            || (self.hwnd.is_none_or(|wanted| wanted == hwnd)
                && (self.takes_every_number() || (self.first..=self.last).contains(&message)))
    }
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) next_seq: u64,
    pub(super) posted: VecDeque<(u64, MSG)>,
    pub(super) tasks: VecDeque<(u64, Arc<dyn Task>)>,
    /// Tasks that a message loop has retrieved and not yet dispatched, by the lParam of their messages.
    pub(super) retrieved: Vec<(isize, Arc<dyn Task>)>,
    pub(super) sent: VecDeque<Arc<SentMessage>>,
    pub(super) dde: usize,
    pub(super) quit: Option<i32>,
    pub(super) timers: Timers,
    pub(super) tasks_closed: bool,
    pub(super) closed: bool,
}

impl Inner {
    pub(super) fn seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq
    }

    pub(super) fn remove_posted(&mut self, at: usize) -> (u64, MSG) {
        let (seq, msg) = self.posted.remove(at).expect("found before under the same lock");
        self.dde -= usize::from(is_dde(msg.message));
        (seq, msg)
    }

    pub(super) fn status(&self) -> u32 {
        let bits = [
            (!self.tasks.is_empty(), TASKS),
            (!self.sent.is_empty(), SENT),
            (!self.posted.is_empty(), POSTED),
            (self.dde > 0, POSTED_DDE),
            (self.quit.is_some(), QUIT),
            (self.timers.is_ready(), TIMER),
            (!self.timers.is_empty(), HAS_TIMERS),
        ];
        bits.into_iter().filter(|(on, _)| *on).map(|(_, bit)| bit).sum()
    }

    /// What a message loop with this filter gets next.
    pub(super) fn find(&self, filter: &Filter, com_window: HWND) -> Found {
        let posted = self.posted.iter().position(|(_, msg)| filter.passes(msg.hwnd, msg.message));
        let task = if filter.passes(com_window, WM_TASK) { self.tasks.front() } else { None };
        match (posted, task) {
            (Some(at), Some((seq, _))) if self.posted[at].0 < *seq => Found::Posted(at),
            (_, Some(_)) => Found::Task,
            (Some(at), None) => Found::Posted(at),
            (None, None) => match (self.quit, self.timers.find(filter)) {
                (Some(code), _) => Found::Quit(code),
                (None, Some(at)) => Found::Timer(at),
                (None, None) => Found::Nothing,
            },
        }
    }

    /// Takes, or copies, what [`Inner::find`] finds; with its number, where it was put in with one.
    pub(super) fn next(&mut self, filter: &Filter, remove: bool, com_window: HWND) -> Option<(MSG, Option<u64>)> {
        let numbered = |(seq, msg)| (msg, Some(seq));
        match self.find(filter, com_window) {
            Found::Nothing => None,
            Found::Posted(at) if remove => Some(numbered(self.remove_posted(at))),
            Found::Posted(at) => Some(numbered(self.posted[at])),
            Found::Task => {
                let seq = self.tasks.front()?.0;
                let lparam = seq as isize;
                if remove {
                    let (_, task) = self.tasks.pop_front()?;
                    self.retrieved.push((lparam, task));
                }
                Some((message(com_window, WM_TASK, 0, lparam), Some(seq)))
            }
            Found::Quit(code) => {
                if remove {
                    self.quit = None;
                }
                Some((message(HWND::NULL, WM_QUIT, code as usize, 0), None))
            }
            Found::Timer(at) => Some((self.timers.message(at, remove), None)),
        }
    }

    /// All tasks, those first that were sent.
    pub(super) fn drain_tasks(&mut self) -> Vec<Arc<dyn Task>> {
        let (sent, messages): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.sent).into_iter().partition(|sent| sent.is_task());
        self.sent = messages;
        let sent = sent.into_iter().map(|sent| sent as Arc<dyn Task>);
        let retrieved = self.retrieved.drain(..).map(|(_, task)| task);
        sent.chain(retrieved).chain(self.tasks.drain(..).map(|(_, task)| task)).collect()
    }
}

pub(super) enum Found {
    Nothing,
    Posted(usize),
    Task,
    Quit(i32),
    Timer(usize),
}

/// A message that comes now.
pub fn message(hwnd: HWND, message: u32, wparam: usize, lparam: isize) -> MSG {
    // The tick count wraps after 49 days, as documented.
    let time = (platform::now_ns() / 1_000_000) as u32;
    MSG { hwnd, message, wParam: wparam, lParam: lparam, time, pt: [0, 0] }
}

pub(super) fn is_dde(message: u32) -> bool {
    (WM_DDE_FIRST..=DDE_LAST).contains(&message)
}
