//! Strings of callers: units of UTF-16 for the functions whose names end in W, bytes for those that end in A.
//!
//! Bytes are UTF-8, as on a Windows whose code page is that; bytes that are not are taken as Windows-1252.

/// Longest name of an object or a class, in units.
const NAME_MAX: usize = 260;

/// What Windows-1252 means by 0x80 to 0x9F; the five places without a meaning stand for themselves, as on Windows.
const WINDOWS_1252: [u16; 32] = [
    0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D,
    0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D,
    0x17E, 0x178,
];

/// A unit of a string.
pub(super) trait Unit: Copy {
    fn is_nul(self) -> bool;
    /// The name as units of UTF-16.
    fn to_units(text: Vec<Self>) -> Vec<u16>;
}

impl Unit for u16 {
    fn is_nul(self) -> bool {
        self == 0
    }
    fn to_units(text: Vec<Self>) -> Vec<u16> {
        text
    }
}

impl Unit for u8 {
    fn is_nul(self) -> bool {
        self == 0
    }
    fn to_units(text: Vec<Self>) -> Vec<u16> {
        match std::str::from_utf8(&text) {
            Ok(text) => text.encode_utf16().collect(),
            Err(_) => text.into_iter().map(of_windows_1252).collect(),
        }
    }
}

fn of_windows_1252(byte: u8) -> u16 {
    match byte {
        0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => u16::from(byte),
    }
}

/// The string before its NUL as units of UTF-16; `None` for null, or when it is longer than any name.
///
/// # Safety
/// `text` is null or points at units that end with a NUL.
pub(super) unsafe fn name_at<U: Unit>(text: *const U) -> Option<Vec<u16>> {
    // SAFETY: the caller's promise.
    unsafe { units_at(text, NAME_MAX) }
}

/// The string before its NUL as units of UTF-16, however long it is; `None` for null.
///
/// # Safety
/// `text` is null or points at units that end with a NUL.
pub(super) unsafe fn text_at<U: Unit>(text: *const U) -> Option<Vec<u16>> {
    // SAFETY: the caller's promise.
    unsafe { units_at(text, usize::MAX) }
}

/// # Safety
/// `text` is null or points at units that end with a NUL.
unsafe fn units_at<U: Unit>(text: *const U, max: usize) -> Option<Vec<u16>> {
    if text.is_null() {
        return None;
    }
    let mut units = Vec::new();
    loop {
        // SAFETY: not beyond the NUL.
        let unit = unsafe { *text.add(units.len()) };
        if unit.is_nul() {
            return Some(U::to_units(units));
        }
        if units.len() == max {
            return None;
        }
        units.push(unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_utf_8_or_windows_1252() {
        let units = |bytes: &[u8]| {
            let bytes: Vec<u8> = bytes.iter().copied().chain([0]).collect();
            // SAFETY: it ends with a NUL.
            String::from_utf16(&unsafe { name_at(bytes.as_ptr()) }.expect("it is short")).expect("no half characters")
        };
        assert_eq!(units(b"plain"), "plain");
        assert_eq!(units("Käse €".as_bytes()), "Käse €");
        assert_eq!(units(b"K\xE4se \x80 \x9F"), "Käse € Ÿ");
        // SAFETY: null, and strings that end with a NUL.
        unsafe {
            assert_eq!(name_at(std::ptr::null::<u8>()), None);
            let (longest, too_long) = ([b'x'; NAME_MAX], [b'x'; NAME_MAX + 1]);
            let with_nul = |text: &[u8]| [text, &[0]].concat();
            assert_eq!(name_at(with_nul(&longest).as_ptr()).map(|name| name.len()), Some(NAME_MAX));
            assert_eq!(name_at(with_nul(&too_long).as_ptr()), None);
            assert_eq!(text_at(with_nul(&too_long).as_ptr()).map(|text| text.len()), Some(NAME_MAX + 1));
        }
    }
}
