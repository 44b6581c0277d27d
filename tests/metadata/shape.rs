//! What a type is in memory, as text: `32`, `word`, `*16`, `function`, the name of a structure. Signs do not count, nor
//! whether a pointer may be written through: callers and callees do not see them.

/// The shape of a type in our sources.
pub fn of_source(ty: &str) -> String {
    let ty = ty.trim();
    if let Some(inside) = ty.strip_prefix("*const ").or_else(|| ty.strip_prefix("*mut ")) {
        return format!("*{}", of_source(inside));
    }
    if let Some(inside) = ty.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>')) {
        return of_source(inside);
    }
    match ty {
        "()" | "c_void" => "void",
        "u8" => "8",
        "u16" => "16",
        "u32" | "i32" | "HRESULT" | "BOOL" => "32",
        "u64" | "i64" | "LARGE_INTEGER" => "64",
        "usize" | "isize" | "WPARAM" | "LPARAM" | "LRESULT" => "word",
        "HANDLE" | "HWND" | "HINSTANCE" => "*void",
        "BSTR" => "*16",
        // The structure's own name; the other one is a `typedef`.
        "STGMEDIUM" => "uSTGMEDIUM",
        "LPTHREAD_START_ROUTINE" | "PAPCFUNC" | "TIMERPROC" | "WAITORTIMERCALLBACK" | "WNDPROC" => "function",
        other => other,
    }
    .to_owned()
}

/// Whether two shapes are the same to callers: an untyped pointer goes for every pointer.
pub fn same(ours: &str, theirs: &str) -> bool {
    match (ours.strip_prefix('*'), theirs.strip_prefix('*')) {
        (Some("void"), Some(_)) | (Some(_), Some("void")) => true,
        (Some(ours), Some(theirs)) => same(ours, theirs),
        _ => ours == theirs,
    }
}
