//! An owned BSTR: freed when dropped, text of UTF-16 units, possibly with NULs and unpaired surrogates in it.

use crate::abi::memory::{SysAllocStringByteLen, SysAllocStringLen, SysFreeString, SysStringByteLen, SysStringLen};
use crate::abi::types::BSTR;
use std::fmt;
use std::ptr;

/// A BSTR that belongs to its holder. Null is the empty string, as everywhere in COM.
///
/// ```
/// use oleander::bstr::OwnedBstr;
/// let text = OwnedBstr::from("oleander");
/// assert_eq!((text.as_wide().len(), text.to_string()), (8, "oleander".to_owned()));
/// ```
#[repr(transparent)]
pub struct OwnedBstr(BSTR);

// SAFETY: a BSTR is plain memory; shared references only read it.
unsafe impl Send for OwnedBstr {}
// SAFETY: as above.
unsafe impl Sync for OwnedBstr {}

impl OwnedBstr {
    /// The empty string, without memory.
    pub const fn new() -> Self {
        Self(BSTR(ptr::null()))
    }

    /// A copy of units.
    ///
    /// # Panics
    /// When there are 2³¹ or more, or no memory.
    pub fn from_wide(units: &[u16]) -> Self {
        let length = u32::try_from(units.len()).expect("a BSTR holds fewer than 2^31 units");
        // SAFETY: so many units.
        let bstr = unsafe { SysAllocStringLen(units.as_ptr(), length) };
        assert!(!bstr.is_null(), "a BSTR of {length} units can be allocated");
        Self(bstr)
    }

    /// Takes over a BSTR.
    ///
    /// # Safety
    /// `bstr` is null or a BSTR that belongs to the caller and is not freed by anyone else.
    pub unsafe fn from_raw(bstr: BSTR) -> Self {
        Self(bstr)
    }

    /// The BSTR, still owned by `self`: for `[in]` parameters.
    pub fn as_raw(&self) -> BSTR {
        self.0
    }

    /// The BSTR, now the caller's: for `[out]` parameters.
    pub fn into_raw(self) -> BSTR {
        let bstr = self.0;
        std::mem::forget(self);
        bstr
    }

    /// The units, without the NUL behind them.
    pub fn as_wide(&self) -> &[u16] {
        if self.0.is_null() {
            return &[];
        }
        // SAFETY: a live BSTR, aligned, with that many units, which nobody changes.
        unsafe { std::slice::from_raw_parts(self.0.0, SysStringLen(self.0) as usize) }
    }

    /// The bytes; their number may be odd where the string was made of bytes.
    pub fn as_bytes(&self) -> &[u8] {
        if self.0.is_null() {
            return &[];
        }
        // SAFETY: as above, in bytes.
        unsafe { std::slice::from_raw_parts(self.0.0.cast(), SysStringByteLen(self.0) as usize) }
    }
}

impl Drop for OwnedBstr {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { SysFreeString(self.0) };
    }
}

impl Clone for OwnedBstr {
    fn clone(&self) -> Self {
        if self.0.is_null() {
            return Self::new();
        }
        let bytes = self.as_bytes();
        // SAFETY: that many bytes; their number came from a BSTR.
        let bstr = unsafe { SysAllocStringByteLen(bytes.as_ptr(), bytes.len() as u32) };
        assert!(!bstr.is_null(), "a BSTR of {} bytes can be allocated", bytes.len());
        Self(bstr)
    }
}

impl Default for OwnedBstr {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&str> for OwnedBstr {
    fn from(text: &str) -> Self {
        Self::from_wide(&text.encode_utf16().collect::<Vec<_>>())
    }
}

impl PartialEq for OwnedBstr {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for OwnedBstr {}

impl PartialEq<str> for OwnedBstr {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes().len().is_multiple_of(2) && self.as_wide().iter().copied().eq(other.encode_utf16())
    }
}

impl PartialEq<&str> for OwnedBstr {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Display for OwnedBstr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf16_lossy(self.as_wide()))
    }
}

impl fmt::Debug for OwnedBstr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf16_lossy(self.as_wide()), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_are_equal_and_everything_comes_back() {
        assert_eq!(OwnedBstr::new(), OwnedBstr::from(""));
        assert!(OwnedBstr::from("").as_raw().0.addr() != 0 && OwnedBstr::new().clone().as_raw().is_null());
        let text = OwnedBstr::from("a\0ü𝄞");
        assert_eq!((text.as_wide().len(), &text), (5, &text.clone()));
        assert_eq!(text, "a\0ü𝄞");
        assert_ne!(text, "a");
        assert_eq!(format!("{text:?}"), "\"a\\0ü𝄞\"");
        // SAFETY: what `into_raw` gave.
        let back = unsafe { OwnedBstr::from_raw(text.into_raw()) };
        assert_eq!(back.to_string(), "a\0ü𝄞");
    }

    #[test]
    fn odd_bytes_survive_a_clone() {
        // SAFETY: three bytes.
        let odd = unsafe { OwnedBstr::from_raw(SysAllocStringByteLen(b"abc".as_ptr(), 3)) };
        assert_eq!((odd.as_bytes(), odd.as_wide().len()), (b"abc".as_slice(), 1));
        assert_eq!(odd.clone(), odd);
        assert_ne!(odd, "\u{6261}", "there is a byte more");
    }
}
