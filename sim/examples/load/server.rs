//! A server whose calls compute for a while and then wait for a device: served synchronously, a call holds a thread all the
//! time; served asynchronously, only while it computes.
//!
//! Both serve from the same number of threads. The synchronous one lives in the MTA and takes one of its permits for each
//! call. The asynchronous one is the article's: `Begin_` queues the call, a pool takes it from there, and whoever is done
//! signals it.

use oleander::kernel::{Event, Semaphore};
use oleander::platform::{Deadline, Why};
use oleander::windows_core::{ComObject, GUID, HRESULT, IUnknown, IUnknownImpl, Interface};
use oleander::*;
use oleander_sim::load::Site;
use oleander_sim::world;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Work that takes a processor and then a device.
#[async_interface(uuid = "5f1f5a61-7f5c-4c1d-9d52-2f6f6c650030", async_uuid = "5f1f5a61-7f5c-4c1d-9d52-2f6f6c650031")]
pub unsafe trait IWork: IUnknown {
    /// Computes so long and waits so long, in microseconds; `done` is their sum.
    fn Do(&self, #[idl(in)] compute_us: u32, #[idl(in)] wait_us: u32, #[idl(out)] done: *mut u32) -> HRESULT;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Synchronous,
    Asynchronous,
}

fn us(us: u32) -> Duration {
    Duration::from_micros(u64::from(us))
}

#[com_class(IWork)]
struct SyncServer {
    permits: Arc<Semaphore>,
}

impl IWork_Impl for SyncServer_Impl {
    unsafe fn Do(&self, compute_us: u32, wait_us: u32, done: *mut u32) -> HRESULT {
        kernel::wait_any(&[&*self.permits], Deadline::NEVER, Why::Wait);
        world::sleep(us(compute_us) + us(wait_us));
        self.permits.release(1);
        unsafe { *done = compute_us + wait_us };
        S_OK
    }
}

/// The asynchronous server's calls: queued, and waiting for the device.
struct Desk {
    queue: Mutex<VecDeque<Work>>,
    queued: Semaphore,
    /// By the time at which the device is done, and then by number.
    device: Mutex<BTreeMap<(u64, u64), Work>>,
    sooner: Arc<Event>,
}

/// A call that was begun.
struct Work {
    call: ComObject<WorkCall>,
    compute_us: u32,
    wait_us: u32,
}

// SAFETY: server, pool and device are all in the MTA, so the objects are used in their own apartment.
unsafe impl Send for Work {}

#[com_class(IWork, ICallFactory)]
struct AsyncServer {
    desk: Arc<Desk>,
}

impl IWork_Impl for AsyncServer_Impl {
    unsafe fn Do(&self, _compute_us: u32, _wait_us: u32, _done: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
}

impl ICallFactory_Impl for AsyncServer_Impl {
    unsafe fn CreateCall(
        &self,
        riid: *const GUID,
        pCtrlUnk: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        if unsafe { *riid } != AsyncIWork::IID {
            return E_NOINTERFACE;
        }
        let call = WorkCall { desk: self.desk.clone(), event: Default::default(), done: Mutex::new(0) };
        unsafe { object::create_aggregated(call, pCtrlUnk, riid2, ppv) }
    }
}

#[com_class(AsyncIWork, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct WorkCall {
    desk: Arc<Desk>,
    event: object::AutoInner,
    done: Mutex<u32>,
}

impl AsyncIWork_Impl for WorkCall_Impl {
    unsafe fn Begin_Do(&self, compute_us: u32, wait_us: u32) -> HRESULT {
        let work = Work { call: self.to_object(), compute_us, wait_us };
        self.desk.queue.lock().unwrap().push_back(work);
        self.desk.queued.release(1);
        S_OK
    }

    unsafe fn Finish_Do(&self, done: *mut u32) -> HRESULT {
        let sync: ISynchronize = self.query().expect("the outer has it");
        assert_eq!(unsafe { sync.Wait(COWAIT_DEFAULT, INFINITE) }, S_OK);
        unsafe { *done = *self.done.lock().unwrap() };
        S_OK
    }
}

impl Work {
    fn signal(self) {
        *self.call.done.lock().unwrap() = self.compute_us + self.wait_us;
        let sync: ISynchronize = self.call.query().expect("the outer has it");
        assert_eq!(unsafe { sync.Signal() }, S_OK);
    }
}

impl Desk {
    fn take(&self) -> Option<Work> {
        kernel::wait_any(&[&self.queued], Deadline::NEVER, Why::Wait);
        self.queue.lock().unwrap().pop_front()
    }

