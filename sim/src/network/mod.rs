//! What lies between the processes of a world: links between machines, with latency and bandwidth in virtual time.
//!
//! Processes on one machine hand each other parcels in the step that sends them. So do machines whose link nobody described
//! ([`link`]). On a described link a parcel takes its time: the link's direction is busy while the parcel's bytes go in, then
//! the parcel travels. Parcels of one connection, which is a pair of processes in one direction, keep their order; those of
//! different connections overtake each other. A *courier*, a thread of the receiving process, brings them.
//!
//! A link can be cut and healed, and lose parcels ([`crate::fault`]). Who holds references over a cut link, or has died, does
//! not ping: [`rundown`].

mod courier;
pub(crate) mod rundown;

pub use crate::times::Times;

use crate::fault;
use crate::world::{self, Machine, World};
use courier::Connection;
use oleander::network::{Parcel, Wire};
use oleander::platform::{self, Access, Object, ObjectKind};
use oleander::process::Process;
use oleander::windows_core::HRESULT;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// What a world knows of its links and connections. By numbers, so that they are found in order.
#[derive(Default)]
pub(crate) struct Web {
    links: BTreeMap<(u32, u32), State>,
    connections: BTreeMap<(u32, u32), Arc<Connection>>,
}

impl Web {
    /// Whether nothing of an execution is left in it.
    pub(crate) fn is_new(&self) -> bool {
        self.links.is_empty() && self.connections.is_empty()
    }
}

/// A link between two machines.
struct State {
    /// Whether it is cut: cutting and healing it change this object, whoever sends looks at it.
    object: Object,
    cut: bool,
    shape: Option<Shape>,
    /// By direction, upward first: until when it is busy, and how many of the next parcels are lost.
    busy_until_ns: [u64; 2],
    losses: [u32; 2],
}

#[derive(Clone, Copy)]
struct Shape {
    latency: Times,
    bytes_per_second: u64,
    seed: u64,
}

/// Describes the link between two machines: [`latency`](Link::latency), [`bandwidth`](Link::bandwidth),
/// [`seed`](Link::seed). In both directions alike. Before that it takes no time.
///
/// ```
/// use oleander_sim::{network, run, world};
/// use std::time::Duration;
///
/// run(|| {
///     let (here, there) = (world::this_process().machine().clone(), world::machine("there"));
///     network::link(&here, &there).latency(Duration::from_millis(20)).bandwidth(1_000_000);
/// })
/// .expect_completed();
/// ```
///
/// # Panics
/// Outside a simulated world, and for one machine twice.
pub fn link(one: &Machine, other: &Machine) -> Link {
    assert_ne!(one, other, "a machine has no link to itself");
    let link = Link { key: key(one.number(), other.number()).0 };
    link.shape(|_| ());
    link
}

/// The link between two machines.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    key: (u32, u32),
}

impl Link {
    /// How long a parcel travels.
    pub fn latency(self, times: impl Into<Times>) -> Self {
        let latency = times.into();
        self.shape(|shape| shape.latency = latency)
    }

    /// How many bytes go in a second; 0, the default, is without limit.
    pub fn bandwidth(self, bytes_per_second: u64) -> Self {
        self.shape(|shape| shape.bytes_per_second = bytes_per_second)
    }

    /// The seed of the latencies that are drawn: each connection draws its own.
    pub fn seed(self, seed: u64) -> Self {
        self.shape(|shape| shape.seed = seed)
    }

    fn shape(self, change: impl FnOnce(&mut Shape)) -> Self {
        with_link(self.key, |link| {
            let none = Shape { latency: Times::Constant(Duration::ZERO), bytes_per_second: 0, seed: 0 };
            change(link.shape.get_or_insert(none));
        });
        self
    }
}

/// A link's two machines in order, and whether the second is the first in that order.
fn key(from: u32, to: u32) -> ((u32, u32), usize) {
    if from < to { ((from, to), 0) } else { ((to, from), 1) }
}

