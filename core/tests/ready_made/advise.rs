//! IAdviseSink and IAdviseSink2: callers are told nothing, media cross by value (IID-13).

use super::*;
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
            _ => b"nothing".to_vec(),
        }
    };
    String::from_utf8(bytes).unwrap()
}

impl IAdviseSink_Impl for Sink_Impl {
    unsafe fn OnDataChange(&self, pFormatetc: *const FORMATETC, pStgmed: *const STGMEDIUM) {
        // SAFETY: the stub's memory, or null.
        let (format, medium) = unsafe { (pFormatetc.as_ref(), pStgmed.as_ref()) };
        let format = format.map_or((0, 0, 0), |it| (it.cfFormat, it.lindex, it.tymed));
        self.hear(format!("{format:?} {}", medium.map_or("no medium".to_owned(), text)));
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
            // A file stays at home, and so does the notification; nobody is told.
            sink.OnDataChange(&FORMAT, &medium(TYMED_FILE, data.0));
            sink.OnViewChange(2, -7);
            sink.OnRename(ptr::null_mut());
            sink.OnSave();
            sink.OnClose();
            sink.OnLinkSrcChange(ptr::null_mut());
            assert!(GlobalFree(data).is_null(), "still the caller's");
        }
        let format = "(49443, -1, 5)";
        let data = ["nothing", "in memory", "in a stream"].map(|what| format!("{format} {what}"));
        let mut expected = data.to_vec();
        expected.extend(
            ["(0, 0, 0) no medium", "view 2 -7", "rename true", "save", "close", "link true"].map(String::from),
        );
        assert_eq!(*heard.lock().unwrap(), expected);
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
            call.Begin_OnClose();
            call.Finish_OnClose();
        }
        let base: AsyncIAdviseSink = create_call(&sink);
        // SAFETY: no pointers.
        unsafe {
            base.Begin_OnViewChange(3, 4);
            base.Finish_OnViewChange();
        }
        let expected = ["(49443, -1, 5) gone soon", "view 1 2", "link true", "close", "view 3 4"];
        assert_eq!(*heard.lock().unwrap(), expected);
    });
}
