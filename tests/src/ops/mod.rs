//! Operations: what actors and methods of test objects can do. One file a topic, each with a table; an operation is an
//! entry of a table:
//!
//! ```text
//! op("SetEvent", "handle", "BOOL error", "sets an event", |c| {
//!     // SAFETY: a handle is a number.
//!     let done = unsafe { SetEvent(c.get(0)?) };
//!     give![done, last_error()]
//! }),
//! ```
//!
//! Its name is the function's, or the method's; then come the parameters and the results, in words, and what it does.
//! A parameter is `name`, `name:PREFIX_` where a constant may be written without that prefix, and ends with `?` if it may
//! be left out. `name:text` is a word, with quotes only if it has blanks. Results have prefixes, too. Operations call what a user of `oleander::` can call, and nothing else.

mod activation;
mod advise;
mod apartments;
mod calls;
mod contexts;
mod events;
mod machinery;
mod marshaling;
mod objects;
mod references;
mod registered;
mod release;
mod security;
mod several;
mod synchronize;
mod waits;
mod windows;

use crate::case::Action;
use crate::run::{Argument, Inside, ROW, Stage, Value};
use oleander::windows_core::{HRESULT, IUnknown, Interface};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::fmt;
use std::ptr::dangling_mut;
use std::sync::Arc;

/// What an operation gives; an error is one of the row, not of COM.
pub type Results = Result<Vec<Value>, String>;

/// An operation that rows can name.
pub struct Operation {
    /// The name in rows.
    pub name: &'static str,
    /// Its parameters.
    pub parameters: &'static str,
    /// Its results; the first says whether it went well.
    pub results: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Does it.
    pub run: fn(&Call<'_>) -> Results,
}

/// Instead of a prefix: the argument is a word as it is written.
pub const TEXT: &str = "text";

/// An entry of a table of operations.
const fn op(
    name: &'static str,
    parameters: &'static str,
    results: &'static str,
    about: &'static str,
    run: fn(&Call<'_>) -> Results,
) -> Operation {
    Operation { name, parameters, results, about, run }
}

/// The results of an operation.
macro_rules! give {
    ($($value:expr),* $(,)?) => { Ok(vec![$($crate::run::Value::from($value)),*]) };
}
use give;

/// All tables.
const TABLES: &[&[Operation]] = &[
    machinery::OPERATIONS,
    advise::OPERATIONS,
    waits::OPERATIONS,
    events::OPERATIONS,
    apartments::OPERATIONS,
    synchronize::OPERATIONS,
    objects::OPERATIONS,
    marshaling::OPERATIONS,
    references::OPERATIONS,
    activation::OPERATIONS,
    calls::OPERATIONS,
    contexts::OPERATIONS,
    registered::OPERATIONS,
    release::OPERATIONS,
    security::OPERATIONS,
    several::OPERATIONS,
    windows::OPERATIONS,
];

/// All operations.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// The operation with a name.
pub fn find(name: &str) -> Option<&'static Operation> {
    all().find(|operation| operation.name == name)
}

/// A parameter or a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// What it is called.
    pub name: &'static str,
    /// What its constants may be written without.
    pub prefix: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
}

fn parameter(word: &'static str) -> Parameter {
    let (word, optional) = word.strip_suffix('?').map_or((word, false), |word| (word, true));
    let (name, prefix) = word.split_once(':').unwrap_or((word, ""));
    Parameter { name, prefix, optional }
}

impl Operation {
    /// Its parameters.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.parameters.split_whitespace().map(parameter).collect()
    }

    /// Its results.
    pub fn results(&self) -> Vec<Parameter> {
        self.results.split_whitespace().map(parameter).collect()
    }

    /// How it is written.
    pub fn usage(&self) -> String {
        let words = |list: Vec<Parameter>| -> String {
            let word = |it: &Parameter| format!(" {}{}", it.name, if it.optional { "?" } else { "" });
            list.iter().map(word).collect()
        };
        let results = words(self.results());
        format!("{}{}{}{}", self.name, words(self.parameters()), if results.is_empty() { "" } else { " ->" }, results)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// An operation under way: its arguments, who does it, and what it leaves.
pub struct Call<'a> {
    /// The stage.
    pub stage: &'a Arc<Stage>,
    /// Who owns what comes of it: the actor, or the maker of the object whose method this is.
    pub owner: &'a str,
    action: &'a Action,
    arguments: Vec<Value>,
    inside: RefCell<&'a mut Inside>,
    names: &'a [String],
    panics: Cell<bool>,
    refused: Cell<Option<HRESULT>>,
}

