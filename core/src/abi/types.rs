//! Handles, structures and flags, spelled and laid out as in the headers.

use std::ffi::c_void;
use windows_core::{GUID, HRESULT};

macro_rules! handle {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(pub *mut c_void);

        impl $name {
            /// The null handle.
            pub const NULL: Self = Self(std::ptr::null_mut());
            /// Whether it is null.
            pub fn is_null(self) -> bool { self.0.is_null() }
        }
        impl Default for $name {
            fn default() -> Self { Self::NULL }
        }
        // SAFETY: a handle is a number; nobody dereferences it.
        unsafe impl Send for $name {}
        // SAFETY: as above.
        unsafe impl Sync for $name {}
    )* };
}

handle! {
    /// A kernel object of the process.
    HANDLE;
    /// A window.
    HWND;
    /// A module; this library knows one.
    HINSTANCE;
}

/// The handle that means failure where null is meaningful.
pub const INVALID_HANDLE_VALUE: HANDLE = HANDLE(usize::MAX as *mut c_void);

/// First message parameter.
pub type WPARAM = usize;
/// Second message parameter.
pub type LPARAM = isize;
/// What a window procedure returns.
pub type LRESULT = isize;

/// A message of a thread's queue.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MSG {
    /// The window, null for a thread message.
    pub hwnd: HWND,
    /// The message number.
    pub message: u32,
    /// First parameter.
    pub wParam: WPARAM,
    /// Second parameter.
    pub lParam: LPARAM,
    /// When it was posted, in milliseconds.
    pub time: u32,
    /// Where the pointer was; always 0, 0.
    pub pt: [i32; 2],
}

/// A window procedure.
pub type WNDPROC =
    Option<unsafe extern "system" fn(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT>;

/// A window class for `RegisterClassW`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WNDCLASSW {
    /// Ignored.
    pub style: u32,
    /// The window procedure.
    pub lpfnWndProc: WNDPROC,
    /// Ignored.
    pub cbClsExtra: i32,
    /// Extra bytes of each window, for `SetWindowLongPtrW` with index 0 and above.
    pub cbWndExtra: i32,
    /// Ignored.
    pub hInstance: HINSTANCE,
    /// Ignored.
    pub hIcon: HANDLE,
    /// Ignored.
    pub hCursor: HANDLE,
    /// Ignored.
    pub hbrBackground: HANDLE,
    /// Ignored.
    pub lpszMenuName: *const u16,
    /// The name under which windows are created.
    pub lpszClassName: *const u16,
}

/// `WNDCLASSW` with names in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WNDCLASSA {
    /// Ignored.
    pub style: u32,
    /// The window procedure.
    pub lpfnWndProc: WNDPROC,
    /// Ignored.
    pub cbClsExtra: i32,
    /// Extra bytes of each window, for `SetWindowLongPtrW` with index 0 and above.
    pub cbWndExtra: i32,
    /// Ignored.
    pub hInstance: HINSTANCE,
    /// Ignored.
    pub hIcon: HANDLE,
    /// Ignored.
    pub hCursor: HANDLE,
    /// Ignored.
    pub hbrBackground: HANDLE,
    /// Ignored.
    pub lpszMenuName: *const u8,
    /// The name under which windows are created.
    pub lpszClassName: *const u8,
}

/// A window class for `RegisterClassExW`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WNDCLASSEXW {
    /// The size of the structure in bytes.
    pub cbSize: u32,
    /// Ignored.
    pub style: u32,
    /// The window procedure.
    pub lpfnWndProc: WNDPROC,
    /// Ignored.
    pub cbClsExtra: i32,
    /// Extra bytes of each window, for `SetWindowLongPtrW` with index 0 and above.
    pub cbWndExtra: i32,
    /// Ignored.
    pub hInstance: HINSTANCE,
    /// Ignored.
    pub hIcon: HANDLE,
    /// Ignored.
    pub hCursor: HANDLE,
    /// Ignored.
    pub hbrBackground: HANDLE,
    /// Ignored.
    pub lpszMenuName: *const u16,
    /// The name under which windows are created.
    pub lpszClassName: *const u16,
    /// Ignored.
    pub hIconSm: HANDLE,
}

