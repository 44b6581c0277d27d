//! The objects of the rows: each does what the lines of its methods say, and logs that it was called.

mod canceller;
mod filter;
mod halves;
mod handled;
mod hook;
mod marshaled;
mod outer;
mod recorder;
mod releaser;
mod sample;
mod sink;
mod spy;
mod window;

pub use canceller::Canceller;
pub use filter::Filter;
pub use handled::CLSID_HANDLER;
pub use marshaled::CLSID_BY_VALUE;
pub use outer::{AgileOuter, Outer};
pub use releaser::release_async;
pub use sample::{AsyncISample, AsyncSample, IAtOnce, ILocal, IMoniker, ISample, Sample};
pub use window::create_window;

use hook::Hook;
use marshaled::{Agile, ByValue, Listener, NoMarshal, NoStubs};
use sink::{AsyncSink, Sink};
use spy::Spy;

use crate::ops::Call;
use crate::run::{Inside, Stage};
use oleander::windows_core::{IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::sync::Arc;

/// What every test object has: its name in the row, who made it, the stage.
#[derive(Clone)]
pub struct Player {
    /// The stage.
    pub stage: Arc<Stage>,
    /// Whose it is: what its methods leave is given back when that actor leaves.
    pub owner: String,
    /// Its name.
    pub name: String,
}

impl Player {
    /// An object that gets the operation's first name.
    pub fn of(call: &Call<'_>) -> Self {
        Self { stage: call.stage.clone(), owner: call.owner.to_owned(), name: call.name().to_owned() }
    }

    /// A method begins: it is logged, and its lines are run.
    pub fn method(&self, name: &str, argument: Option<u32>) -> Inside {
        self.stage.method(&self.owner, &self.name, name, argument.map(i64::from))
    }

    /// The object's end, which is logged only if the row says something about it.
    pub fn dropped(&self) {
        if self.stage.says(&self.name, "Drop") {
            self.method("Drop", None);
        }
    }

    /// The same for a call object with this ISynchronize, or for an outer object around one.
    pub fn method_of(&self, name: &str, argument: Option<u32>, this: *mut c_void) -> Inside {
        self.stage.method_of(&self.owner, &self.name, name, argument.map(i64::from), this)
    }
}

/// Makes an object of a kind that `new` knows; a `Factory` makes objects of the second kind, which have its name.
pub fn make(kind: &str, made: Option<String>, player: Player) -> Result<*mut c_void, String> {
    if kind == "Factory" {
        return Ok(factory(made.unwrap_or_else(|| "Sample".to_owned()), player).into_raw());
    }
    Ok(match kind {
        "Sample" => ISample::from(Sample(player)).into_raw(),
        "AsyncSample" => ISample::from(AsyncSample(player, true)).into_raw(),
        "UnsignalledSample" => ISample::from(AsyncSample(player, false)).into_raw(),
        "Canceller" => ICancelMethodCalls::from(Canceller(player)).into_raw(),
        "Listener" => ISample::from(Listener(player)).into_raw(),
        "Agile" => ISample::from(Agile(player)).into_raw(),
        "NoMarshal" => ISample::from(NoMarshal(player)).into_raw(),
        "Handled" => ISample::from(handled::Handled(player)).into_raw(),
        "ByValue" => ISample::from(ByValue(player)).into_raw(),
        "Filter" => IMessageFilter::from(Filter(player)).into_raw(),
        "Hook" => IChannelHook::from(Hook(player)).into_raw(),
        "Recorder" => IPSFactoryBuffer::from(recorder::Recorder::new(player)?).into_raw(),
        "AsyncSink" => IAdviseSink2::from(AsyncSink(player)).into_raw(),
        "Sink" => IAdviseSink2::from(Sink(player)).into_raw(),
        "Spy" => IInitializeSpy::from(Spy(player)).into_raw(),
        "NoStubs" => IPSFactoryBuffer::from(NoStubs(player)).into_raw(),
        _ => return Err(format!("no kind of object: {kind}")),
    })
}

/// A class object, whose objects have its name. It refuses outer objects, but for a handler.
pub fn factory(made: String, player: Player) -> IClassFactory {
    oleander::object::class_factory_with(move |outer, iid, out| {
        if made == "Handler" {
            // SAFETY: the caller's pointers are valid.
            return unsafe { handled::create(&player, outer, iid, out) };
        }
        if !outer.is_null() {
            return CLASS_E_NOAGGREGATION;
        }
        player.method("CreateInstance", None);
        match make(&made, None, player.clone()) {
            // SAFETY: a new object; the caller's pointers are valid.
            Ok(raw) => unsafe { IUnknown::from_raw(raw).query(iid, out) },
            Err(_) => E_UNEXPECTED,
        }
    })
}

/// Keeps rows honest about pointers that nobody uses.
pub fn query(object: &IUnknown, iid: &oleander::windows_core::GUID) -> (oleander::windows_core::HRESULT, *mut c_void) {
    let mut raw = std::ptr::dangling_mut();
    // SAFETY: valid pointers.
    let hr = unsafe { object.query(iid, &mut raw) };
    (hr, raw)
}
