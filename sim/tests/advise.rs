//! An asynchronous advise sink: in every order of notifications of the old kind and a call by halves, whether the client waits
//! for that or not (MSG-19, SRV-02); and in another process, where notifications are calls (RUL-152).

#![allow(clippy::undocumented_unsafe_blocks, reason = "every call of a COM method is one; the rules are those of COM")]

#[path = "../../core/tests/common/offices.rs"]
mod offices;

use offices::{Desk, Done, IDesk, Setup, enter, leave, open, unpack};
use oleander::debug::live_objects;
use oleander::object::{AutoInner, create_aggregated};
use oleander::windows_core::{GUID, HRESULT, Interface};
use oleander::*;
use oleander_sim::{Builder, run, world};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

/// What the server is told, and the calls that it has not signalled.
#[derive(Default)]
struct Told {
    log: Mutex<Vec<&'static str>>,
    waiting: Mutex<Vec<ISynchronize>>,
    /// Of a sink that takes a second for each call, and signals it then: where its ends are counted.
    at_once: Option<Arc<Done>>,
}

// SAFETY: the pointers are the server's; its thread alone uses them.
unsafe impl Send for Told {}
// SAFETY: as above.
unsafe impl Sync for Told {}

/// Sets `all` when the third call has begun.
#[com_class(IAdviseSink, ICallFactory)]
struct Sink {
    told: Arc<Told>,
    all: HANDLE,
}

impl IAdviseSink_Impl for Sink_Impl {
    unsafe fn OnDataChange(&self, _: *const FORMATETC, _: *const STGMEDIUM) {
        unreachable!("the server is asynchronous");
    }
    unsafe fn OnViewChange(&self, _: u32, _: i32) {
        unreachable!("the server is asynchronous");
    }
    unsafe fn OnRename(&self, _: *mut c_void) {
        unreachable!("the server is asynchronous");
    }
    unsafe fn OnSave(&self) {
        unreachable!("the server is asynchronous");
    }
    unsafe fn OnClose(&self) {
        unreachable!("the server is asynchronous");
    }
}

impl ICallFactory_Impl for Sink_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        let call = SinkCall { told: self.told.clone(), all: self.all, event: AutoInner::default() };
        unsafe {
            assert_eq!(*riid, AsyncIAdviseSink::IID);
            create_aggregated(call, outer, riid2, ppv)
        }
    }
}

#[com_class(AsyncIAdviseSink, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct SinkCall {
    told: Arc<Told>,
    all: HANDLE,
    event: AutoInner,
}

impl SinkCall_Impl {
    fn begin(&self, what: &'static str) {
        let sync: ISynchronize = self.query().expect("its event");
        if self.told.at_once.is_some() {
            unsafe {
                Sleep(1000);
                assert_eq!(sync.Signal(), S_OK);
            }
            return;
        }
        let begun = {
            let mut waiting = self.told.waiting.lock().unwrap();
            waiting.push(sync);
            waiting.len()
        };
        self.told.log.lock().unwrap().push(what);
        if begun == 3 {
            assert!(unsafe { SetEvent(self.all) }.as_bool());
        }
    }

    fn finish(&self, what: &'static str) {
        if let Some(done) = &self.told.at_once {
            done.calls.fetch_add(1, Ordering::SeqCst);
        }
        self.told.log.lock().unwrap().push(what);
    }
}

impl AsyncIAdviseSink_Impl for SinkCall_Impl {
    unsafe fn Begin_OnDataChange(&self, _: *const FORMATETC, _: *const STGMEDIUM) {
        self.begin("begin data");
    }
    unsafe fn Finish_OnDataChange(&self) {
        self.finish("finish data");
    }
    unsafe fn Begin_OnViewChange(&self, _: u32, _: i32) {
        self.begin("begin view");
    }
    unsafe fn Finish_OnViewChange(&self) {
        self.finish("finish view");
    }
    unsafe fn Begin_OnRename(&self, _: *mut c_void) {
        self.begin("begin rename");
    }
    unsafe fn Finish_OnRename(&self) {
        self.finish("finish rename");
    }
    unsafe fn Begin_OnSave(&self) {
        self.begin("begin save");
    }
    unsafe fn Finish_OnSave(&self) {
        self.finish("finish save");
    }
    unsafe fn Begin_OnClose(&self) {
        self.begin("begin close");
    }
    unsafe fn Finish_OnClose(&self) {
        self.finish("finish close");
    }
}

/// Dispatches calls until an event is set.
fn serve_until(event: HANDLE) {
    let mut index = 0;
    assert_eq!(unsafe { CoWaitForMultipleHandles(0, INFINITE, 1, &event, &mut index) }, S_OK);
}

