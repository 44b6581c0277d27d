//! Class ids of the system's classes (facts section 1.4).

use windows_core::GUID;

const fn ole(first: u32) -> GUID {
    GUID::from_values(first, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46])
}

/// Auto-reset event object: a Wait that succeeds resets it (CLS-01).
pub const CLSID_StdEvent: GUID = ole(0x0000_032B);
/// Manual-reset event object (CLS-02).
pub const CLSID_ManualResetEvent: GUID = ole(0x0000_032C);
/// Container to wait on several synchronisation objects (CLS-03).
pub const CLSID_SynchronizeContainer: GUID = ole(0x0000_032D);
/// The global interface table, one a process (CLS-04).
pub const CLSID_StdGlobalInterfaceTable: GUID = ole(0x0000_0323);
/// Process-wide options (CLS-05).
pub const CLSID_GlobalOptions: GUID = ole(0x0000_034B);
/// The context switcher (CLS-06).
pub const CLSID_ContextSwitcher: GUID = ole(0x0000_034E);
/// The standard marshaler (CLS-07).
pub const CLSID_StdMarshal: GUID = ole(0x0000_0017);
/// The free-threaded marshaler (CLS-08).
pub const CLSID_InProcFreeMarshaler: GUID = ole(0x0000_033A);
/// The free-threaded marshaler, as some older libraries have it (CLS-08, D-14): never reported by COM.
pub const CLSID_InProcFreeMarshaler_OLD: GUID = ole(0x0000_001C);

/// Every class id of this module: name and value.
pub const CLASS_IDS: &[(&str, GUID)] = &[
    ("CLSID_StdEvent", CLSID_StdEvent),
    ("CLSID_ManualResetEvent", CLSID_ManualResetEvent),
    ("CLSID_SynchronizeContainer", CLSID_SynchronizeContainer),
    ("CLSID_StdGlobalInterfaceTable", CLSID_StdGlobalInterfaceTable),
    ("CLSID_GlobalOptions", CLSID_GlobalOptions),
    ("CLSID_ContextSwitcher", CLSID_ContextSwitcher),
    ("CLSID_StdMarshal", CLSID_StdMarshal),
    ("CLSID_InProcFreeMarshaler", CLSID_InProcFreeMarshaler),
    ("CLSID_InProcFreeMarshaler_OLD", CLSID_InProcFreeMarshaler_OLD),
];
