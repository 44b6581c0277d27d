//! Channels with many senders and one receiver. One that is made in a world is the world's, any other the standard
//! library's.
//!
//! In a world a channel is a queue as a message queue is one: sending and receiving commute but for the message that is
//! received.

use crate::thread::deadline_after;
use oleander::platform::{self, Access, Deadline, Object, ObjectKind, Why};
use oleander::process::Process;
use std::collections::VecDeque;
use std::sync::mpsc as host;
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A channel without a bound.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    if platform::is_simulated() {
        let queue = Queue::new(None);
        return (Sender(End::World(SendEnd(queue.clone()))), Receiver(Take::World(queue)));
    }
    let (sender, receiver) = host::channel();
    (Sender(End::Host(sender)), Receiver(Take::Host(receiver)))
}

/// A channel for at most so many messages that are sent and not received; at least one in a world, where nobody meets
/// anybody without a place between them.
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    if platform::is_simulated() {
        let queue = Queue::new(Some(bound.max(1)));
        return (SyncSender(End::World(SendEnd(queue.clone()))), Receiver(Take::World(queue)));
    }
    let (sender, receiver) = host::sync_channel(bound);
    (SyncSender(End::Host(sender)), Receiver(Take::Host(receiver)))
}

struct Queue<T> {
    object: Object,
    bound: Option<usize>,
    state: Mutex<State<T>>,
}

struct State<T> {
    messages: VecDeque<(Object, T)>,
    senders: usize,
    receiver: bool,
}

impl<T> Queue<T> {
    fn new(bound: Option<usize>) -> Arc<Self> {
        let state = State { messages: VecDeque::new(), senders: 1, receiver: true };
        // Where there is a bound, whether there is room depends on what was received.
        let kind = if bound.is_some() { ObjectKind::User } else { ObjectKind::Queue };
        Arc::new(Self { object: Process::current().new_object(kind), bound, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in, once there is room.
    fn send(&self, message: T) -> Result<(), SendError<T>> {
        if let Some(bound) = self.bound {
            let room = || {
                let state = self.lock();
                state.messages.len() < bound || !state.receiver
            };
            platform::block(&[self.object], &room, Deadline::NEVER, Why::Wait);
        } else {
            platform::visit(self.object, Access::Post);
        }
        let mut state = self.lock();
        if !state.receiver {
            return Err(SendError(message));
        }
        let number = Process::current().new_object(ObjectKind::Message);
        state.messages.push_back((number, message));
        drop(state);
        platform::note(number, Access::Write);
        Ok(())
    }

    /// Takes a message out of a queue of which the current step has looked at.
    fn take(&self) -> Option<T> {
        let (number, message) = self.lock().messages.pop_front()?;
        platform::note(number, Access::Write);
        Some(message)
    }

    fn receive(&self, deadline: Deadline) -> Result<T, RecvTimeoutError> {
        let ready = || {
            let state = self.lock();
            !state.messages.is_empty() || state.senders == 0
        };
        platform::block(&[self.object], &ready, deadline, Why::Wait);
        let over = || if self.lock().senders == 0 { RecvTimeoutError::Disconnected } else { RecvTimeoutError::Timeout };
        self.take().ok_or_else(over)
    }

    /// A look that does not wait. It is a change: whether something is there decides what comes of it.
    fn try_receive(&self) -> Result<T, TryRecvError> {
        platform::visit(self.object, Access::Write);
        let over = || if self.lock().senders == 0 { TryRecvError::Disconnected } else { TryRecvError::Empty };
        self.take().ok_or_else(over)
    }

    fn leave(&self, change: impl FnOnce(&mut State<T>)) {
        platform::visit(self.object, Access::Write);
        change(&mut self.lock());
    }
}

/// A sender's end in a world.
struct SendEnd<T>(Arc<Queue<T>>);

impl<T> Clone for SendEnd<T> {
    /// No step: as long as there is a sender, nobody sees how many there are.
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(self.0.clone())
    }
}

impl<T> Drop for SendEnd<T> {
    fn drop(&mut self) {
        self.0.leave(|state| state.senders -= 1);
    }
}

#[derive(Clone)]
enum End<H, T> {
    Host(H),
    World(SendEnd<T>),
}

/// Sends without waiting.
pub struct Sender<T>(End<host::Sender<T>, T>);

impl<T> Sender<T> {
    /// Sends a message.
    ///
    /// # Errors
    /// The message, when the receiver is gone.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        match &self.0 {
            End::Host(sender) => sender.send(message),
            End::World(end) => end.0.send(message),
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        match &self.0 {
            End::Host(sender) => Self(End::Host(sender.clone())),
            End::World(end) => Self(End::World(end.clone())),
        }
    }
}

/// Waits for room, then sends.
pub struct SyncSender<T>(End<host::SyncSender<T>, T>);

impl<T> SyncSender<T> {
    /// Sends a message, once there is room.
    ///
    /// # Errors
    /// The message, when the receiver is gone.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        match &self.0 {
            End::Host(sender) => sender.send(message),
            End::World(end) => end.0.send(message),
        }
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        match &self.0 {
            End::Host(sender) => Self(End::Host(sender.clone())),
            End::World(end) => Self(End::World(end.clone())),
        }
    }
}

enum Take<T> {
    Host(host::Receiver<T>),
    World(Arc<Queue<T>>),
}

/// Receives.
pub struct Receiver<T>(Take<T>);

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    /// When there is none and no sender is left.
    pub fn recv(&self) -> Result<T, RecvError> {
        match &self.0 {
            Take::Host(receiver) => receiver.recv(),
            Take::World(queue) => queue.receive(Deadline::NEVER).map_err(|_| RecvError),
        }
    }

    /// Waits for a message, but not for ever.
    ///
    /// # Errors
    /// When there was none in time, or there is none and no sender is left.
    pub fn recv_timeout(&self, time: Duration) -> Result<T, RecvTimeoutError> {
        match &self.0 {
            Take::Host(receiver) => receiver.recv_timeout(time),
            Take::World(queue) => queue.receive(deadline_after(time)),
        }
    }

    /// A message that is there.
    ///
    /// # Errors
    /// When there is none.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match &self.0 {
            Take::Host(receiver) => receiver.try_recv(),
            Take::World(queue) => queue.try_receive(),
        }
    }

    /// The messages, until no sender is left.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Take::World(queue) = &self.0 {
            let mut left = VecDeque::new();
            queue.leave(|state| {
                state.receiver = false;
                left = std::mem::take(&mut state.messages);
            });
            drop(left);
        }
    }
}
