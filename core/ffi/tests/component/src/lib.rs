//! What a user with a server in Rust and a program in C++ would write: this library holds both oleander (whose functions it
//! exports under their own names) and a class in Rust. `tests/native/programs` has the C++ side; `component.h` there
//! declares what is exported here.
//!
//! State: one server at a time and one client at a time, each a thread with what it hands back, behind a lock that is not
//! held while the thread is waited for.

use oleander::windows_core::{BOOL, GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Mutex, mpsc};
use std::thread::JoinHandle;

// The interface of the example `core/ffi/examples/sieve`, whose proxies and stubs this library has for it.
#[path = "../../../../examples/sieve/interface.rs"]
pub mod sieve;

/// Counts primes; the same interface as in `component.h`.
#[async_interface(uuid = "2b6e6c1a-93a5-4c0e-8a8e-5b1d3f0a7c01", async_uuid = "2b6e6c1a-93a5-4c0e-8a8e-5b1d3f0a7c02")]
pub unsafe trait ISieve: IUnknown {
    /// How many primes there are up to and with `max`.
    fn CountPrimes(&self, #[idl(in)] max: u32, #[idl(out)] count: *mut u32) -> HRESULT;
    /// The id of the thread that the method runs on.
    fn Where(&self, #[idl(out)] thread: *mut u32) -> HRESULT;
    /// Works until the call is cancelled.
    fn UntilCancelled(&self) -> HRESULT;
}

/// The class of the sieve in Rust.
pub const CLSID_Sieve: GUID = GUID::from_u128(0x2b6e6c1a_93a5_4c0e_8a8e_5b1d3f0a7c03);

/// The sieve of Eratosthenes.
#[com_class(ISieve)]
struct Sieve;

fn count_primes(max: u32) -> u32 {
    let mut composite = vec![false; max as usize + 1];
    let mut count = 0;
    for n in 2..composite.len() {
        if !composite[n] {
            count += 1;
            composite.iter_mut().skip(n.saturating_mul(n)).step_by(n).for_each(|it| *it = true);
        }
    }
    count
}

impl ISieve_Impl for Sieve_Impl {
    unsafe fn CountPrimes(&self, max: u32, count: *mut u32) -> HRESULT {
        // SAFETY: null or valid, by the rules of COM.
        let Some(count) = (unsafe { count.as_mut() }) else { return E_POINTER };
        *count = count_primes(max);
        S_OK
    }

    unsafe fn Where(&self, thread: *mut u32) -> HRESULT {
        // SAFETY: as above.
        let Some(thread) = (unsafe { thread.as_mut() }) else { return E_POINTER };
        // SAFETY: no precondition.
        *thread = unsafe { GetCurrentThreadId() };
        S_OK
    }

    unsafe fn UntilCancelled(&self) -> HRESULT {
        loop {
            // SAFETY: no precondition.
            match unsafe { CoTestCancel() } {
                RPC_S_CALLPENDING => std::thread::yield_now(),
                cancelled => return cancelled,
            }
        }
    }
}

/// The server's thread and what ends it.
struct Server {
    thread: JoinHandle<()>,
    stop: mpsc::Sender<()>,
}

static SERVER: Mutex<Option<Server>> = Mutex::new(None);

/// Starts a thread that serves `CLSID_Sieve` from the MTA.
#[unsafe(no_mangle)]
pub extern "C" fn component_serve_sieve() -> HRESULT {
    let (ready, is_ready) = mpsc::channel();
    let (stop, stopped) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        // SAFETY: valid arguments; every pointer is used in the apartment that it belongs to.
        unsafe {
            CoInitializeEx(null_mut(), COINIT_MULTITHREADED).unwrap();
            let factory =
                object::class_factory_with(|outer, riid, ppv| object::create_aggregated(Sieve, outer, riid, ppv));
            let mut cookie = 0;
            let flags = REGCLS_MULTIPLEUSE;
            let hr = CoRegisterClassObject(&CLSID_Sieve, factory.as_raw(), CLSCTX_LOCAL_SERVER, flags, &mut cookie);
            ready.send(hr).unwrap();
            // An error means that the sender is gone: the same request.
            let _ = stopped.recv();
            CoRevokeClassObject(cookie).unwrap();
            drop(factory);
            CoUninitialize();
        }
    });
    let hr = is_ready.recv().unwrap_or(E_UNEXPECTED);
    *SERVER.lock().unwrap() = Some(Server { thread, stop });
    hr
}