/// `WNDCLASSEXW` with names in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WNDCLASSEXA {
    /// The size of the structure in bytes.
    pub cbSize: u32,
    /// Ignored.
    pub style: u32,
    /// The window procedure.
    pub lpfnWndProc: WNDPROC,
    /// Ignored.
    pub cbClsExtra: i32,
    /// Extra bytes of each window, for `SetWindowLongPtrW` with index 0 and above.
    pub cbWndExtra: i32,
    /// Ignored.
    pub hInstance: HINSTANCE,
    /// Ignored.
    pub hIcon: HANDLE,
    /// Ignored.
    pub hCursor: HANDLE,
    /// Ignored.
    pub hbrBackground: HANDLE,
    /// Ignored.
    pub lpszMenuName: *const u8,
    /// The name under which windows are created.
    pub lpszClassName: *const u8,
    /// Ignored.
    pub hIconSm: HANDLE,
}

/// How a window was created: what `WM_NCCREATE` and `WM_CREATE` point at.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CREATESTRUCTW {
    /// The last parameter of `CreateWindowExW`.
    pub lpCreateParams: *mut c_void,
    /// As given to `CreateWindowExW`, like all that follows.
    pub hInstance: HINSTANCE,
    /// The menu, or a child's number.
    pub hMenu: HANDLE,
    /// The parent.
    pub hwndParent: HWND,
    /// The height.
    pub cy: i32,
    /// The width.
    pub cx: i32,
    /// The position from above.
    pub y: i32,
    /// The position from the left.
    pub x: i32,
    /// The style.
    pub style: i32,
    /// The window's name.
    pub lpszName: *const u16,
    /// The class, by name or atom.
    pub lpszClass: *const u16,
    /// The extended style.
    pub dwExStyle: u32,
}

/// `CREATESTRUCTW` with names in bytes, as `CreateWindowExA` gives it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CREATESTRUCTA {
    /// The last parameter of `CreateWindowExW`.
    pub lpCreateParams: *mut c_void,
    /// As given to `CreateWindowExW`, like all that follows.
    pub hInstance: HINSTANCE,
    /// The menu, or a child's number.
    pub hMenu: HANDLE,
    /// The parent.
    pub hwndParent: HWND,
    /// The height.
    pub cy: i32,
    /// The width.
    pub cx: i32,
    /// The position from above.
    pub y: i32,
    /// The position from the left.
    pub x: i32,
    /// The style.
    pub style: i32,
    /// The window's name.
    pub lpszName: *const u8,
    /// The class, by name or atom.
    pub lpszClass: *const u8,
    /// The extended style.
    pub dwExStyle: u32,
}

/// A message as the channel hands it to interface proxies and stubs (`RPCOLEMESSAGE`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RPCOLEMESSAGE {
    /// The channel's own.
    pub reserved1: *mut c_void,
    /// How data is represented: 0x10 is little endian, ASCII, IEEE.
    pub dataRepresentation: u32,
    /// The buffer; `GetBuffer` makes it.
    pub Buffer: *mut c_void,
    /// Its length in bytes.
    pub cbBuffer: u32,
    /// The vtable slot of the method, counted from `QueryInterface` = 0.
    pub iMethod: u32,
    /// The channel's own.
    pub reserved2: [*mut c_void; 5],
    /// `RPC_BUFFER_…` and `RPCFLG_…` flags.
    pub rpcFlags: u32,
}

