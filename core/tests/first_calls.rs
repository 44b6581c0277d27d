//! The first calls between apartments: synchronous and asynchronous, STA and MTA.

use oleander::windows_core::{HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::sync::mpsc;

/// Adds, and says where.
#[async_interface(uuid = "3f2b9c1e-6a52-4b57-9d43-0a1b2c3d4e01", async_uuid = "3f2b9c1e-6a52-4b57-9d43-0a1b2c3d4e02")]
pub unsafe trait IAdder: IUnknown {
    fn Add(&self, #[idl(in)] a: u32, #[idl(in)] b: u32, #[idl(out)] sum: *mut u32) -> HRESULT;
    fn Thread(&self, #[idl(out)] id: *mut u32) -> HRESULT;
}

#[com_class(IAdder)]
struct Adder;

impl IAdder_Impl for Adder_Impl {
    unsafe fn Add(&self, a: u32, b: u32, sum: *mut u32) -> HRESULT {
        unsafe { *sum = a + b };
        S_OK
    }
    unsafe fn Thread(&self, id: *mut u32) -> HRESULT {
        unsafe { *id = GetCurrentThreadId() };
        S_OK
    }
}

/// Marshals `object` into bytes that another thread can take.
struct Packet(*mut c_void);
unsafe impl Send for Packet {}

fn pack<I: Interface>(object: &I) -> Packet {
    let mut stream = std::ptr::null_mut();
    unsafe { CoMarshalInterThreadInterfaceInStream(&I::IID, object.as_raw(), &mut stream).ok().unwrap() };
    Packet(stream)
}

fn unpack<I: Interface>(packet: Packet) -> I {
    let mut raw = std::ptr::null_mut();
    unsafe {
        CoGetInterfaceAndReleaseStream(packet.0, &I::IID, &mut raw).ok().unwrap();
        I::from_raw(raw)
    }
}

/// An STA with a message loop until WM_QUIT.
fn host_sta(ready: mpsc::Sender<(u32, Packet)>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || unsafe {
        assert_eq!(CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED), S_OK);
        let adder: IAdder = Adder.into();
        ready.send((GetCurrentThreadId(), pack(&adder))).unwrap();
        let mut msg = MSG::default();
        while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
            DispatchMessageW(&msg);
        }
        drop(adder);
        CoUninitialize();
    })
}

#[test]
fn a_synchronous_call_runs_on_the_stas_thread() {
    let (send, receive) = mpsc::channel();
    let host = host_sta(send);
    let (host_thread, packet) = receive.recv().unwrap();
    unsafe {
        assert_eq!(CoInitializeEx(std::ptr::null_mut(), COINIT_MULTITHREADED), S_OK);
        let adder: IAdder = unpack(packet);
        let (mut sum, mut thread) = (0, 0);
        assert_eq!(adder.Add(2, 3, &mut sum), S_OK);
        assert_eq!(sum, 5);
        assert_eq!(adder.Thread(&mut thread), S_OK);
        assert_eq!(thread, host_thread);

        let factory: ICallFactory = adder.cast().unwrap();
        let mut raw = std::ptr::null_mut();
        assert_eq!(factory.CreateCall(&AsyncIAdder::IID, std::ptr::null_mut(), &AsyncIAdder::IID, &mut raw), S_OK);
        let call = AsyncIAdder::from_raw(raw);
        assert_eq!(call.Begin_Add(20, 22), S_OK);
        let sync: ISynchronize = call.cast().unwrap();
        assert_eq!(sync.Wait(COWAIT_DEFAULT, INFINITE), S_OK);
        assert_eq!(call.Finish_Add(&mut sum), S_OK);
        assert_eq!(sum, 42);
        assert_eq!(call.Finish_Add(&mut sum), RPC_E_CALL_COMPLETE);
        drop((sync, call, factory, adder));
        let _ = PostThreadMessageW(host_thread, WM_QUIT, 0, 0);
        CoUninitialize();
    }
    host.join().unwrap();
    assert_eq!(debug::live_objects(), 0);
}
