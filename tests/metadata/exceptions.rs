//! What the metadata does not have, or has differently, with the reason.

/// A name that ends with a star stands for all that begin so.
pub const INTERFACES: &[(&str, &str)] = &[
    ("IContext", "the metadata leaves it out"),
    ("IContextCallback", "the metadata leaves it out"),
    ("IObjContext", "the metadata leaves it out"),
];

pub const FUNCTIONS: &[(&str, &str)] =
    &[("Oleander*", "this library's own: they stand for the registry's entries of a class")];

pub const LIBRARIES: &[(&str, &str)] = &[("RoGetAgileReference", "Wine's ole32 does not have it; every combase does")];

pub const CONSTANTS: &[(&str, &str)] = &[
    ("QS_ALLINPUT", "as before Windows 8, which added touch and pointer input; there is none of either here"),
    ("COMGLOB_*", "the metadata leaves the enumerations of IGlobalOptions out"),
    ("OLEANDER_*", "this library's own: they stand for the registry's entries of a class"),
];

/// The metadata is made of headers; these ids are in a library (uuid.lib). Facts section 1.4 says where theirs come from.
const LIBRARY: &str = "only in uuid.lib";

pub const CLASS_IDS: &[(&str, &str)] = &[
    ("CLSID_StdEvent", LIBRARY),
    ("CLSID_ManualResetEvent", LIBRARY),
    ("CLSID_SynchronizeContainer", LIBRARY),
    ("CLSID_StdGlobalInterfaceTable", LIBRARY),
    ("CLSID_GlobalOptions", LIBRARY),
    ("CLSID_ContextSwitcher", LIBRARY),
    ("CLSID_StdMarshal", LIBRARY),
    ("CLSID_InProcFreeMarshaler", LIBRARY),
    ("CLSID_InProcFreeMarshaler_OLD", "a name of this library's own (D-14)"),
];