impl Default for RPCOLEMESSAGE {
    fn default() -> Self {
        Self {
            reserved1: std::ptr::null_mut(),
            dataRepresentation: 0x10,
            Buffer: std::ptr::null_mut(),
            cbBuffer: 0,
            iMethod: 0,
            reserved2: [std::ptr::null_mut(); 5],
            rpcFlags: 0,
        }
    }
}

/// Which call a channel hook is told of.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SChannelHookCallInfo {
    /// The interface. `riid` of the hook's methods points here.
    pub iid: GUID,
    /// The length of this structure in bytes.
    pub cbSize: u32,
    /// The logical thread that the call belongs to (APT-33).
    pub uCausality: GUID,
    /// The server's process.
    pub dwServerPid: u32,
    /// The vtable slot of the method, counted from `QueryInterface` = 0.
    pub iMethod: u32,
    /// On the server's side the object, not counted. Null on the client's.
    pub pObject: *mut c_void,
}

/// One entry of a query for several interfaces at once.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MULTI_QI {
    /// The interface asked for.
    pub pIID: *const GUID,
    /// The interface found, or null.
    pub pItf: *mut c_void,
    /// What the query for it gave.
    pub hr: windows_core::HRESULT,
}

/// A 64-bit number in a structure (`LARGE_INTEGER`, `ULARGE_INTEGER`).
pub type LARGE_INTEGER = i64;

/// A counted string of UTF-16 units, as it is passed; null is the empty string. The length in bytes lies in the four bytes
/// before the first unit, a NUL after the last. It owns nothing: `SysFreeString`, or [`OwnedBstr`](crate::bstr::OwnedBstr).
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BSTR(pub *const u16);

impl BSTR {
    /// The null string.
    pub const NULL: Self = Self(std::ptr::null());
    /// Whether it is null.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }
}

impl Default for BSTR {
    fn default() -> Self {
        Self::NULL
    }
}

/// What a stream says of itself.
#[repr(C)]
#[derive(Clone, Copy, Debug, crate::Ndr)]
pub struct STATSTG {
    /// The name, from `CoTaskMemAlloc`; always null for the streams of this library.
    #[idl(string)]
    pub pwcsName: *mut u16,
    /// 2: a stream.
    pub r#type: u32,
    /// Its size in bytes.
    pub cbSize: u64,
    /// Times of modification, creation and access; always 0.
    pub times: [u64; 3],
    /// How it was opened.
    pub grfMode: u32,
    /// Locks it supports; none.
    pub grfLocksSupported: u32,
    /// Class id; null.
    pub clsid: GUID,
    /// State bits; 0.
    pub grfStateBits: u32,
    /// Reserved.
    pub reserved: u32,
}

/// A device that data are made for. It has `tdSize` bytes in all; a device as large as this type has one byte of data.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DVTARGETDEVICE {
    /// All its bytes, also those beyond this type.
    pub tdSize: u32,
    /// Where the driver's name begins; 0 for none.
    pub tdDriverNameOffset: u16,
    /// Where the device's name begins; 0 for none.
    pub tdDeviceNameOffset: u16,
    /// Where the port's name begins; 0 for none.
    pub tdPortNameOffset: u16,
    /// Where the settings of the device begin; 0 for none.
    pub tdExtDevmodeOffset: u16,
    /// What the offsets lead to, counted from the structure's start. They may lie: nobody checks them on the way.
    pub tdData: [u8; 1],
}

/// A format of data.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FORMATETC {
    /// The format.
    pub cfFormat: u16,
    /// The device that the data are made for; null for any. Memory of `CoTaskMemAlloc`, where it is returned.
    pub ptd: *mut DVTARGETDEVICE,
    /// The aspect of the data.
    pub dwAspect: u32,
    /// The part of the aspect; -1 for all.
    pub lindex: i32,
    /// The media, `TYMED_…`.
    pub tymed: u32,
}

