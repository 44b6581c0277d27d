//! Values: a program prints every constant, id, size and offset of the header, and all of them are compared with the
//! library's own. No number of the header rests on somebody's typing.

use crate::compiler::{Compiler, Language, expect_equal, run};
use crate::{Outcome, header, trial};
use libtest_mimic::{Failed, Trial};
use oleander_ffi::oleander::windows_core::{GUID, IUnknown, Interface};
use oleander_ffi::oleander::{self, *};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The tests of this module.
pub fn trials(compiler: &Compiler) -> Vec<Trial> {
    vec![
        trial(compiler, "constants_have_the_librarys_values", constants),
        trial(compiler, "ids_have_the_librarys_values", ids),
        trial(compiler, "structures_have_the_librarys_layout", layouts),
        trial(compiler, "win32_codes_have_the_hresults_of_their_names", win32_codes),
    ]
}

/// Runs a program that prints `name value` lines.
fn printed(compiler: &Compiler, name: &str, body: &str) -> Result<BTreeMap<String, String>, Failed> {
    let source = format!("#include \"oleander.h\"\n#include <stdio.h>\nint main(void) {{\n{body}    return 0;\n}}\n");
    let text = run(&compiler.build(name, &source, &[])?, &[])?;
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Ok(lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn compare(got: BTreeMap<String, String>, wanted: BTreeMap<String, String>) -> Outcome {
    for (name, value) in &wanted {
        expect_equal(name, got.get(name), Some(value))?;
    }
    expect_equal("number of names", got.len(), wanted.len())
}

/// The names of Win32 errors that the library knows as HRESULTs only.
fn is_win32_code(name: &str) -> bool {
    hresult_named(&format!("{name}_HR")).is_some()
}

fn hresult_named(name: &str) -> Option<i64> {
    let found = oleander::abi::hresult::ALL.iter().find(|(other, ..)| *other == name);
    found.map(|(_, value, _)| i64::from(value.0))
}

fn constants(compiler: &Compiler) -> Outcome {
    let mut wanted: BTreeMap<String, String> =
        oleander::abi::hresult::ALL.iter().map(|(name, value, _)| ((*name).to_owned(), value.0.to_string())).collect();
    wanted.extend(FLAGS.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())));
    let windows = [("HWND_MESSAGE", HWND_MESSAGE.0), ("HWND_BROADCAST", HWND_BROADCAST.0)];
    for (name, value) in windows.into_iter().chain([("INVALID_HANDLE_VALUE", INVALID_HANDLE_VALUE.0)]) {
        wanted.insert(name.to_owned(), (value.addr() as isize).to_string());
    }
    // What the header defines must all be known; what the library knows must compile.
    let declared: Vec<String> = header::read().constants.into_iter().filter(|name| !is_win32_code(name)).collect();
    let unknown: Vec<_> = declared.iter().filter(|name| !wanted.contains_key(*name)).collect();
    expect_equal("constants of the header that the library does not have", unknown, Vec::new())?;
    let mut body = String::new();
    for name in wanted.keys() {
        let handle = matches!(name.as_str(), "INVALID_HANDLE_VALUE" | "HWND_MESSAGE" | "HWND_BROADCAST");
        let cast = if handle { "(long long)(intptr_t)" } else { "(long long)" };
        writeln!(body, "    printf(\"{name} %lld\\n\", {cast}{name});")?;
    }
    compare(printed(compiler, "constants", &body)?, wanted)
}

fn win32_codes(compiler: &Compiler) -> Outcome {
    let mut body = String::new();
    let mut wanted = BTreeMap::new();
    for name in header::read().constants.iter().filter(|name| is_win32_code(name)) {
        writeln!(body, "    printf(\"{name} %lld\\n\", (long long)HRESULT_FROM_WIN32({name}));")?;
        wanted.insert(name.clone(), hresult_named(&format!("{name}_HR")).ok_or("looked up before")?.to_string());
    }
    let named = oleander::abi::hresult::ALL.iter().filter(|(name, ..)| name.ends_with("_HR")).count();
    expect_equal("Win32 codes in the header", wanted.len(), named)?;
    compare(printed(compiler, "win32_codes", &body)?, wanted)
}

macro_rules! interface_ids {
    ($($name:ident)*) => { [$((stringify!($name), <$name as Interface>::IID)),*] };
}

