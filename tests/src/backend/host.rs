//! Host threads: a fresh process on the watched port.

use super::watched::Watched;
use super::{Backend, Joiner, verdict};
use crate::case::Row;
use crate::run::{Failure, HANG_MS, Played, lock, play as play_row};
use oleander::kernel::{self, Spawned};
use oleander::platform::{self, Deadline, Port, Why};
use oleander::{Process, debug};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

struct Host {
    port: Arc<Watched>,
}

/// Plays a row in one way.
pub fn play(row: &Arc<Row>, way: usize) -> Result<(), Failure> {
    let port = Arc::new(Watched::new());
    let process = Process::new(port.clone() as Arc<dyn Port>);
    let backend: Arc<dyn Backend> = Arc::new(Host { port });
    let played: Arc<(Mutex<Option<Played>>, Condvar)> = Arc::default();
    let (to, inner) = (played.clone(), row.clone());
    kernel::spawn_in(&process, "director", false, move || {
        let played = play_row(&inner, way, &backend);
        *lock(&to.0) = Some(played);
        to.1.notify_all();
    });
    // Steps that hang end by themselves, so a director that never ends is a bug of the machinery's own.
    let patience = Duration::from_millis(u64::from(HANG_MS) * 8);
    let pending = |played: &mut Option<Played>| played.is_none();
    let waited = played.1.wait_timeout_while(lock(&played.0), patience, pending);
    let came = waited.ok().and_then(|(mut played, _)| played.take());
    let line = row.line;
    let came = came.ok_or_else(|| Failure { line, what: "the director hangs or has panicked".to_owned() })?;
    verdict(came).map(drop)
}

impl Backend for Host {
    fn start(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Box<dyn Joiner> {
        Box::new(Emulated(kernel::spawn(name, false, body)))
    }

    fn settle(&self) -> Result<(), String> {
        match self.port.settle(Duration::from_millis(HANG_MS.into())) {
            true => Ok(()),
            false => Err("threads do not come to rest".to_owned()),
        }
    }

    fn now_ns(&self) -> u64 {
        platform::now_ns()
    }

    fn has_virtual_time(&self) -> bool {
        false
    }

    fn left_behind(&self) -> (usize, usize) {
        (debug::live_objects(), debug::open_handles())
    }
}

/// A thread of the emulation.
pub struct Emulated(pub Spawned);

impl Joiner for Emulated {
    fn join(&self, ms: u32) -> bool {
        self.0.ended.wait(Deadline::after_ms(ms), Why::Wait)
    }

    fn has_ended(&self) -> bool {
        self.0.ended.wait(Deadline::NOW, Why::Wait)
    }
}