/// Ends the server.
#[unsafe(no_mangle)]
pub extern "C" fn component_stop_serving() {
    let Some(server) = SERVER.lock().unwrap().take() else { return };
    drop(server.stop);
    server.thread.join().unwrap();
}

/// An interface pointer on its way to another thread, as a stream.
struct Packet(*mut c_void);
// SAFETY: streams of marshaled interfaces may go from thread to thread.
unsafe impl Send for Packet {}

impl Packet {
    /// # Safety
    /// As for `CoGetInterfaceAndReleaseStream`.
    unsafe fn open<I: Interface>(self) -> Result<I, HRESULT> {
        let mut raw = null_mut();
        // SAFETY: the caller's.
        unsafe {
            CoGetInterfaceAndReleaseStream(self.0, &I::IID, &mut raw).ok().map_err(|error| error.code())?;
            Ok(I::from_raw(raw))
        }
    }
}

/// What a client found: the count, and the thread that the method ran on.
type Found = Result<(u32, u32), HRESULT>;

static CLIENT: Mutex<Option<JoinHandle<Found>>> = Mutex::new(None);

/// An asynchronous call as a client in Rust makes it.
fn call(sieve: &ISieve, max: u32) -> Found {
    let (mut raw, mut count, mut thread) = (null_mut(), 0, 0);
    let ok = |hr: HRESULT| hr.ok().map_err(|error| error.code());
    // SAFETY: pointers of this apartment and valid places.
    unsafe {
        let factory: ICallFactory = sieve.cast().map_err(|error| error.code())?;
        ok(factory.CreateCall(&AsyncISieve::IID, null_mut(), &AsyncISieve::IID, &mut raw))?;
        let call = AsyncISieve::from_raw(raw);
        let state: ISynchronize = call.cast().map_err(|error| error.code())?;
        ok(call.Begin_CountPrimes(max))?;
        ok(state.Wait(COWAIT_DEFAULT, INFINITE))?;
        ok(call.Finish_CountPrimes(&mut count))?;
        ok(call.Begin_Where())?;
        ok(call.Finish_Where(&mut thread))?;
    }
    Ok((count, thread))
}

/// Starts a thread that calls the `ISieve` in the stream asynchronously, from an STA or the MTA, and then sets `done`.
///
/// # Safety
/// `stream` is one of `CoMarshalInterThreadInterfaceInStream`, which this takes; `done` is an event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn component_start_client(stream: *mut c_void, sta: BOOL, max: u32, done: HANDLE) {
    let packet = Packet(stream);
    let thread = std::thread::spawn(move || {
        let packet = packet;
        // SAFETY: the caller's; pointers stay in this apartment.
        unsafe {
            let model = if sta.as_bool() { COINIT_APARTMENTTHREADED } else { COINIT_MULTITHREADED };
            CoInitializeEx(null_mut(), model).unwrap();
            let found = packet.open::<ISieve>().and_then(|sieve| call(&sieve, max));
            CoUninitialize();
            SetEvent(done).unwrap();
            found
        }
    });
    *CLIENT.lock().unwrap() = Some(thread);
}

/// What the client found, when it has ended.
///
/// # Safety
/// The pointers are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn component_client_result(count: *mut u32, thread: *mut u32) -> HRESULT {
    let Some(client) = CLIENT.lock().unwrap().take() else { return E_UNEXPECTED };
    match client.join() {
        Ok(Ok(found)) => {
            // SAFETY: the caller's.
            unsafe { (*count, *thread) = found };
            S_OK
        }
        Ok(Err(hr)) => hr,
        Err(_) => E_FAIL,
    }
}

/// How many objects of the library are alive.
#[unsafe(no_mangle)]
pub extern "C" fn component_live_objects() -> usize {
    debug::live_objects()
}
