//! Ids: new ones, and their text, 32 hexadecimal digits in braces with four hyphens. Pure but for what a new id is drawn from.

use super::exports::export;
use super::hresult::{CO_E_CLASSSTRING, CO_E_IIDSTRING, E_INVALIDARG, E_OUTOFMEMORY, E_UNEXPECTED, S_OK};
use super::memory::CoTaskMemAlloc;
use crate::platform;
use windows_core::{GUID, HRESULT};

/// The units of an id's text, without the NUL.
const UNITS: usize = 38;

/// The text of an id, with the NUL.
fn text(id: &GUID) -> [u16; UNITS + 1] {
    let mut units = [0; UNITS + 1];
    // `Debug` writes the digits as COM does, without the braces.
    for (unit, character) in units.iter_mut().zip(format!("{{{id:?}}}").encode_utf16()) {
        *unit = character;
    }
    units
}

/// The id that a text of the right length names.
fn parse(units: &[u16]) -> Option<GUID> {
    let mut bits = 0_u128;
    for (at, unit) in units.iter().enumerate() {
        let character = char::from_u32(u32::from(*unit))?;
        let wanted = match at {
            0 => Some('{'),
            9 | 14 | 19 | 24 => Some('-'),
            37 => Some('}'),
            _ => None,
        };
        match wanted {
            Some(wanted) if character == wanted => {}
            Some(_) => return None,
            None => bits = bits << 4 | u128::from(character.to_digit(16)?),
        }
    }
    Some(GUID::from_u128(bits))
}

/// The units before the NUL, but not many more than an id has.
///
/// # Safety
/// `text` points at units that end with a NUL.
unsafe fn units_of<'a>(text: *const u16) -> &'a [u16] {
    let mut units = 0;
    // SAFETY: not beyond the NUL.
    while units <= UNITS && unsafe { *text.add(units) } != 0 {
        units += 1;
    }
    // SAFETY: so many were read.
    unsafe { std::slice::from_raw_parts(text, units) }
}

/// # Safety
/// The pointers are null, or valid for what the functions above them say.
unsafe fn to_string(id: *const GUID, place: *mut *mut u16) -> HRESULT {
    // SAFETY: the caller's.
    let (Some(id), Some(out)) = (unsafe { (id.as_ref(), place.as_mut()) }) else { return E_INVALIDARG };
    let units = text(id);
    // SAFETY: the block has room for the text.
    unsafe {
        *out = CoTaskMemAlloc(size_of_val(&units)).cast();
        if out.is_null() {
            return E_OUTOFMEMORY;
        }
        out.copy_from_nonoverlapping(units.as_ptr(), units.len());
    }
    S_OK
}