/// Data, in one of several media.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct STGMEDIUM {
    /// The medium, `TYMED_…`; to another apartment can go null, global memory, a file's name, a stream, and a storage that
    /// marshals itself; `DV_E_TYMED` for the others.
    pub tymed: u32,
    /// The data: `hGlobal`, `lpszFileName`, `pstm`, `pstg`, as the medium says.
    pub u: *mut c_void,
    /// Who frees the data; null when the holder does.
    pub pUnkForRelease: *mut c_void,
}

/// Who calls, for a message filter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct INTERFACEINFO {
    /// The object that is called.
    pub pUnk: *mut c_void,
    /// The interface.
    pub iid: GUID,
    /// The method's vtable slot.
    pub wMethod: u16,
}

/// Identity of the caller for `CoCreateInstanceEx`; must be null here.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct COSERVERINFO {
    /// Reserved.
    pub dwReserved1: u32,
    /// The machine's name.
    pub pwszName: *mut u16,
    /// Authentication; ignored.
    pub pAuthInfo: *mut c_void,
    /// Reserved.
    pub dwReserved2: u32,
}

/// What a context callback gets.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ComCallData {
    /// For the function.
    pub dwDispid: u32,
    /// Reserved.
    pub dwReserved: u32,
    /// For the function.
    pub pUserDefined: *mut c_void,
}

/// The function of `IContextCallback::ContextCallback`.
pub type PFNCONTEXTCALL = Option<unsafe extern "system" fn(pParam: *mut ComCallData) -> HRESULT>;

/// Makes a class object: a DLL's `DllGetClassObject`.
pub type LPFNGETCLASSOBJECT =
    Option<unsafe extern "system" fn(rclsid: *const GUID, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT>;

/// The principal of a security blanket: the default one.
pub const COLE_DEFAULT_PRINCIPAL: *mut u16 = std::ptr::without_provenance_mut(usize::MAX);
/// The identity of a security blanket: the thread's own.
pub const COLE_DEFAULT_AUTHINFO: *mut c_void = std::ptr::without_provenance_mut(usize::MAX);

macro_rules! flags {
    ($(#[doc = $doc:literal] $ty:ty { $($name:ident = $value:expr),* $(,)? })*) => { $( $(
        #[doc = $doc]
        pub const $name: $ty = $value;
    )* )*
        /// Every flag and limit of this module: name and value.
        pub const FLAGS: &[(&str, i64)] = &[$( $( (stringify!($name), $name as i64) ),* ),*];
    };
}

