//! IAdviseSink and IAdviseSink2: callers are told nothing, media cross by value (IID-13).

use super::*;
use oleander::windows_core::IUnknown;
use std::ffi::c_void;
use std::sync::Mutex;

type Heard = std::sync::Arc<Mutex<Vec<String>>>;

#[com_class(IAdviseSink2)]
struct Sink {
    heard: Heard,
}

impl Sink {
    fn hear(&self, what: impl Into<String>) {
        self.heard.lock().unwrap().push(what.into());
    }
}

/// A test's storage: no methods beside those of all, and it can go to every apartment as it is.
#[interface("0000000B-0000-0000-C000-000000000046")]
unsafe trait IStored: IUnknown {}

#[com_class(IStored, agile)]
struct Storage;

impl IStored_Impl for Storage_Impl {}

#[com_class(IStored)]
struct StaysHome;

impl IStored_Impl for StaysHome_Impl {}

/// A test's moniker, which goes to every apartment as it is too.
#[interface("0000000F-0000-0000-C000-000000000046")]
unsafe trait INamed: IUnknown {}

#[com_class(INamed, agile)]
struct Moniker;

impl INamed_Impl for Moniker_Impl {}

/// A device of 21 bytes with a name in its data, as words: behind the type there is more.
const PRINTER: [u32; 6] = [21, 12 << 16, 0, u32::from_le_bytes(*b"draf"), u32::from_le_bytes(*b"t\0xy"), b'z' as u32];

/// The bytes of a device behind its offsets, after which it is the sink's to write into: it is a copy.
fn data_of(device: *mut DVTARGETDEVICE) -> String {
    if device.is_null() {
        return "any".to_owned();
    }
    // SAFETY: the stub's memory, as large as the device says.
    unsafe {
        let size = (*device).tdSize as usize;
        let bytes = std::slice::from_raw_parts_mut(device.cast::<u8>(), size);
        let data = String::from_utf8(bytes[12..].to_vec()).expect("text");
        bytes.fill(0);
        data
    }
}

/// The text in a medium.
fn text(medium: &STGMEDIUM) -> String {
    // SAFETY: the medium is what it says.
    let bytes = unsafe {
        match medium.tymed {
            TYMED_HGLOBAL => {
                let global = HANDLE(medium.u);
                let memory = GlobalLock(global).cast::<u8>();
                let bytes = std::slice::from_raw_parts(memory, GlobalSize(global)).to_vec();
                assert!(!GlobalUnlock(global).as_bool());
                bytes
            }
            TYMED_ISTREAM => {
                let stream = IStream::from_raw_borrowed(&medium.u).expect("a stream");
                let (mut buffer, mut read) = ([0; 16], 0);
                assert!(stream.Read(buffer.as_mut_ptr().cast(), 16, &mut read).is_ok());
                buffer[..read as usize].to_vec()
            }
            TYMED_FILE if !medium.u.is_null() => {
                let name = medium.u.cast::<u16>();
                let len = (0..).take_while(|i| *name.add(*i) != 0).count();
                String::from_utf16(std::slice::from_raw_parts(name, len)).expect("a name").into_bytes()
            }
            TYMED_ISTORAGE => {
                let storage = IUnknown::from_raw_borrowed(&medium.u).expect("a storage");
                format!("a storage {}", storage.cast::<IStored>().is_ok()).into_bytes()
            }
            _ => b"nothing".to_vec(),
        }
    };
    String::from_utf8(bytes).unwrap()
}

impl IAdviseSink_Impl for Sink_Impl {
    unsafe fn OnDataChange(&self, pFormatetc: *const FORMATETC, pStgmed: *const STGMEDIUM) {
        // SAFETY: the stub's memory, or null.
        let (format, medium) = unsafe { (pFormatetc.as_ref(), pStgmed.as_ref()) };
        let device = format.map_or("no format".to_owned(), |it| data_of(it.ptd));
        let format = format.map_or((0, 0, 0), |it| (it.cfFormat, it.lindex, it.tymed));
        let medium = medium.map_or("no medium".to_owned(), text);
        self.hear(format!("{format:?} {device:?} {medium}"));
    }
    unsafe fn OnViewChange(&self, dwAspect: u32, lindex: i32) {
        self.hear(format!("view {dwAspect} {lindex}"));
    }
    unsafe fn OnRename(&self, pmk: *mut c_void) {
        self.hear(format!("rename {}", pmk.is_null()));
    }
    unsafe fn OnSave(&self) {
        self.hear("save");
        panic!("a sink that panics: its caller is told nothing");
    }
    unsafe fn OnClose(&self) {
        self.hear("close");
    }
}