fn with_link<R>(key: (u32, u32), f: impl FnOnce(&mut State) -> R) -> R {
    world::with_here(|world| {
        let mut web = world.web.borrow_mut();
        let link = web.links.entry(key).or_insert_with(|| State {
            object: world.first_process().new_object(ObjectKind::Table),
            cut: false,
            shape: None,
            busy_until_ns: [0; 2],
            losses: [0; 2],
        });
        f(link)
    })
}

/// Cuts a link, or heals it.
pub(crate) fn set_cut(one: u32, other: u32, cut: bool) {
    let key = key(one, other).0;
    let object = with_link(key, |link| link.object);
    platform::visit(object, Access::Write);
    with_link(key, |link| link.cut = cut);
}

/// Has the next parcel in one direction be lost.
pub(crate) fn lose_next(from: u32, to: u32) {
    let (key, direction) = key(from, to);
    let object = with_link(key, |link| link.object);
    platform::visit(object, Access::Write);
    with_link(key, |link| link.losses[direction] += 1);
}

/// Whether something that is sent now may arrive.
pub(crate) fn is_open(from: u32, to: u32) -> bool {
    if from == to {
        return true;
    }
    let (object, cut) = with_link(key(from, to).0, |link| (link.object, link.cut));
    platform::note(object, Access::Read);
    !cut
}

/// Loses what is on its way between two processes, in one direction.
pub(crate) fn lose_all(from: u32, to: u32) {
    let connection = world::with_here(|world| world.web.borrow().connections.get(&(from, to)).cloned());
    if let Some(connection) = connection {
        connection.lose_all();
    }
}

/// The wire of a world. It has no state.
struct Lines;

/// The wire of every world.
pub(crate) fn lines() -> Arc<dyn Wire> {
    static LINES: LazyLock<Arc<Lines>> = LazyLock::new(|| Arc::new(Lines));
    LINES.clone()
}

impl Wire for Lines {
    fn reaches(&self, from: &Process, to: &Process) -> bool {
        is_open(from.machine(), to.machine())
    }

    fn carry(&self, from: &Arc<Process>, to: &Arc<Process>, parcel: Parcel) {
        let (here, there) = (from.machine(), to.machine());
        if here == there {
            return hand_over(to, parcel);
        }
        let (key, direction) = key(here, there);
        let lost = with_link(key, |link| {
            let lost = link.losses[direction] > 0;
            link.losses[direction] = link.losses[direction].saturating_sub(1);
            lost
        });
        if lost || fault::happens(fault::Kind::Loss) {
            return lose(parcel);
        }
        let Some(shape) = with_link(key, |link| link.shape) else { return hand_over(to, parcel) };
        let now = platform::now_ns();
        let sent = with_link(key, |link| {
            let bytes = parcel.len() as u64;
            let takes = (bytes * 1_000_000_000).checked_div(shape.bytes_per_second).unwrap_or(0);
            let busy = &mut link.busy_until_ns[direction];
            *busy = (*busy).max(now) + takes;
            *busy
        });
        let connection = world::with_here(|world| connection(world, from, to, shape.seed));
        connection.send(sent, shape.latency, parcel);
    }

    fn has_memory(&self, process: &Process, _len: usize) -> bool {
        fault::has_memory(process)
    }

    fn refuses(&self, process: &Process) -> Option<HRESULT> {
        fault::refuses(process)
    }
}

/// Delivers, unless nobody is there any more. One step, or part of one: the thread that does it may die, the parcel not.
fn hand_over(to: &Process, parcel: Parcel) {
    world::with_here(|world| {
        world.in_one_step(|| if to.has_died() { parcel.lose() } else { parcel.deliver() });
    });
}

fn lose(parcel: Parcel) {
    world::with_here(|world| world.in_one_step(|| parcel.lose()));
}

fn connection(world: &World, from: &Arc<Process>, to: &Arc<Process>, seed: u64) -> Arc<Connection> {
    let mut web = world.web.borrow_mut();
    let key = (from.id(), to.id());
    web.connections.entry(key).or_insert_with(|| Connection::new(key, to, seed)).clone()
}
