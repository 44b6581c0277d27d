//! Numbers in `size_is` and `length_is`: arithmetic that cannot overflow unseen.

use super::Result;
use crate::abi::hresult::RPC_S_INVALID_BOUND_HR;
use std::ops::{Add, Div, Mul, Rem, Sub};

/// The value of a `size_is` or `length_is` expression, or that it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(Option<i64>);

impl Count {
    /// The value of one name or literal in an expression.
    pub fn of<T: IntoCount>(value: T) -> Self {
        Self(value.into_count())
    }

    /// The number of elements; `RPC_S_INVALID_BOUND` when it is negative, too large or has no value.
    pub fn get(self) -> Result<u32> {
        self.0.and_then(|value| u32::try_from(value).ok()).ok_or(RPC_S_INVALID_BOUND_HR)
    }
}

/// A type whose values can say how many elements an array has.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say how many elements an array has",
    label = "an integer is expected in `size_is` and `length_is`"
)]
pub trait IntoCount {
    /// The value, if it fits.
    fn into_count(self) -> Option<i64>;
}

macro_rules! counts {
    ($($ty:ty),*) => { $(
        impl IntoCount for $ty {
            fn into_count(self) -> Option<i64> { i64::try_from(self).ok() }
        }
    )* };
}
counts!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! checked {
    ($($op:ident $method:ident $checked:ident;)*) => { $(
        impl $op for Count {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self(self.0.zip(other.0).and_then(|(a, b)| a.$checked(b)))
            }
        }
    )* };
}
checked! {
    Add add checked_add;
    Sub sub checked_sub;
    Mul mul checked_mul;
    Div div checked_div;
    Rem rem checked_rem;
}