impl IAdviseSink2_Impl for Sink_Impl {
    unsafe fn OnLinkSrcChange(&self, pmk: *mut c_void) {
        self.hear(format!("link {}", pmk.is_null()));
    }
}

const FORMAT: FORMATETC = FORMATETC { cfFormat: 0xC123, ptd: ptr::null_mut(), dwAspect: 1, lindex: -1, tymed: 5 };

fn medium(tymed: u32, u: *mut c_void) -> STGMEDIUM {
    STGMEDIUM { tymed, u, pUnkForRelease: ptr::null_mut() }
}

/// Global memory with a text.
fn global(text: &str) -> HANDLE {
    // SAFETY: memory of that size.
    unsafe {
        let global = GlobalAlloc(GMEM_MOVEABLE, text.len());
        GlobalLock(global).cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
        assert!(!GlobalUnlock(global).as_bool());
        global
    }
}

/// A stream with a text, at its start.
fn stream(text: &str) -> IStream {
    let mut raw = ptr::null_mut();
    // SAFETY: valid arguments; a counted pointer comes back.
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        let stream = IStream::from_raw(raw);
        assert_eq!(stream.Write(text.as_ptr().cast(), text.len() as u32, ptr::null_mut()), S_OK);
        assert_eq!(stream.Seek(0, STREAM_SEEK_SET, ptr::null_mut()), S_OK);
        stream
    }
}

fn sink_that(test: impl Fn(IAdviseSink2, Heard) + Clone + Send + 'static) {
    let heard = Heard::default();
    let make = heard.clone();
    through_a_proxy(
        move || IAdviseSink2::from(Sink { heard: make.clone() }),
        move |sink| {
            heard.lock().unwrap().clear();
            test(sink, heard.clone());
        },
    );
}

#[test]
fn iid_13_notifications_through_a_proxy() {
    sink_that(|sink, heard| {
        let (data, bytes) = (global("in memory"), stream("in a stream"));
        // SAFETY: valid formats and media.
        unsafe {
            sink.OnDataChange(&FORMAT, &medium(TYMED_NULL, ptr::null_mut()));
            sink.OnDataChange(&FORMAT, &medium(TYMED_HGLOBAL, data.0));
            sink.OnDataChange(&FORMAT, &medium(TYMED_ISTREAM, bytes.as_raw()));
            sink.OnDataChange(ptr::null(), ptr::null());
            // A metafile stays at home, and so does the notification; nobody is told (RUL-160).
            sink.OnDataChange(&FORMAT, &medium(TYMED_ENHMF, data.0));
            sink.OnViewChange(2, -7);
            sink.OnRename(ptr::null_mut());
            sink.OnSave();
            sink.OnClose();
            sink.OnLinkSrcChange(ptr::null_mut());
            assert!(GlobalFree(data).is_null(), "still the caller's");
        }
        let format = "(49443, -1, 5) \"any\"";
        let data = ["nothing", "in memory", "in a stream"].map(|what| format!("{format} {what}"));
        let mut expected = data.to_vec();
        expected.extend(
            ["(0, 0, 0) \"no format\" no medium", "view 2 -7", "rename true", "save", "close", "link true"]
                .map(String::from),
        );
        assert_eq!(*heard.lock().unwrap(), expected);
    });
}

#[test]
fn rul_160_a_target_device_crosses_with_all_its_bytes() {
    sink_that(|sink, heard| {
        let mut printer = PRINTER;
        let format = FORMATETC { ptd: (&raw mut printer).cast(), ..FORMAT };
        // SAFETY: a device as large as it says, and media of no data.
        unsafe {
            sink.OnDataChange(&format, &medium(TYMED_NULL, ptr::null_mut()));
            let call: AsyncIAdviseSink2 = create_call(&sink);
            call.Begin_OnDataChange(&format, ptr::null());
            // The device crossed by value.
            printer[4] = 0;
            call.Finish_OnDataChange();
            printer[0] = 11;
            sink.OnDataChange(&format, ptr::null());
        }
        assert_eq!(printer[1], PRINTER[1], "the sink's is a copy");
        let device = "(49443, -1, 5) \"draft\\0xyz\"";
        assert_eq!(*heard.lock().unwrap(), [format!("{device} nothing"), format!("{device} no medium")]);
    });
}

