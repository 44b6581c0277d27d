//! What a user sees: HRESULTs, ids, flags, structures, interfaces and functions, under the names of the headers.

#![allow(non_upper_case_globals, non_snake_case, non_camel_case_types)]

pub mod clsid;
pub(crate) mod exports;
pub mod hresult;
pub mod interfaces;
pub mod types;