fn ids(compiler: &Compiler) -> Outcome {
    let known = interface_ids! {
        IUnknown AsyncIUnknown ISynchronize ISynchronizeHandle ISynchronizeEvent ISynchronizeMutex IWaitMultiple ISynchronizeContainer ICallFactory ICancelMethodCalls
        IClientSecurity IServerSecurity IMultiQI AsyncIMultiQI IRpcChannelBuffer IRpcChannelBuffer2 IAsyncManager IRpcChannelBuffer3 IAsyncRpcChannelBuffer IChannelHook IRpcProxyBuffer IRpcStubBuffer
        IPSFactoryBuffer IMarshal IMarshal2 IStdMarshalInfo INoMarshal IExternalConnection IAgileReference
        IReleaseMarshalBuffers IGlobalInterfaceTable IMessageFilter
        IInitializeSpy IComThreadingInfo IContext IObjContext IContextCallback IGlobalOptions IAgileObject IClassFactory ISequentialStream IStream
        IPersist IPipeByte AsyncIPipeByte IPipeLong AsyncIPipeLong IPipeDouble AsyncIPipeDouble
        IEnumUnknown IMalloc IAdviseSink AsyncIAdviseSink IAdviseSink2 AsyncIAdviseSink2
    };
    let header = header::read();
    let declared: Vec<&str> = header.interfaces.iter().map(|it| it.name.as_str()).collect();
    expect_equal("interfaces of the header", declared, known.map(|(name, _)| name).to_vec())?;
    let class_ids = oleander::abi::clsid::CLASS_IDS;
    expect_equal("class ids", header.ids, class_ids.iter().map(|(name, _)| (*name).to_owned()).collect())?;
    let mut wanted: BTreeMap<String, GUID> = known.iter().map(|(name, iid)| (format!("IID_{name}"), *iid)).collect();
    wanted.extend(class_ids.iter().map(|(name, id)| ((*name).to_owned(), *id)));
    let mut body = String::new();
    for name in wanted.keys() {
        body.push_str(&print_guid(name, name));
    }
    let mut wanted: BTreeMap<String, String> = wanted.into_iter().map(|(name, id)| (name, bytes(&id))).collect();
    if compiler.language == Language::Cpp {
        // By type as well.
        for (name, iid) in known {
            body.push_str(&print_guid(name, &format!("oleander::iid_of<{name}>()")));
            wanted.insert(name.to_owned(), bytes(&iid));
        }
    }
    compare(printed(compiler, "ids", &body)?, wanted)
}

fn print_guid(name: &str, expression: &str) -> String {
    let print = "for (int i = 0; i < 16; i++) printf(\"%02X\", ((const unsigned char *)&id)[i]);";
    format!("    {{ const GUID id = {expression}; printf(\"{name} \"); {print} printf(\"\\n\"); }}\n")
}

/// The bytes of a GUID as they lie in memory.
fn bytes(id: &GUID) -> String {
    let mut raw = Vec::from(id.data1.to_ne_bytes());
    raw.extend(id.data2.to_ne_bytes());
    raw.extend(id.data3.to_ne_bytes());
    raw.extend(id.data4);
    raw.iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"))
}

/// Size and offsets of a structure: the header's name of each field, and the library's where that differs.
macro_rules! layout {
    ($wanted:ident, $body:ident, $name:ident { $($c:literal = $field:ident),* $(,)? }) => {
        $wanted.insert(stringify!($name).to_owned(), size_of::<$name>().to_string());
        writeln!($body, "    printf(\"{0} %zu\\n\", sizeof({0}));", stringify!($name))?;
        $(
            $wanted.insert(format!("{}.{}", stringify!($name), $c), std::mem::offset_of!($name, $field).to_string());
            writeln!($body, "    printf(\"{0}.{1} %zu\\n\", offsetof({0}, {1}));", stringify!($name), $c)?;
        )*
    };
}