#[test]
fn rul_160_files_and_storages_cross_and_graphics_do_not() {
    sink_that(|sink, heard| {
        let mut name = "C:\\data".encode_utf16().chain([0]).collect::<Vec<_>>();
        let (storage, home) = (IStored::from(Storage), IStored::from(StaysHome));
        // SAFETY: valid formats and media; media of graphics are not looked into.
        unsafe {
            sink.OnDataChange(&FORMAT, &medium(TYMED_FILE, name.as_mut_ptr().cast()));
            sink.OnDataChange(&FORMAT, &medium(TYMED_FILE, ptr::null_mut()));
            sink.OnDataChange(&FORMAT, &medium(TYMED_ISTORAGE, storage.as_raw()));
            for stays in [TYMED_GDI, TYMED_MFPICT, TYMED_ENHMF, 3] {
                sink.OnDataChange(&FORMAT, &medium(stays, name.as_mut_ptr().cast()));
            }
            // There is no proxy for a storage.
            sink.OnDataChange(&FORMAT, &medium(TYMED_ISTORAGE, home.as_raw()));
            sink.OnClose();
        }
        let told = |what: &str| format!("(49443, -1, 5) \"any\" {what}");
        assert_eq!(
            *heard.lock().unwrap(),
            [told("C:\\data"), told("nothing"), told("a storage true"), "close".to_owned()]
        );
    });
}

#[test]
fn iid_13_asynchronous_notifications_return_nothing_either() {
    sink_that(|sink, heard| {
        let call: AsyncIAdviseSink2 = create_call(&sink);
        let data = global("gone soon");
        // SAFETY: valid formats and media.
        unsafe {
            call.Begin_OnDataChange(&FORMAT, &medium(TYMED_HGLOBAL, data.0));
            // The medium crossed by value.
            assert!(GlobalFree(data).is_null());
            call.Finish_OnDataChange();
            call.Begin_OnViewChange(1, 2);
            call.Finish_OnViewChange();
            call.Begin_OnLinkSrcChange(ptr::null_mut());
            call.Finish_OnLinkSrcChange();
            // The sink panics inside it: nobody is told.
            call.Begin_OnSave();
            call.Finish_OnSave();
            call.Begin_OnClose();
            call.Finish_OnClose();
        }
        let base: AsyncIAdviseSink = create_call(&sink);
        // SAFETY: no pointers.
        unsafe {
            base.Begin_OnViewChange(3, 4);
            base.Finish_OnViewChange();
        }
        let expected = ["(49443, -1, 5) \"any\" gone soon", "view 1 2", "link true", "save", "close", "view 3 4"];
        assert_eq!(*heard.lock().unwrap(), expected);
    });
}

#[test]
fn rul_161_monikers_cross_where_they_can() {
    sink_that(|sink, heard| {
        let (moniker, home) = (INamed::from(Moniker), IStored::from(StaysHome));
        let call: AsyncIAdviseSink2 = create_call(&sink);
        // SAFETY: null, or an object that lives; nothing is called of it but IUnknown's methods.
        unsafe {
            for pmk in [moniker.as_raw(), home.as_raw(), ptr::null_mut()] {
                sink.OnRename(pmk);
                call.Begin_OnRename(pmk);
                call.Finish_OnRename();
                sink.OnLinkSrcChange(pmk);
                call.Begin_OnLinkSrcChange(pmk);
                call.Finish_OnLinkSrcChange();
            }
        }
        // There is no proxy for the one that stays at home: nothing is sent.
        let told =
            |null| [format!("rename {null}"), format!("rename {null}"), format!("link {null}"), format!("link {null}")];
        assert_eq!(*heard.lock().unwrap(), [told(false), told(true)].concat());
    });
}
