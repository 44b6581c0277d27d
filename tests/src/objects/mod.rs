//! The objects of the rows: each does what the lines of its methods say, and logs that it was called.

mod canceller;
mod filter;
mod outer;
mod releaser;
mod sample;
mod window;

pub use canceller::Canceller;
pub use filter::Filter;
pub use outer::{AgileOuter, Outer};
pub use releaser::release_async;
pub use sample::{AsyncISample, AsyncSample, ISample, Sample};
pub use window::create_window;

use crate::ops::Call;
use crate::run::{Inside, Stage};
use oleander::windows_core::{IUnknown, Interface};
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

/// Makes an object of a kind that `new` knows.
pub fn make(kind: &str, call: &Call<'_>) -> Result<*mut c_void, String> {
    let player = Player::of(call);
    Ok(match kind {
        "Sample" => ISample::from(Sample(player)).into_raw(),
        "AsyncSample" => ISample::from(AsyncSample(player)).into_raw(),
        "Canceller" => oleander::ICancelMethodCalls::from(Canceller(player)).into_raw(),
        "Filter" => oleander::IMessageFilter::from(Filter(player)).into_raw(),
        _ => return Err(format!("no kind of object: {kind}")),
    })
}

/// Keeps rows honest about pointers that nobody uses.
pub fn query(object: &IUnknown, iid: &oleander::windows_core::GUID) -> (oleander::windows_core::HRESULT, *mut c_void) {
    let mut raw = std::ptr::dangling_mut();
    // SAFETY: valid pointers.
    let hr = unsafe { object.query(iid, &mut raw) };
    (hr, raw)
}
