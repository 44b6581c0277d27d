//! What the threads of a row share while it is played: values by name, what is to be given back, the log.
//!
//! Locks: each is taken for moments, alone, and nothing is called under it; so they are safe in a simulated world, where
//! a thread is switched only where it announces something.

use super::{Failure, Value};
use crate::backend::Backend;
use crate::case::{Action, Expected, Row, Step, What, Word};
use crate::ops::Call;
use oleander::windows_core::HRESULT;
use oleander::{GetCurrentThreadId, S_OK};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, MutexGuard};

/// The owner of what belongs to no actor: it is given back when all have left.
pub const ROW: &str = "row";

/// A lock that a panic does not spoil.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What is to be given back when its owner leaves, unless the row does it.
struct Kept {
    owner: String,
    value: Value,
    give_back: fn(&Value),
}

/// The stage that a row is played on.
pub struct Stage {
    /// The row.
    pub row: Arc<Row>,
    /// Which of the ways to play it.
    pub way: usize,
    /// What is below.
    pub backend: Arc<dyn Backend>,
    values: Mutex<BTreeMap<String, Value>>,
    kept: Mutex<Vec<Kept>>,
    log: Mutex<Vec<String>>,
    threads: Mutex<BTreeMap<u32, String>>,
    /// How often each actor has initialised COM.
    initialized: Mutex<BTreeMap<String, u32>>,
    failure: Mutex<Option<Failure>>,
    reached: Mutex<BTreeSet<(usize, usize)>>,
}

impl Stage {
    /// An empty stage.
    pub fn new(row: Arc<Row>, way: usize, backend: Arc<dyn Backend>) -> Arc<Self> {
        Arc::new(Self {
            row,
            way,
            backend,
            values: Mutex::default(),
            kept: Mutex::default(),
            log: Mutex::default(),
            threads: Mutex::default(),
            initialized: Mutex::default(),
            failure: Mutex::default(),
            reached: Mutex::default(),
        })
    }

    /// Gives a value a name.
    pub fn name(&self, name: &str, value: Value) {
        lock(&self.values).insert(name.to_owned(), value);
    }

    /// The names that a value has, for whoever reads a failure.
    pub fn show(&self, value: &Value) -> String {
        let names: Vec<String> = match value {
            Value::Handle(_) | Value::Window(_) | Value::Pointer(_) if !value.is_null() => {
                lock(&self.values).iter().filter(|(_, known)| *known == value).map(|(name, _)| name.clone()).collect()
            }
            _ => Vec::new(),
        };
        if names.is_empty() { value.to_string() } else { names.join(" alias ") }
    }

    /// The value of a word.
    pub fn value(&self, word: &Word) -> Result<Value, String> {
        match word {
            Word::Constant(value) => Ok(value.clone()),
            Word::Named(name) => {
                lock(&self.values).get(name).cloned().ok_or_else(|| format!("`{name}` has no value yet"))
            }
            Word::List(words) => words.iter().map(|word| self.value(word)).collect::<Result<_, _>>().map(Value::List),
            Word::Any | Word::Not(_) => Err("`_` and `!` are for results".to_owned()),
        }
    }

    /// The value of a word that is an argument: a pointer must still be somebody's.
    fn argument(&self, word: &Word) -> Result<Value, String> {
        let value = self.value(word)?;
        let is_pointer = matches!(value, Value::Pointer(_)) && !value.is_null();
        if is_pointer && !lock(&self.kept).iter().any(|kept| kept.value == value) {
            let Word::Named(name) = word else { return Ok(value) };
            return Err(format!("`{name}` was given back already"));
        }
        Ok(value)
    }

    /// The name of the actor whose thread this is.
    pub fn here(&self) -> Option<String> {
        // SAFETY: no pointers.
        let thread = unsafe { GetCurrentThreadId() };
        lock(&self.threads).get(&thread).cloned()
    }

    /// Makes the current thread the actor's.
    pub fn enter(&self, actor: &str) {
        // SAFETY: no pointers.
        let thread = unsafe { GetCurrentThreadId() };
        lock(&self.threads).insert(thread, actor.to_owned());
        self.name(actor, thread.into());
    }

    /// An actor has initialised COM once more.
    pub fn initialized(&self, actor: &str) {
        *lock(&self.initialized).entry(actor.to_owned()).or_default() += 1;
    }

