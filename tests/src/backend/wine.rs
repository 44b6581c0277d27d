//! Whether the system is Wine, and which one. Stateless.

/// Wine's version, where this program runs in Wine.
#[cfg(windows)]
pub fn version() -> Option<String> {
    use std::ffi::{CStr, c_char, c_void};

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
        fn GetProcAddress(module: *mut c_void, name: *const c_char) -> Option<unsafe extern "C" fn() -> *const c_char>;
    }

    // SAFETY: both names end with a zero. Wine's function of that name, which only Wine has, takes nothing and gives a text
    // that is never freed.
    unsafe {
        let module = GetModuleHandleA(c"ntdll.dll".as_ptr());
        let ask = GetProcAddress(module, c"wine_get_version".as_ptr())?;
        Some(CStr::from_ptr(ask()).to_string_lossy().into_owned())
    }
}

/// Wine runs programs that are built for Windows.
#[cfg(not(windows))]
pub fn version() -> Option<String> {
    None
}