/// An STA with a sink, which signals its calls when all three have begun, and ends when the client says so.
fn serve(told: Arc<Told>, packet: &Mutex<usize>, [ready, all, done]: [HANDLE; 3]) {
    unsafe {
        assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
        let (sink, mut stream) = (IAdviseSink::from(Sink { told: told.clone(), all }), null_mut());
        assert_eq!(CoMarshalInterThreadInterfaceInStream(&IAdviseSink::IID, sink.as_raw(), &mut stream), S_OK);
        drop(sink);
        *packet.lock().unwrap() = stream as usize;
        assert!(SetEvent(ready).as_bool());
        serve_until(all);
        let waiting = std::mem::take(&mut *told.waiting.lock().unwrap());
        for sync in waiting {
            assert_eq!(sync.Signal(), S_OK);
        }
        serve_until(done);
        CoUninitialize();
    }
}

/// A notification, a call by halves and a notification. `waits` is whether the client finishes the call or drops it.
fn tell(sink: &IAdviseSink, waits: bool) {
    unsafe {
        sink.OnSave();
        let (factory, mut raw) = (sink.cast::<ICallFactory>().unwrap(), null_mut());
        assert_eq!(factory.CreateCall(&AsyncIAdviseSink::IID, null_mut(), &AsyncIAdviseSink::IID, &mut raw), S_OK);
        let call = AsyncIAdviseSink::from_raw(raw);
        call.Begin_OnViewChange(1, -1);
        sink.OnClose();
        if waits {
            call.Finish_OnViewChange();
        }
    }
}

fn scenario(waits: bool) {
    let [ready, all, done] =
        [0; 3].map(|_| unsafe { CreateEventW(null_mut(), true.into(), false.into(), std::ptr::null()) });
    let (told, packet) = (Arc::new(Told::default()), Arc::new(Mutex::new(0)));
    let (own, packed, events) = (told.clone(), packet.clone(), [ready, all, done]);
    let events = events.map(|event| event.0 as usize);
    let server = oleander_sim::thread::spawn(move || {
        serve(own, &packed, events.map(|event| HANDLE(event as *mut c_void)));
    });
    unsafe {
        assert_eq!(WaitForSingleObject(ready, INFINITE), WAIT_OBJECT_0);
        assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
        let (stream, mut raw) = (*packet.lock().unwrap() as *mut c_void, null_mut());
        assert_eq!(CoGetInterfaceAndReleaseStream(stream, &IAdviseSink::IID, &mut raw), S_OK);
        let sink = IAdviseSink::from_raw(raw);
        tell(&sink, waits);
        serve_until(all);
        drop(sink);
        assert!(SetEvent(done).as_bool());
        server.join().expect("the server");
        CoUninitialize();
        for event in [ready, all, done] {
            assert!(CloseHandle(event).as_bool());
        }
    }
    let log = told.log.lock().unwrap();
    // In the order of the queue; each has its Finish_ inside its Signal, wanted or not.
    assert_eq!(log[..], ["begin save", "begin view", "begin close", "finish save", "finish view", "finish close"]);
    assert_eq!(live_objects(), 0);
}

#[test]
fn msg_19_srv_02_an_asynchronous_sink_is_told_all_in_every_order() {
    for waits in [true, false] {
        let checked = Builder::new().run(move || scenario(waits));
        assert!(checked.failure.is_none() && checked.complete, "{checked}");
    }
}

/// A desk that has a sink to give.
fn desk_with_a_sink(done: &Arc<Done>) -> IDesk {
    let (desk, told) = (Desk::make(done), Told { at_once: Some(done.clone()), ..Told::default() });
    let sink = IAdviseSink::from(Sink { told: Arc::new(told), all: HANDLE::NULL });
    assert_eq!(unsafe { desk.Keep(&IAdviseSink::IID, sink.as_raw()) }, S_OK);
    desk
}

#[test]
fn rul_152_to_another_process_a_notification_is_a_call() {
    let models = [COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED];
    for (client, model) in models.into_iter().flat_map(|client| models.map(|model| (client, model))) {
        run(move || {
            let process = world::process();
            let office = open(process.emulated(), Setup { model, make: desk_with_a_sink, ..Setup::STA });
            enter(client);
            let (desk, mut raw): (IDesk, _) = (unpack(&office.packet), null_mut());
            let sink = unsafe {
                assert_eq!(desk.Give(&IAdviseSink::IID, &mut raw), S_OK);
                IAdviseSink::from_raw(raw)
            };
            let before_ns = world::now_ns();
            unsafe { sink.OnSave() };
            assert_eq!(office.calls(), 1, "the caller has waited for its end");
            assert!(world::now_ns() >= before_ns + 1_000_000_000);
            drop((sink, desk));
            leave();
            assert_eq!((live_objects(), office.close()), (0, 0));
        })
        .expect_completed();
    }
}