    /// A thread of the pool, until it finds a permit without a call.
    fn serve(&self) {
        let mut number = 0;
        while let Some(work) = self.take() {
            world::sleep(us(work.compute_us));
            number += 1;
            let at_ns = world::now_ns() + u64::from(work.wait_us) * 1000;
            // Threads share the device; the thread's id makes the place its own.
            let place = (at_ns, number << 32 | u64::from(unsafe { GetCurrentThreadId() }));
            self.device.lock().unwrap().insert(place, work);
            self.sooner.set();
        }
    }

    /// The device: signals calls when their time has come, until it is told to stop.
    fn run_device(&self, stop: &Event) {
        loop {
            let first = self.device.lock().unwrap().first_key_value().map(|((at_ns, _), _)| *at_ns);
            let deadline = first.map_or(Deadline::NEVER, Deadline::at_ns);
            match kernel::wait_any(&[&*self.sooner, stop], deadline, Why::Wait) {
                Some(0) => continue,
                Some(_) => return,
                None => {
                    let due = self.device.lock().unwrap().pop_first();
                    due.expect("only the device takes calls away").1.signal();
                }
            }
        }
    }
}

/// Runs `clients` against a server with so many threads. Client and server are apart: an STA calls the MTA.
pub fn with_server(site: &Site, style: Style, threads: u32, clients: impl FnOnce(IWork)) {
    let process = Process::current();
    let desk = Arc::new(Desk {
        queue: Mutex::default(),
        queued: Semaphore::new(&process, 0, u32::MAX >> 1).expect("in range"),
        device: Mutex::default(),
        sooner: Event::auto(),
    });
    let seen = desk.clone();
    if style == Style::Asynchronous {
        site.gauge("queued", move || seen.queue.lock().unwrap().len() as u64);
    }
    let permits = Arc::new(Semaphore::new(&process, threads, threads).expect("in range"));
    let stop = Event::manual();
    let mut pool: Vec<_> = (0..if style == Style::Asynchronous { threads } else { 0 })
        .map(|_| {
            let desk = desk.clone();
            kernel::spawn("pool", false, move || in_mta(|| desk.serve()))
        })
        .collect();
    let (device, stop_device) = (desk.clone(), stop.clone());
    pool.push(kernel::spawn("device", false, move || in_mta(|| device.run_device(&stop_device))));
    let (ready, packet) = (Event::manual(), Arc::new(Mutex::new(0)));
    let (is_ready, put, must_stop, of_server) = (ready.clone(), packet.clone(), stop.clone(), desk.clone());
    pool.push(kernel::spawn("server", false, move || {
        in_mta(|| {
            let server: IWork = match style {
                Style::Synchronous => SyncServer { permits }.into(),
                Style::Asynchronous => AsyncServer { desk: of_server }.into(),
            };
            let mut stream = std::ptr::null_mut();
            let hr = unsafe { CoMarshalInterThreadInterfaceInStream(&IWork::IID, server.as_raw(), &mut stream) };
            hr.ok().expect("a packet");
            *put.lock().unwrap() = stream as usize;
            is_ready.set();
            must_stop.wait(Deadline::NEVER, Why::Wait);
        });
    }));
    ready.wait(Deadline::NEVER, Why::Wait);
    unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED).ok().expect("an STA");
        let (stream, mut work) = (*packet.lock().unwrap() as *mut c_void, std::ptr::null_mut());
        CoGetInterfaceAndReleaseStream(stream, &IWork::IID, &mut work).ok().expect("a proxy");
        clients(IWork::from_raw(work));
        CoUninitialize();
    }
    stop.set();
    desk.queued.release(threads);
    for thread in pool {
        thread.ended.wait(Deadline::NEVER, Why::Wait);
    }
}

fn in_mta(body: impl FnOnce()) {
    unsafe { CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED).ok().expect("the MTA") };
    body();
    unsafe { CoUninitialize() };
}

/// One asynchronous call; what `Finish_` says.
pub async fn call(work: &IWork, compute_us: u32, wait_us: u32) -> (HRESULT, u32) {
    let factory: ICallFactory = work.cast().expect("CALL-01");
    let mut raw = std::ptr::null_mut();
    let call = unsafe {
        factory.CreateCall(&AsyncIWork::IID, std::ptr::null_mut(), &AsyncIWork::IID, &mut raw).ok().expect("CALL-02");
        AsyncIWork::from_raw(raw)
    };
    assert_eq!(unsafe { call.Begin_Do(compute_us, wait_us) }, S_OK);
    let call = oleander::future::begun(&call).await.expect("a call object of ours");
    let mut done = 0;
    let hr = unsafe { call.Finish_Do(&mut done) };
    (hr, done)
}
