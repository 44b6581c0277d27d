//! Objects that windows-rs' own `#[implement]` made, everywhere where ours are: as servers, as clients' outer objects, as
//! parameters.

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/rooms.rs"]
mod rooms;

use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface, OutRef, Ref, implement};
use oleander::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Doubles numbers, and gives objects back.
#[async_interface(uuid = "3a6d8e10-5d0c-4a3e-9b6e-1a2b3c4d5e01", async_uuid = "3a6d8e10-5d0c-4a3e-9b6e-1a2b3c4d5e02")]
unsafe trait IDouble: IUnknown {
    fn Double(&self, #[idl(in)] n: u32, #[idl(out)] twice: *mut u32) -> HRESULT;
    fn Echo(&self, #[idl(in)] object: Ref<'_, IDouble>, #[idl(out)] same: OutRef<'_, IDouble>) -> HRESULT;
}

/// A synchronous server.
#[implement(IDouble, Agile = false)]
struct Server(Arc<AtomicU32>);

impl IDouble_Impl for Server_Impl {
    unsafe fn Double(&self, n: u32, twice: *mut u32) -> HRESULT {
        self.0.store(unsafe { GetCurrentThreadId() }, Ordering::Relaxed);
        unsafe { *twice = 2 * n };
        S_OK
    }
    unsafe fn Echo(&self, object: Ref<'_, IDouble>, same: OutRef<'_, IDouble>) -> HRESULT {
        same.write(object.cloned()).map_or_else(|error| error.code(), |()| S_OK)
    }
}

/// An asynchronous server whose call objects are ours, because they have to be aggregated.
#[implement(IDouble, ICallFactory, Agile = false)]
struct AsyncServer;

impl IDouble_Impl for AsyncServer_Impl {
    unsafe fn Double(&self, _n: u32, _twice: *mut u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Echo(&self, _object: Ref<'_, IDouble>, _same: OutRef<'_, IDouble>) -> HRESULT {
        E_NOTIMPL
    }
}

impl ICallFactory_Impl for AsyncServer_Impl {
    unsafe fn CreateCall(
        &self,
        _riid: *const GUID,
        outer: *mut c_void,
        riid2: *const GUID,
        ppv: *mut *mut c_void,
    ) -> HRESULT {
        let call = DoubleCall { event: Default::default(), twice: AtomicU32::new(0) };
        unsafe { object::create_aggregated(call, outer, riid2, ppv) }
    }
}

#[com_class(AsyncIDouble, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct DoubleCall {
    event: object::AutoInner,
    twice: AtomicU32,
}

impl AsyncIDouble_Impl for DoubleCall_Impl {
    unsafe fn Begin_Double(&self, n: u32) -> HRESULT {
        self.twice.store(2 * n, Ordering::Relaxed);
        unsafe { self.query::<ISynchronize>().expect("SRV-11").Signal() }
    }
    unsafe fn Finish_Double(&self, twice: *mut u32) -> HRESULT {
        unsafe { *twice = self.twice.load(Ordering::Relaxed) };
        S_OK
    }
    unsafe fn Begin_Echo(&self, _object: Ref<'_, IDouble>) -> HRESULT {
        E_NOTIMPL
    }
    unsafe fn Finish_Echo(&self, _same: OutRef<'_, IDouble>) -> HRESULT {
        E_NOTIMPL
    }
}

/// A client's outer object that answers ISynchronize itself (AGG-08): it needs no event of the kernel's own.
#[implement(ISynchronize, Agile = false)]
struct Outer {
    signals: Arc<AtomicU32>,
    thread: Arc<AtomicU32>,
    done: HANDLE,
}

impl ISynchronize_Impl for Outer_Impl {
    unsafe fn Wait(&self, flags: u32, ms: u32) -> HRESULT {
        let mut index = 0;
        unsafe { CoWaitForMultipleHandles(flags, ms, 1, &self.done, &mut index) }
    }
    unsafe fn Signal(&self) -> HRESULT {
        self.signals.fetch_add(1, Ordering::Relaxed);
        self.thread.store(unsafe { GetCurrentThreadId() }, Ordering::Relaxed);
        assert!(unsafe { SetEvent(self.done) }.as_bool());
        S_OK
    }
    unsafe fn Reset(&self) -> HRESULT {
        assert!(unsafe { ResetEvent(self.done) }.as_bool());
        S_OK
    }
}

fn call_object(server: &IDouble, outer: *mut c_void) -> IUnknown {
    let factory: ICallFactory = query(server).expect("CALL-01");
    let mut raw = null_mut();
    unsafe {
        assert_eq!(factory.CreateCall(&AsyncIDouble::IID, outer, &IUnknown::IID, &mut raw), S_OK);
        IUnknown::from_raw(raw)
    }
}

#[test]
fn a_server_made_by_implement_is_called_in_its_own_apartment() {
    world(|world| {
        let (host, client) = (world.sta(), world.mta());
        let thread = Arc::new(AtomicU32::new(0));
        let seen = thread.clone();
        let packet = host.run(move || pack::<IDouble>(&Server(thread).into()));
        client.run(move || {
            let server: IDouble = unpack(packet);
            let mut twice = 0;
            assert_eq!(unsafe { server.Double(21, &mut twice) }, S_OK);
            assert_eq!(twice, 42);
            let call: AsyncIDouble = query(&call_object(&server, null_mut())).expect("CALL-05");
            assert_eq!(unsafe { call.Begin_Double(4) }, S_OK);
            assert_eq!(unsafe { call.Finish_Double(&mut twice) }, S_OK);
            assert_eq!(twice, 8);
        });
        assert_eq!(seen.load(Ordering::Relaxed), host.thread);
        client.close();
        host.close();
    });
}

#[test]
fn an_asynchronous_server_made_by_implement_is_served_through_its_call_objects() {
    world(|world| {
        let (host, client) = (world.mta(), world.sta());
        let packet = host.run(|| pack::<IDouble>(&AsyncServer.into()));
        client.run(move || {
            let server: IDouble = unpack(packet);
            let mut twice = 0;
            assert_eq!(unsafe { server.Double(21, &mut twice) }, S_OK);
            assert_eq!(twice, 42);
        });
        client.close();
        host.close();
    });
}

#[test]
fn agg_09_an_outer_made_by_implement_is_signalled_in_its_apartment() {
    world(|world| {
        let (host, client) = (world.mta(), world.sta());
        let packet = host.run(|| pack::<IDouble>(&Server(Arc::default()).into()));
        let (signals, thread) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (count, on) = (signals.clone(), thread.clone());
        client.run(move || {
            let server: IDouble = unpack(packet);
            let done = event(true, false);
            let outer: ISynchronize = Outer { signals, thread, done }.into();
            let controlling: IUnknown = query(&outer).expect("its identity");
            let inner = call_object(&server, controlling.as_raw());
            let mut raw = null_mut();
            assert_eq!(unsafe { inner.query(&AsyncIDouble::IID, &mut raw) }, S_OK);
            // Counted on the outer object, as every interface of an aggregated inner one is (AGG-01).
            let call = unsafe { AsyncIDouble::from_raw(raw) };
            let mut twice = 0;
            assert_eq!(unsafe { call.Begin_Double(8) }, S_OK);
            assert_eq!(unsafe { call.Finish_Double(&mut twice) }, S_OK);
            assert_eq!(twice, 16);
            drop((call, inner, controlling, outer, server));
            assert!(unsafe { CloseHandle(done) }.as_bool());
        });
        assert_eq!(count.load(Ordering::Relaxed), 1, "CALL-26");
        assert_eq!(on.load(Ordering::Relaxed), client.thread);
        client.close();
        host.close();
    });
}

#[test]
fn an_object_made_by_implement_crosses_as_a_parameter_and_comes_back_as_itself() {
    world(|world| {
        let (host, client) = (world.sta(), world.sta());
        let packet = host.run(|| pack::<IDouble>(&Server(Arc::default()).into()));
        client.run(move || {
            let server: IDouble = unpack(packet);
            let mine: IDouble = Server(Arc::default()).into();
            let mut same = None;
            assert_eq!(unsafe { server.Echo(Ref::from(&mine), OutRef::from(&mut same)) }, S_OK);
            assert_eq!(same.as_ref().map(Interface::as_raw), Some(mine.as_raw()), "MRSH-05");
        });
        client.close();
        host.close();
    });
}