export! {
    /// A new id, at random (version 4). In a simulated world it depends on nothing but the thread and how many the thread
    /// has drawn before. `E_INVALIDARG` for null.
    ///
    /// # Safety
    /// `pguid` is null or may be written.
    pub unsafe fn CoCreateGuid(pguid: *mut GUID) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { pguid.as_mut() }) else { return E_INVALIDARG };
        let Some(bits) = platform::random_bits() else { return E_UNEXPECTED };
        let version = bits & !(0xF << 76) | 4 << 76;
        *out = GUID::from_u128(version & !(3 << 62) | 2 << 62);
        S_OK
    }

    /// Writes the text of an id, 39 units with the NUL; how many, or 0 when `cchMax` has no room for them.
    ///
    /// # Safety
    /// `rguid` is null or points at an id; `lpsz` is null or points at `cchMax` units.
    pub unsafe fn StringFromGUID2(rguid: *const GUID, lpsz: *mut u16, cchMax: i32) -> i32 {
        // SAFETY: the caller's.
        let Some(id) = (unsafe { rguid.as_ref() }) else { return 0 };
        if lpsz.is_null() || cchMax <= UNITS as i32 {
            return 0;
        }
        let units = text(id);
        // SAFETY: there is room for all of them.
        unsafe { lpsz.copy_from_nonoverlapping(units.as_ptr(), units.len()) };
        units.len() as i32
    }

    /// The text of a class id, from `CoTaskMemAlloc`. `E_INVALIDARG` for null, `E_OUTOFMEMORY`.
    ///
    /// # Safety
    /// The pointers are null or valid.
    pub unsafe fn StringFromCLSID(rclsid: *const GUID, lplpsz: *mut *mut u16) -> HRESULT {
        // SAFETY: the caller's.
        unsafe { to_string(rclsid, lplpsz) }
    }

    /// As `StringFromCLSID`, for an interface id.
    ///
    /// # Safety
    /// The pointers are null or valid.
    pub unsafe fn StringFromIID(rclsid: *const GUID, lplpsz: *mut *mut u16) -> HRESULT {
        // SAFETY: the caller's.
        unsafe { to_string(rclsid, lplpsz) }
    }

    /// The class id that a text names; the null id for null. What is no id could be the name of a class, but there are
    /// none here: `CO_E_CLASSSTRING`, and the null id. `E_INVALIDARG` when there is no place for the result.
    ///
    /// # Safety
    /// `lpsz` is null or points at units that end with a NUL; `pclsid` is null or may be written.
    pub unsafe fn CLSIDFromString(lpsz: *const u16, pclsid: *mut GUID) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { pclsid.as_mut() }) else { return E_INVALIDARG };
        *out = GUID::zeroed();
        if lpsz.is_null() {
            return S_OK;
        }
        // SAFETY: the caller's.
        let units = unsafe { units_of(lpsz) };
        match (units.len() == UNITS).then(|| parse(units)).flatten() {
            Some(id) => {
                *out = id;
                S_OK
            }
            None => CO_E_CLASSSTRING,
        }
    }

    /// The interface id that a text names; the null id for null. `E_INVALIDARG` for a text of another length, and when
    /// there is no place for the result; `CO_E_IIDSTRING` for one that is no id.
    ///
    /// # Safety
    /// `lpsz` is null or points at units that end with a NUL; `lpiid` is null or may be written.
    pub unsafe fn IIDFromString(lpsz: *const u16, lpiid: *mut GUID) -> HRESULT {
        // SAFETY: the caller's.
        let Some(out) = (unsafe { lpiid.as_mut() }) else { return E_INVALIDARG };
        *out = GUID::zeroed();
        if lpsz.is_null() {
            return S_OK;
        }
        // SAFETY: the caller's.
        let units = unsafe { units_of(lpsz) };
        if units.len() != UNITS {
            return E_INVALIDARG;
        }
        match parse(units) {
            Some(id) => {
                *out = id;
                S_OK
            }
            None => CO_E_IIDSTRING,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::memory::CoTaskMemFree;
    use std::ptr;

    const ID: GUID = GUID::from_u128(0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF);
    const TEXT: &str = "{00112233-4455-6677-8899-AABBCCDDEEFF}";

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().chain([0]).collect()
    }

    fn class(text: &str) -> (HRESULT, GUID) {
        let mut id = ID;
        // SAFETY: a text with a NUL, a valid place.
        (unsafe { CLSIDFromString(wide(text).as_ptr(), &mut id) }, id)
    }

    fn interface(text: &str) -> (HRESULT, GUID) {
        let mut id = ID;
        // SAFETY: as above.
        (unsafe { IIDFromString(wide(text).as_ptr(), &mut id) }, id)
    }

    #[test]
    fn the_text_of_an_id_has_39_units_with_the_nul() {
        let mut units = [7_u16; 40];
        // SAFETY: no more units than there are.
        unsafe {
            assert_eq!(StringFromGUID2(&ID, units.as_mut_ptr(), 38), 0);
            assert_eq!(units, [7; 40], "not even in part");
            assert_eq!(StringFromGUID2(&ID, units.as_mut_ptr(), 39), 39);
            assert_eq!(units[..39], wide(TEXT));
            assert_eq!(units[39], 7);
            assert_eq!(StringFromGUID2(&ID, ptr::null_mut(), 39), 0);
            assert_eq!(StringFromGUID2(ptr::null(), units.as_mut_ptr(), 39), 0);
        }
    }

    #[test]
    fn the_text_of_an_id_in_task_memory() {
        for function in [StringFromCLSID, StringFromIID] {
            let mut place = ptr::null_mut();
            // SAFETY: valid places, or null; the text is freed.
            unsafe {
                assert_eq!(function(&ID, &mut place), S_OK);
                assert_eq!(std::slice::from_raw_parts(place, 39), wide(TEXT));
                CoTaskMemFree(place.cast());
                assert_eq!(function(&ID, ptr::null_mut()), E_INVALIDARG);
                assert_eq!(function(ptr::null(), &mut place), E_INVALIDARG);
            }
        }
    }

    #[test]
    fn a_text_is_an_id_whatever_the_case_of_its_digits() {
        assert_eq!(class(TEXT), (S_OK, ID));
        assert_eq!(class(&TEXT.to_lowercase()), (S_OK, ID));
        assert_eq!(interface(TEXT), (S_OK, ID));
    }

    #[test]
    fn no_text_is_the_null_id() {
        let mut id = ID;
        // SAFETY: null is allowed.
        unsafe {
            assert_eq!((CLSIDFromString(ptr::null(), &mut id), id), (S_OK, GUID::zeroed()));
            id = ID;
            assert_eq!((IIDFromString(ptr::null(), &mut id), id), (S_OK, GUID::zeroed()));
            assert_eq!(CLSIDFromString(ptr::null(), ptr::null_mut()), E_INVALIDARG);
            assert_eq!(IIDFromString(ptr::null(), ptr::null_mut()), E_INVALIDARG);
        }
    }

    #[test]
    fn what_is_no_id_says_of_what_it_is_none() {
        let shorter = &TEXT[..37];
        let longer = format!("{TEXT} and more than an id has");
        for text in ["", "Prime.Sieve", shorter, &longer] {
            assert_eq!(class(text), (CO_E_CLASSSTRING, GUID::zeroed()));
            assert_eq!(interface(text), (E_INVALIDARG, GUID::zeroed()), "of another length");
        }
        // Each place on its own.
        for at in 0..UNITS {
            let mut broken = TEXT.to_owned();
            broken.replace_range(at..=at, "x");
            assert_eq!(class(&broken), (CO_E_CLASSSTRING, GUID::zeroed()));
            assert_eq!(interface(&broken), (CO_E_IIDSTRING, GUID::zeroed()));
        }
    }

    #[test]
    fn a_new_id_is_random_and_says_so() {
        let new = || {
            let mut id = GUID::zeroed();
            // SAFETY: a valid place.
            assert_eq!(unsafe { CoCreateGuid(&mut id) }, S_OK);
            id
        };
        let (first, second) = (new(), new());
        assert_ne!(first, second);
        for id in [first, second] {
            assert_eq!((id.data3 >> 12, id.data4[0] >> 6), (4, 2), "version 4 of variant 1");
        }
        // SAFETY: null is allowed.
        assert_eq!(unsafe { CoCreateGuid(ptr::null_mut()) }, E_INVALIDARG);
    }
}