impl<'a> Call<'a> {
    /// For [`Stage::run`].
    pub fn new(
        stage: &'a Arc<Stage>,
        action: &'a Action,
        arguments: Vec<Value>,
        owner: &'a str,
        inside: &'a mut Inside,
        names: &'a [String],
    ) -> Self {
        Self {
            stage,
            owner,
            action,
            arguments,
            inside: RefCell::new(inside),
            names,
            panics: Cell::new(false),
            refused: Cell::new(None),
        }
    }

    /// An argument.
    pub fn get<T: Argument>(&self, index: usize) -> Result<T, String> {
        self.optional(index)?.ok_or_else(|| format!("argument {} is missing", index + 1))
    }

    /// An argument, if it is there.
    pub fn optional<T: Argument>(&self, index: usize) -> Result<Option<T>, String> {
        let Some(value) = self.arguments.get(index) else { return Ok(None) };
        let wrong = || {
            let name = self.action.operation.parameters()[index].name;
            format!("argument {} (`{name}`) is not {} but {value}", index + 1, T::IS)
        };
        T::of(value).map(Some).ok_or_else(wrong)
    }

    /// An argument as an interface pointer that the row keeps; asked for that interface, so any of the object's will do.
    /// What the object says when it does not give the interface is the operation's result.
    pub fn interface<I: Interface>(&self, index: usize) -> Result<I, String> {
        let raw: *mut c_void = self.get(index)?;
        // SAFETY: rows keep pointers alive for as long as they name them.
        let object = unsafe { IUnknown::from_raw_borrowed(&raw) }.ok_or("the pointer is null")?;
        object.cast().map_err(|error| self.refuse(error.code()))
    }

    /// The object does not give what it was asked for: what it said is the operation's result.
    pub fn refuse(&self, said: HRESULT) -> String {
        self.refused.set(Some(said));
        "the object does not give the interface".to_owned()
    }

    /// An argument as the interface pointer that it is. The row must have asked for that interface.
    pub fn exact<I: Interface + Clone>(&self, index: usize) -> Result<I, String> {
        let raw: *mut c_void = self.get(index)?;
        // SAFETY: rows keep pointers alive for as long as they name them, and name them by their interface.
        unsafe { I::from_raw_borrowed(&raw) }.cloned().ok_or_else(|| "the pointer is null".to_owned())
    }

    /// The name that the row gives to a result, or the operation's.
    pub fn name(&self) -> &'a str {
        self.names.first().map_or(self.action.operation.name, String::as_str)
    }

    /// A counted interface pointer as a result: released when its owner leaves, unless the row does it. What was left as it
    /// was before, dangling, is nobody's.
    pub fn owned(&self, raw: *mut c_void) -> Value {
        let value = Value::pointer(raw);
        if !raw.is_null() && raw != dangling_mut() {
            self.stage.keep(self.owner, value.clone(), release);
        }
        value
    }

    /// A counted pointer that belongs to no apartment, such as a stream: released at the row's end.
    pub fn owned_by_row(&self, raw: *mut c_void) -> Value {
        let value = Value::pointer(raw);
        if !raw.is_null() && raw != dangling_mut() {
            self.stage.keep(ROW, value.clone(), release);
        }
        value
    }

    /// A result that is given back when its owner leaves, unless the row does it ([`Call::let_go`]).
    pub fn keep(&self, value: impl Into<Value>, give_back: fn(&Value)) -> Value {
        let value = value.into();
        if !value.is_null() {
            self.stage.keep(self.owner, value.clone(), give_back);
        }
        value
    }

    /// The row gives something back itself.
    pub fn let_go(&self, value: impl Into<Value>) -> bool {
        self.stage.let_go(&value.into())
    }

    /// What the lines of a method say of the method.
    pub fn inside<R>(&self, change: impl FnOnce(&mut Inside) -> R) -> R {
        change(&mut self.inside.borrow_mut())
    }

    /// The operation is going to panic, on purpose.
    pub fn panic(&self) -> ! {
        self.panics.set(true);
        panic!("a panic that the row asks for")
    }

    /// What the object said that did not give the interface.
    pub fn refused(&self) -> Option<HRESULT> {
        self.refused.get()
    }

    /// Whether a panic is on purpose.
    pub fn wants_panic(&self) -> bool {
        self.panics.get()
    }
}

/// Releases an interface pointer.
fn release(value: &Value) {
    if let Some(raw) = <*mut c_void>::of(value).filter(|raw| !raw.is_null()) {
        // SAFETY: a counted pointer that the stage had.
        drop(unsafe { IUnknown::from_raw(raw) });
    }
}