flags! {
    /// Flags of `CoWaitForMultipleHandles` and `ISynchronize::Wait` (ENUM-01).
    u32 {
        COWAIT_DEFAULT = 0, COWAIT_WAITALL = 1, COWAIT_ALERTABLE = 2, COWAIT_INPUTAVAILABLE = 4,
        COWAIT_DISPATCH_CALLS = 8, COWAIT_DISPATCH_WINDOW_MESSAGES = 0x10,
    }
    /// Flags and limit of `CoWaitForMultipleObjects` (ENUM-02).
    u32 { CWMO_DEFAULT = 0, CWMO_DISPATCH_CALLS = 1, CWMO_DISPATCH_WINDOW_MESSAGES = 2, CWMO_MAX_HANDLES = 56 }
    /// Concurrency model and options of `CoInitializeEx` (ENUM-03).
    u32 {
        COINIT_MULTITHREADED = 0, COINIT_APARTMENTTHREADED = 2, COINIT_DISABLE_OLE1DDE = 4,
        COINIT_SPEED_OVER_MEMORY = 8,
    }
    /// Apartment types (ENUM-04).
    i32 { APTTYPE_CURRENT = -1, APTTYPE_STA = 0, APTTYPE_MTA = 1, APTTYPE_NA = 2, APTTYPE_MAINSTA = 3 }
    /// What else is true of the apartment (ENUM-05).
    i32 {
        APTTYPEQUALIFIER_NONE = 0, APTTYPEQUALIFIER_IMPLICIT_MTA = 1, APTTYPEQUALIFIER_NA_ON_MTA = 2,
        APTTYPEQUALIFIER_NA_ON_STA = 3, APTTYPEQUALIFIER_NA_ON_IMPLICIT_MTA = 4,
        APTTYPEQUALIFIER_NA_ON_MAINSTA = 5, APTTYPEQUALIFIER_APPLICATION_STA = 6,
    }
    /// Whether a thread dispatches messages (ENUM-06).
    i32 { THDTYPE_BLOCKMESSAGES = 0, THDTYPE_PROCESSMESSAGES = 1 }
    /// Where a packet goes (ENUM-07).
    u32 {
        MSHCTX_LOCAL = 0, MSHCTX_NOSHAREDMEM = 1, MSHCTX_DIFFERENTMACHINE = 2, MSHCTX_INPROC = 3, MSHCTX_CROSSCTX = 4,
        MSHCTX_CONTAINER = 5,
    }
    /// How long a packet lives (ENUM-07).
    u32 { MSHLFLAGS_NORMAL = 0, MSHLFLAGS_TABLESTRONG = 1, MSHLFLAGS_TABLEWEAK = 2, MSHLFLAGS_NOPING = 4 }
    /// What sort of connection `IExternalConnection` is told of.
    u32 { EXTCONN_STRONG = 1, EXTCONN_WEAK = 2, EXTCONN_CALLABLE = 4 }
    /// What `CoGetStdMarshalEx` makes.
    u32 { SMEXF_SERVER = 1, SMEXF_HANDLER = 2 }
    /// How a class object is registered (ENUM-08).
    u32 {
        REGCLS_SINGLEUSE = 0, REGCLS_MULTIPLEUSE = 1, REGCLS_MULTI_SEPARATE = 2, REGCLS_SUSPENDED = 4,
        REGCLS_SURROGATE = 8,
    }
    /// Where a class runs (ENUM-08).
    u32 {
        CLSCTX_INPROC_SERVER = 1, CLSCTX_INPROC_HANDLER = 2, CLSCTX_LOCAL_SERVER = 4, CLSCTX_REMOTE_SERVER = 0x10,
        CLSCTX_ALL = 0x17, CLSCTX_APPCONTAINER = 0x40_0000,
    }
    /// A message is a notification of the old kind, or input-synchronous (MSG-19).
    u32 { RPCFLG_ASYNCHRONOUS = 0x4000_0000, RPCFLG_INPUT_SYNCHRONOUS = 0x2000_0000 }
    /// What kind of call arrives at a message filter (ENUM-09).
    u32 {
        CALLTYPE_TOPLEVEL = 1, CALLTYPE_NESTED = 2, CALLTYPE_ASYNC = 3, CALLTYPE_TOPLEVEL_CALLPENDING = 4,
        CALLTYPE_ASYNC_CALLPENDING = 5,
    }
    /// What a message filter says of an incoming call (ENUM-09).
    u32 { SERVERCALL_ISHANDLED = 0, SERVERCALL_REJECTED = 1, SERVERCALL_RETRYLATER = 2 }
    /// What kind of call is pending when a window message comes (ENUM-09).
    u32 { PENDINGTYPE_TOPLEVEL = 1, PENDINGTYPE_NESTED = 2 }
    /// What a message filter says of a window message during a call (ENUM-09).
    u32 { PENDINGMSG_CANCELCALL = 0, PENDINGMSG_WAITNOPROCESS = 1, PENDINGMSG_WAITDEFPROCESS = 2 }
    /// State of a call, as `IAsyncManager::GetState` reports it (ENUM-10).
    u32 { DCOM_NONE = 0, DCOM_CALL_COMPLETE = 1, DCOM_CALL_CANCELED = 2 }
    /// When an agile reference marshals (ENUM-11).
    i32 { AGILEREFERENCE_DEFAULT = 0, AGILEREFERENCE_DELAYEDMARSHAL = 1 }
    /// Times and results of waits (ENUM-12). `INFINITE` is in milliseconds.
    u32 {
        INFINITE = 0xFFFF_FFFF, WAIT_OBJECT_0 = 0, WAIT_ABANDONED_0 = 0x80, WAIT_IO_COMPLETION = 0xC0,
        WAIT_TIMEOUT = 258, WAIT_FAILED = 0xFFFF_FFFF, MAXIMUM_WAIT_OBJECTS = 64,
    }
    /// Wait for the server's acknowledgement for ever; a parameter in seconds (ENUM-12).
    u32 { RPC_C_CANCEL_INFINITE_TIMEOUT = 0xFFFF_FFFF }
    /// Authentication services of a blanket.
    u32 {
        RPC_C_AUTHN_NONE = 0, RPC_C_AUTHN_DCE_PRIVATE = 1, RPC_C_AUTHN_DCE_PUBLIC = 2, RPC_C_AUTHN_DEC_PUBLIC = 4,
        RPC_C_AUTHN_GSS_NEGOTIATE = 9, RPC_C_AUTHN_WINNT = 10, RPC_C_AUTHN_GSS_SCHANNEL = 14,
        RPC_C_AUTHN_GSS_KERBEROS = 16, RPC_C_AUTHN_DPA = 17, RPC_C_AUTHN_MSN = 18, RPC_C_AUTHN_KERNEL = 20,
        RPC_C_AUTHN_DIGEST = 21, RPC_C_AUTHN_MQ = 100, RPC_C_AUTHN_DEFAULT = 0xFFFF_FFFF,
    }
    /// Authorization services of a blanket.
    u32 { RPC_C_AUTHZ_NONE = 0, RPC_C_AUTHZ_NAME = 1, RPC_C_AUTHZ_DCE = 2, RPC_C_AUTHZ_DEFAULT = 0xFFFF_FFFF }
    /// Authentication levels of a blanket.
    u32 {
        RPC_C_AUTHN_LEVEL_DEFAULT = 0, RPC_C_AUTHN_LEVEL_NONE = 1, RPC_C_AUTHN_LEVEL_CONNECT = 2,
        RPC_C_AUTHN_LEVEL_CALL = 3, RPC_C_AUTHN_LEVEL_PKT = 4, RPC_C_AUTHN_LEVEL_PKT_INTEGRITY = 5,
        RPC_C_AUTHN_LEVEL_PKT_PRIVACY = 6,
    }
    /// Impersonation levels of a blanket.
    u32 {
        RPC_C_IMP_LEVEL_DEFAULT = 0, RPC_C_IMP_LEVEL_ANONYMOUS = 1, RPC_C_IMP_LEVEL_IDENTIFY = 2,
        RPC_C_IMP_LEVEL_IMPERSONATE = 3, RPC_C_IMP_LEVEL_DELEGATE = 4,
    }
    /// Capabilities of a blanket.
    u32 {
        EOAC_NONE = 0, EOAC_MUTUAL_AUTH = 1, EOAC_STATIC_CLOAKING = 0x20, EOAC_DYNAMIC_CLOAKING = 0x40,
        EOAC_ANY_AUTHORITY = 0x80, EOAC_MAKE_FULLSIC = 0x100, EOAC_DEFAULT = 0x800,
    }
    /// Choices of `CreateEventEx`.
    u32 { CREATE_EVENT_MANUAL_RESET = 1, CREATE_EVENT_INITIAL_SET = 2 }
    /// What a handle may do, of which nothing is checked.
    u32 {
        EVENT_MODIFY_STATE = 2, EVENT_ALL_ACCESS = 0x1F_0003, SEMAPHORE_MODIFY_STATE = 2, SEMAPHORE_ALL_ACCESS = 0x1F_0003,
        MUTEX_ALL_ACCESS = 0x1F_0001, SYNCHRONIZE = 0x10_0000, THREAD_ALL_ACCESS = 0x1F_FFFF,
    }
    /// How `CreateThread` starts a thread; the exit code of one that has not ended.
    u32 { CREATE_SUSPENDED = 4, STACK_SIZE_PARAM_IS_A_RESERVATION = 0x1_0000, STILL_ACTIVE = 259 }
    /// How `RegisterWaitForSingleObject` calls; what is not here or is not once makes no difference.
    u32 {
        WT_EXECUTEDEFAULT = 0, WT_EXECUTEINIOTHREAD = 1, WT_EXECUTEINWAITTHREAD = 4, WT_EXECUTEONLYONCE = 8,
        WT_EXECUTELONGFUNCTION = 0x10, WT_EXECUTEINPERSISTENTTHREAD = 0x80,
    }
    /// How `DuplicateHandle` treats its source.
    u32 { DUPLICATE_CLOSE_SOURCE = 1, DUPLICATE_SAME_ACCESS = 2 }
    /// Window messages.
    u32 {
        WM_NULL = 0, WM_CREATE = 1, WM_DESTROY = 2, WM_CLOSE = 0x10, WM_QUIT = 0x12, WM_NCCREATE = 0x81,
        WM_NCDESTROY = 0x82, WM_TIMER = 0x113, WM_DDE_FIRST = 0x3E0, WM_DDE_LAST = 0x3E8, WM_USER = 0x400,
        WM_APP = 0x8000,
    }
    /// Whether `PeekMessage` removes what it finds.
    u32 { PM_NOREMOVE = 0, PM_REMOVE = 1, PM_NOYIELD = 2 }
    /// Flags of `MsgWaitForMultipleObjectsEx`.
    u32 { MWMO_WAITALL = 1, MWMO_ALERTABLE = 2, MWMO_INPUTAVAILABLE = 4 }
    /// The shortest and the longest period of a timer, in milliseconds.
    u32 { USER_TIMER_MINIMUM = 0xA, USER_TIMER_MAXIMUM = 0x7FFF_FFFF }
    /// What input wakes `MsgWaitForMultipleObjectsEx`.
    u32 { QS_POSTMESSAGE = 8, QS_TIMER = 0x10, QS_SENDMESSAGE = 0x40, QS_ALLPOSTMESSAGE = 0x100, QS_ALLINPUT = 0x4FF }
    /// Index of a window's user data.
    i32 { GWLP_USERDATA = -21, GWLP_WNDPROC = -4, GWL_STYLE = -16, GWL_EXSTYLE = -20 }
    /// How `SendMessageTimeout` sends.
    u32 { SMTO_NORMAL = 0, SMTO_BLOCK = 1, SMTO_ABORTIFHUNG = 2, SMTO_NOTIMEOUTIFNOTHUNG = 8, SMTO_ERRORONEXIT = 0x20 }
    /// How the message was sent that a thread handles.
    u32 { ISMEX_NOSEND = 0, ISMEX_SEND = 1, ISMEX_NOTIFY = 2, ISMEX_CALLBACK = 4, ISMEX_REPLIED = 8 }
    /// Win32 errors, as `GetLastError` gives them.
    u32 {
        ERROR_SUCCESS = 0, ERROR_IO_PENDING = 997, ERROR_FILE_NOT_FOUND = 2, ERROR_PATH_NOT_FOUND = 3, ERROR_GEN_FAILURE = 31,
        ERROR_INVALID_HANDLE = 6, ERROR_NOT_ENOUGH_MEMORY = 8, ERROR_INVALID_PARAMETER = 87,
        ERROR_INVALID_WINDOW_HANDLE = 1400, ERROR_CANNOT_FIND_WND_CLASS = 1407, ERROR_CLASS_ALREADY_EXISTS = 1410,
        ERROR_CLASS_DOES_NOT_EXIST = 1411, ERROR_INVALID_THREAD_ID = 1444, ERROR_INVALID_INDEX = 1413,
        ERROR_ACCESS_DENIED = 5, ERROR_MOD_NOT_FOUND = 126, ERROR_ALREADY_EXISTS = 183, ERROR_NOT_OWNER = 288, ERROR_DISCARDED = 157,
        ERROR_NOT_LOCKED = 158,
        ERROR_CLASS_HAS_WINDOWS = 1412, ERROR_NOT_ENOUGH_QUOTA = 1816, ERROR_TIMEOUT = 1460, ERROR_TOO_MANY_POSTS = 298,
    }
    /// What memory `CoGetMalloc` is asked for.
    u32 { MEMCTX_TASK = 1 }
    /// What global memory is.
    u32 {
        GMEM_FIXED = 0, GMEM_MOVEABLE = 2, GMEM_ZEROINIT = 0x40, GMEM_MODIFY = 0x80, GHND = 0x42, GPTR = 0x40,
    }
    /// Threading models of `OleanderRegisterInProcessClass`.
    u32 {
        OLEANDER_THREADING_MAIN = 0, OLEANDER_THREADING_APARTMENT = 1, OLEANDER_THREADING_FREE = 2,
        OLEANDER_THREADING_BOTH = 3, OLEANDER_THREADING_NEUTRAL = 4,
    }
    /// Flags of `OleanderRegisterInProcessClass`.
    u32 { OLEANDER_CLASS_CONFIGURED = 1 }
    /// Properties of `IGlobalOptions`.
    u32 {
        COMGLOB_EXCEPTION_HANDLING = 1, COMGLOB_APPID = 2, COMGLOB_RPC_THREADPOOL_SETTING = 3, COMGLOB_RO_SETTINGS = 4,
        COMGLOB_UNMARSHALING_POLICY = 5, COMGLOB_PROPERTIES_RESERVED1 = 6, COMGLOB_PROPERTIES_RESERVED2 = 7,
        COMGLOB_PROPERTIES_RESERVED3 = 8,
    }
    /// Values of `COMGLOB_EXCEPTION_HANDLING`.
    u32 {
        COMGLOB_EXCEPTION_HANDLE = 0, COMGLOB_EXCEPTION_DONOT_HANDLE_FATAL = 1, COMGLOB_EXCEPTION_DONOT_HANDLE = 1,
        COMGLOB_EXCEPTION_DONOT_HANDLE_ANY = 2,
    }
    /// Values of `COMGLOB_RPC_THREADPOOL_SETTING`.
    u32 { COMGLOB_RPC_THREADPOOL_SETTING_DEFAULT_POOL = 0, COMGLOB_RPC_THREADPOOL_SETTING_PRIVATE_POOL = 1 }
    /// Values of `COMGLOB_UNMARSHALING_POLICY`.
    u32 {
        COMGLOB_UNMARSHALING_POLICY_NORMAL = 0, COMGLOB_UNMARSHALING_POLICY_STRONG = 1,
        COMGLOB_UNMARSHALING_POLICY_HYBRID = 2,
    }
    /// Where data lie.
    u32 {
        TYMED_NULL = 0, TYMED_HGLOBAL = 1, TYMED_FILE = 2, TYMED_ISTREAM = 4, TYMED_ISTORAGE = 8, TYMED_GDI = 16,
        TYMED_MFPICT = 32, TYMED_ENHMF = 64,
    }
    /// Stream positions.
    u32 { STREAM_SEEK_SET = 0, STREAM_SEEK_CUR = 1, STREAM_SEEK_END = 2 }
}

/// In the place of a window that a message is for: every top-level window.
pub const HWND_BROADCAST: HWND = HWND(0xFFFFusize as *mut c_void);
/// The parent of a message-only window.
pub const HWND_MESSAGE: HWND = HWND(-3isize as *mut c_void);