    /// An actor balances one initialisation; whether it owes one.
    pub fn balance(&self, actor: &str) -> bool {
        let mut counts = lock(&self.initialized);
        let count = counts.entry(actor.to_owned()).or_default();
        let owed = *count > 0;
        *count -= u32::from(owed);
        owed
    }

    /// Something happened.
    pub fn say(&self, what: impl Into<String>) {
        let what = what.into();
        lock(&self.log).push(what);
        self.backend.heard();
    }

    /// What happened since the last look.
    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.log))
    }

    /// Has a value given back when its owner leaves.
    pub fn keep(&self, owner: &str, value: Value, give_back: fn(&Value)) {
        lock(&self.kept).push(Kept { owner: owner.to_owned(), value, give_back });
    }

    /// The row gives a value back itself; says whether somebody had it.
    pub fn let_go(&self, value: &Value) -> bool {
        let mut kept = lock(&self.kept);
        match kept.iter().rposition(|kept| kept.value == *value) {
            Some(index) => {
                kept.remove(index);
                true
            }
            None => false,
        }
    }

    /// An actor's thread is to end as it is: what the actor has is the row's, and no initialisation is balanced.
    pub fn abandon(&self, actor: &str) {
        lock(&self.initialized).remove(actor);
        lock(&self.kept).iter_mut().filter(|kept| kept.owner == actor).for_each(|kept| kept.owner = ROW.to_owned());
    }

    /// Whether the row says what a method does.
    pub fn says(&self, object: &str, name: &str) -> bool {
        let is_it = |step: &Step| matches!(&step.what, What::Inside(at, _) if at.object == object && at.name == name);
        self.row.steps.iter().any(is_it)
    }

    /// Gives back what an owner has, last first.
    pub fn give_back(&self, owner: &str) {
        loop {
            let next = {
                let mut kept = lock(&self.kept);
                let index = kept.iter().rposition(|kept| kept.owner == owner);
                index.map(|index| kept.remove(index))
            };
            let Some(Kept { value, give_back, .. }) = next else { return };
            give_back(&value);
        }
    }

    /// Something is not as expected; the first such thing is what counts.
    pub fn fail(&self, line: usize, what: String) {
        lock(&self.failure).get_or_insert(Failure { line, what });
    }

    /// The first failure.
    pub fn failure(&self) -> Option<Failure> {
        lock(&self.failure).clone()
    }

    /// Numbers of steps with the number of the alternative that came true there.
    pub fn reached(&self) -> BTreeSet<(usize, usize)> {
        lock(&self.reached).clone()
    }

    /// An alternative came true.
    pub fn reach(&self, step: &Step, way: usize) {
        lock(&self.reached).insert((step.number, way));
    }

    /// Runs an operation for an owner; what it gives is kept and named as the row says.
    pub fn run(self: &Arc<Self>, action: &Action, expected: &Expected, owner: &str, inside: &mut Inside) -> Outcome {
        let arguments = action.arguments.iter().map(|word| self.argument(word)).collect::<Result<Vec<_>, _>>()?;
        let call = Call::new(self, action, arguments, owner, inside, &expected.names);
        let begun_ns = self.backend.now_ns();
        let results = match catch_unwind(AssertUnwindSafe(|| (action.operation.run)(&call))) {
            Ok(Ok(results)) => results,
            Ok(Err(what)) => vec![call.refused().map(Value::Hr).ok_or(what)?],
            Err(panic) if call.wants_panic() => std::panic::resume_unwind(panic),
            Err(_) => return Err("the operation panicked".to_owned()),
        };
        Ok(Done { results, took_ns: self.backend.now_ns() - begun_ns })
    }

    /// Compares what came with what is expected, and names what is to be named.
    pub fn judge(&self, step: &Step, expected: &Expected, outcome: Outcome) -> Result<(), String> {
        let done = outcome?;
        let shown = || done.results.iter().map(|value| self.show(value)).collect::<Vec<_>>().join(" ");
        let said = self.way(step, expected, &done.results)?.ok_or_else(|| format!("got {}", shown()))?;
        let unsaid = done.results.iter().enumerate().filter(|(index, _)| !said.get(*index).is_some_and(Word::is_exact));
        let mut unsaid = unsaid.map(|(_, value)| value);
        for name in &expected.names {
            let value = unsaid.next().ok_or_else(|| format!("there is no result for `{name}`, got {}", shown()))?;
            self.name(name, value.clone());
        }
        self.judge_time(expected, done.took_ns)
    }

    /// The alternative that came true, if one did; where a row says nothing, that is success.
    fn way<'e>(
        &self,
        step: &Step,
        expected: &'e Expected,
        results: &[Value],
    ) -> Result<Option<Cow<'e, [Word]>>, String> {
        if expected.ways.is_empty() {
            return Ok(match results.first() {
                Some(first) if !first.is_success() => None,
                Some(first @ (Value::Hr(_) | Value::Bool(_))) => Some(vec![Word::Constant(first.clone())].into()),
                _ => Some(Vec::new().into()),
            });
        }
        for (index, way) in expected.ways.iter().enumerate() {
            if self.matches(way, results)? {
                self.reach(step, index);
                return Ok(Some(way.into()));
            }
        }
        Ok(None)
    }

    fn judge_time(&self, expected: &Expected, took_ns: u64) -> Result<(), String> {
        let Some(ms) = expected.took_ms else { return Ok(()) };
        let took_ms = took_ns / 1_000_000;
        let early_ms = self.backend.early_ms();
        let right = if self.backend.has_virtual_time() { took_ms == ms } else { took_ms + early_ms >= ms };
        if right { Ok(()) } else { Err(format!("expected to take {ms} ms, took {took_ms} ms")) }
    }

    fn matches(&self, way: &[Word], results: &[Value]) -> Result<bool, String> {
        if way.len() > results.len() {
            return Ok(false);
        }
        for (word, got) in way.iter().zip(results) {
            if !self.is(word, got)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is(&self, word: &Word, got: &Value) -> Result<bool, String> {
        match word {
            Word::Any => Ok(true),
            Word::Not(word) => Ok(!self.is(word, got)?),
            word => Ok(got.is(&self.value(word)?)),
        }
    }

    /// A method of a test object: logs it and does what the row says. The result is what `return` said, else `S_OK`.
    pub fn method(self: &Arc<Self>, owner: &str, object: &str, name: &str, argument: Option<i64>) -> Inside {
        self.method_of(owner, object, name, argument, null_mut())
    }

    /// [`Stage::method`] of a call object, whose ISynchronize `hold` gives to the row.
    pub fn method_of(
        self: &Arc<Self>,
        owner: &str,
        object: &str,
        name: &str,
        argument: Option<i64>,
        this: *mut c_void,
    ) -> Inside {
        let shown = argument.map_or_else(String::new, |argument| format!("({argument})"));
        let place = self.here().unwrap_or_else(|| "pool".to_owned());
        self.say(format!("{object}.{name}{shown}@{place}"));
        let mut inside = Inside { this: Value::pointer(this), ..Inside::default() };
        for step in &self.row.steps {
            let What::Inside(method, action) = &step.what else { continue };
            let fits = method.argument.is_none() || method.argument == argument;
            if method.object != object || method.name != name || !fits {
                continue;
            }
            let outcome = self.run(action, &action.expected, owner, &mut inside);
            if let Err(what) = self.judge(step, &action.expected, outcome) {
                self.fail(step.line, what);
            }
        }
        inside
    }
}

/// What an operation came to: its results and how long it took; an error is one of the row, not of COM.
pub type Outcome = Result<Done, String>;

/// What an operation gave.
#[derive(Debug)]
pub struct Done {
    /// Its results in order.
    pub results: Vec<Value>,
    /// The time.
    pub took_ns: u64,
}

/// What the lines of a method say of the method itself.
#[derive(Debug)]
pub struct Inside {
    /// The ISynchronize of the call object whose method it is.
    pub this: Value,
    /// What `return` said.
    pub returns: Option<Value>,
    /// Whether `hold` was there: nobody signals for the method.
    pub held: bool,
}

impl Default for Inside {
    fn default() -> Self {
        Self { this: Value::Null, returns: None, held: false }
    }
}

impl Inside {
    /// The HRESULT to return.
    pub fn hr(&self) -> HRESULT {
        match &self.returns {
            Some(Value::Hr(hr)) => *hr,
            Some(Value::Num(code)) => HRESULT(*code as i32),
            _ => S_OK,
        }
    }

    /// The number to return.
    pub fn number(&self) -> Option<u32> {
        match &self.returns {
            Some(Value::Num(number)) => Some(*number as u32),
            _ => None,
        }
    }
}