fn layouts(compiler: &Compiler) -> Outcome {
    let (mut wanted, mut body) = (BTreeMap::new(), String::new());
    layout!(wanted, body, GUID { "Data1" = data1, "Data2" = data2, "Data3" = data3, "Data4" = data4 });
    layout!(wanted, body, MSG {
        "hwnd" = hwnd, "message" = message, "wParam" = wParam, "lParam" = lParam, "time" = time, "pt" = pt,
    });
    layout!(wanted, body, WNDCLASSW {
        "style" = style, "lpfnWndProc" = lpfnWndProc, "cbClsExtra" = cbClsExtra, "cbWndExtra" = cbWndExtra,
        "hInstance" = hInstance, "hIcon" = hIcon, "hCursor" = hCursor, "hbrBackground" = hbrBackground,
        "lpszMenuName" = lpszMenuName, "lpszClassName" = lpszClassName,
    });
    layout!(wanted, body, CREATESTRUCTW {
        "lpCreateParams" = lpCreateParams, "hInstance" = hInstance, "hMenu" = hMenu, "hwndParent" = hwndParent,
        "cy" = cy, "cx" = cx, "y" = y, "x" = x, "style" = style, "lpszName" = lpszName, "lpszClass" = lpszClass,
        "dwExStyle" = dwExStyle,
    });
    layout!(wanted, body, WNDCLASSA {
        "style" = style, "lpfnWndProc" = lpfnWndProc, "cbClsExtra" = cbClsExtra, "cbWndExtra" = cbWndExtra,
        "hInstance" = hInstance, "hIcon" = hIcon, "hCursor" = hCursor, "hbrBackground" = hbrBackground,
        "lpszMenuName" = lpszMenuName, "lpszClassName" = lpszClassName,
    });
    layout!(wanted, body, WNDCLASSEXW {
        "cbSize" = cbSize, "hIconSm" = hIconSm, "style" = style, "lpfnWndProc" = lpfnWndProc, "cbClsExtra" = cbClsExtra, "cbWndExtra" = cbWndExtra,
        "hInstance" = hInstance, "hIcon" = hIcon, "hCursor" = hCursor, "hbrBackground" = hbrBackground,
        "lpszMenuName" = lpszMenuName, "lpszClassName" = lpszClassName,
    });
    layout!(wanted, body, WNDCLASSEXA {
        "cbSize" = cbSize, "hIconSm" = hIconSm, "style" = style, "lpfnWndProc" = lpfnWndProc, "cbClsExtra" = cbClsExtra, "cbWndExtra" = cbWndExtra,
        "hInstance" = hInstance, "hIcon" = hIcon, "hCursor" = hCursor, "hbrBackground" = hbrBackground,
        "lpszMenuName" = lpszMenuName, "lpszClassName" = lpszClassName,
    });
    layout!(wanted, body, CREATESTRUCTA {
        "lpCreateParams" = lpCreateParams, "hInstance" = hInstance, "hMenu" = hMenu, "hwndParent" = hwndParent,
        "cy" = cy, "cx" = cx, "y" = y, "x" = x, "style" = style, "lpszName" = lpszName, "lpszClass" = lpszClass,
        "dwExStyle" = dwExStyle,
    });
    layout!(wanted, body, RPCOLEMESSAGE {
        "reserved1" = reserved1, "dataRepresentation" = dataRepresentation, "Buffer" = Buffer, "cbBuffer" = cbBuffer,
        "iMethod" = iMethod, "reserved2" = reserved2, "rpcFlags" = rpcFlags,
    });
    layout!(wanted, body, SChannelHookCallInfo {
        "iid" = iid, "cbSize" = cbSize, "uCausality" = uCausality, "dwServerPid" = dwServerPid, "iMethod" = iMethod,
        "pObject" = pObject
    });
    layout!(wanted, body, MULTI_QI { "pIID" = pIID, "pItf" = pItf, "hr" = hr });
    layout!(wanted, body, STATSTG {
        "pwcsName" = pwcsName, "type" = r#type, "cbSize" = cbSize, "mtime" = times, "grfMode" = grfMode,
        "grfLocksSupported" = grfLocksSupported, "clsid" = clsid, "grfStateBits" = grfStateBits, "reserved" = reserved,
    });
    layout!(wanted, body, DVTARGETDEVICE {
        "tdSize" = tdSize, "tdDriverNameOffset" = tdDriverNameOffset, "tdDeviceNameOffset" = tdDeviceNameOffset,
        "tdPortNameOffset" = tdPortNameOffset, "tdExtDevmodeOffset" = tdExtDevmodeOffset, "tdData" = tdData,
    });
    layout!(wanted, body, FORMATETC {
        "cfFormat" = cfFormat, "ptd" = ptd, "dwAspect" = dwAspect, "lindex" = lindex, "tymed" = tymed,
    });
    layout!(wanted, body, STGMEDIUM { "tymed" = tymed, "hGlobal" = u, "pUnkForRelease" = pUnkForRelease });
    layout!(wanted, body, INTERFACEINFO { "pUnk" = pUnk, "iid" = iid, "wMethod" = wMethod });
    layout!(wanted, body, COSERVERINFO {
        "dwReserved1" = dwReserved1, "pwszName" = pwszName, "pAuthInfo" = pAuthInfo, "dwReserved2" = dwReserved2,
    });
    layout!(wanted, body, ComCallData {
        "dwDispid" = dwDispid, "dwReserved" = dwReserved, "pUserDefined" = pUserDefined,
    });
    layout!(wanted, body, HANDLE {});
    layout!(wanted, body, HWND {});
    layout!(wanted, body, HINSTANCE {});
    layout!(wanted, body, BSTR {});
    layout!(wanted, body, LARGE_INTEGER {});
    layout!(wanted, body, WPARAM {});
    layout!(wanted, body, LPARAM {});
    layout!(wanted, body, LRESULT {});
    let (bool_size, hresult_size) = (size_of::<windows_core::BOOL>(), size_of::<windows_core::HRESULT>());
    for (name, size) in [("BOOL", bool_size), ("HRESULT", hresult_size), ("OLECHAR", 2), ("ULONG", 4), ("DWORD", 4)] {
        wanted.insert(name.to_owned(), size.to_string());
        writeln!(body, "    printf(\"{name} %zu\\n\", sizeof({name}));")?;
    }
    compare(printed(compiler, "layouts", &body)?, wanted)
}
