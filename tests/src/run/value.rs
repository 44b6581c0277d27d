//! Values: what operations take and give, and how they compare with what a row expects.

use oleander::abi::hresult;
use oleander::windows_core::{BOOL, GUID, HRESULT};
use oleander::{HANDLE, HWND};
use std::ffi::c_void;
use std::fmt;

/// What an argument or a result can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An HRESULT.
    Hr(HRESULT),
    /// A number, a flag, an index, a time, a thread id.
    Num(i64),
    /// TRUE or FALSE.
    Bool(bool),
    /// A kernel object's handle.
    Handle(HANDLE),
    /// A window.
    Window(HWND),
    /// An interface pointer or a cookie that has a pointer's type, as its address.
    Pointer(usize),
    /// An interface id or a class id.
    Guid(GUID),
    /// A text.
    Text(String),
    /// Several values.
    List(Vec<Value>),
    /// The word `null`: equal to what is null of any kind.
    Null,
}

impl Value {
    /// An interface pointer.
    pub fn pointer(raw: *mut c_void) -> Self {
        Self::Pointer(raw.expose_provenance())
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null | Self::Num(0) => true,
            Self::Handle(handle) => handle.is_null(),
            Self::Window(window) => window.is_null(),
            Self::Pointer(address) => *address == 0,
            _ => false,
        }
    }

    /// Whether a result is what a row expects. A number stands for an HRESULT without a name, too.
    pub fn is(&self, expected: &Self) -> bool {
        match (self, expected) {
            (got, Self::Null) => got.is_null(),
            (Self::Hr(got), Self::Num(code)) => got.0 == *code as i32,
            (Self::Num(got), Self::Bool(expected)) => (*got != 0) == *expected,
            (Self::Bool(got), Self::Num(expected)) => i64::from(*got) == *expected,
            (Self::List(got), Self::List(expected)) => {
                got.len() == expected.len() && got.iter().zip(expected).all(|(got, expected)| got.is(expected))
            }
            (got, expected) => got == expected,
        }
    }

    /// Whether a first result that nobody speaks of says that all went well.
    pub fn is_success(&self) -> bool {
        match self {
            Self::Hr(hr) => *hr == hresult::S_OK,
            Self::Bool(done) => *done,
            Self::Handle(_) | Self::Window(_) | Self::Pointer(_) => !self.is_null(),
            _ => true,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hr(hr) => match hresult::ALL.iter().find(|(_, value, _)| value == hr) {
                Some((name, ..)) => f.write_str(name),
                None => write!(f, "0x{:08X}", hr.0),
            },
            Self::Num(number) => write!(f, "{number}"),
            Self::Bool(value) => f.write_str(if *value { "TRUE" } else { "FALSE" }),
            value if value.is_null() => f.write_str("null"),
            Self::Handle(handle) => write!(f, "handle:{:#x}", handle.0.addr()),
            Self::Window(window) => write!(f, "window:{:#x}", window.0.addr()),
            Self::Pointer(address) => write!(f, "pointer:{address:#x}"),
            Self::Guid(id) => write!(f, "{{{id:?}}}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { " " })?;
                }
                f.write_str("]")
            }
            Self::Null => f.write_str("null"),
        }
    }
}

macro_rules! into_value {
    ($($type:ty => |$value:ident| $made:expr;)*) => { $(
        impl From<$type> for Value {
            fn from($value: $type) -> Self { $made }
        }
    )* };
}

into_value! {
    HRESULT => |hr| Self::Hr(hr);
    u8 => |number| Self::Num(number.into());
    u16 => |number| Self::Num(number.into());
    u32 => |number| Self::Num(number.into());
    i32 => |number| Self::Num(number.into());
    i64 => |number| Self::Num(number);
    u64 => |number| Self::Num(number as i64);
    usize => |number| Self::Num(number as i64);
    isize => |number| Self::Num(number as i64);
    bool => |value| Self::Bool(value);
    BOOL => |value| Self::Bool(value.as_bool());
    HANDLE => |handle| Self::Handle(handle);
    HWND => |window| Self::Window(window);
    GUID => |id| Self::Guid(id);
    *mut c_void => |raw| Self::pointer(raw);
    String => |text| Self::Text(text);
    &str => |text| Self::Text(text.to_owned());
}

/// What an argument can be read as.
pub trait Argument: Sized {
    /// What it is called in errors.
    const IS: &'static str;
    /// The argument, if the value is of that kind.
    fn of(value: &Value) -> Option<Self>;
}

macro_rules! argument {
    ($($type:ty = $is:literal: $($pattern:pat => $made:expr),+;)*) => { $(
        impl Argument for $type {
            const IS: &'static str = $is;
            #[allow(unreachable_patterns, reason = "one table for all kinds")]
            fn of(value: &Value) -> Option<Self> {
                match value { $($pattern => Some($made),)+ _ => None }
            }
        }
    )* };
}

argument! {
    u16 = "a number": Value::Num(number) => *number as u16;
    u32 = "a number": Value::Num(number) => *number as u32, Value::Hr(hr) => hr.0 as u32;
    i32 = "a number": Value::Num(number) => *number as i32;
    i64 = "a number": Value::Num(number) => *number;
    u64 = "a number": Value::Num(number) => *number as u64;
    usize = "a number": Value::Num(number) => *number as usize, Value::Null => 0;
    isize = "a number": Value::Num(number) => *number as isize;
    bool = "TRUE or FALSE": Value::Bool(value) => *value, Value::Num(number) => *number != 0;
    BOOL = "TRUE or FALSE": Value::Bool(value) => BOOL::from(*value), Value::Num(number) => BOOL(*number as i32);
    HRESULT = "an HRESULT": Value::Hr(hr) => *hr, Value::Num(number) => HRESULT(*number as i32);
    HANDLE = "a handle": Value::Handle(handle) => *handle, Value::Null => HANDLE::NULL,
        Value::Num(number) => HANDLE(std::ptr::without_provenance_mut(*number as usize));
    HWND = "a window": Value::Window(window) => *window, Value::Null => HWND::NULL;
    GUID = "an interface or a class": Value::Guid(id) => *id;
    *mut c_void = "a pointer": Value::Pointer(raw) => std::ptr::with_exposed_provenance_mut(*raw),
        Value::Null => std::ptr::null_mut();
    String = "a text": Value::Text(text) => text.clone();
    Value = "a value": value => value.clone();
}

impl Argument for Vec<HANDLE> {
    const IS: &'static str = "a list of handles";
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::List(values) => values.iter().map(HANDLE::of).collect(),
            _ => None,
        }
    }
}

impl Argument for Vec<GUID> {
    const IS: &'static str = "a list of interfaces";
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::List(values) => values.iter().map(GUID::of).collect(),
            _ => None,
        }
    }
}
