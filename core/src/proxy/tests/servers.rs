//! Asynchronous servers through their stubs: what `Begin_` gets, what is kept for `Finish_`; derived interfaces; pipes.

// SAFETY of all calls in this file: the parameters are valid.
#![allow(clippy::undocumented_unsafe_blocks)]

use super::in_process;
use super::loopback::Wire;
use crate::abi::hresult::*;
use crate::abi::interfaces::{IAgileObject, IAgileObject_Impl};
use crate::marshal::ndr::tests::table::On;
use crate::proxy::factory::{builtin_factory, find};
use crate::proxy::info::{HasTwin, Remote};
use crate::{async_interface, com_class};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface};

#[async_interface(uuid = "7bc1f6a0-0004-4000-8000-000000000001", async_uuid = "7bc1f6a0-0004-4000-8000-000000000002")]
unsafe trait IPipe: IUnknown {
    fn Pull(
        &self,
        #[idl(out, size_is(cRequest), length_is(*pcReturned))] buf: *mut u8,
        #[idl(in)] cRequest: u32,
        #[idl(out)] pcReturned: *mut u32,
    ) -> HRESULT;
    fn Push(&self, #[idl(in, size_is(cSent))] buf: *const u8, #[idl(in)] cSent: u32) -> HRESULT;
}

#[async_interface(uuid = "7bc1f6a0-0004-4000-8000-000000000003", async_uuid = "7bc1f6a0-0004-4000-8000-000000000004")]
unsafe trait IMore: IPipe {
    fn Exchange(
        &self,
        #[idl(in)] riid: *const GUID,
        #[idl(in, out, iid_is(riid))] thing: *mut *mut c_void,
        #[idl(in, out, size_is(*count))] numbers: *mut u32,
        #[idl(in, out)] count: *mut u32,
        #[idl(out, iid_is(riid))] copy: *mut *mut c_void,
    ) -> HRESULT;
    fn Half(&self, #[idl(in)] n: u16, #[idl(out, size_is(n), length_is(n / 2))] first_half: *mut u16) -> HRESULT;
}

/// A synchronous interface on top of an asynchronous one has no twin (MIDL-09 the other way round is an error).
#[async_interface(uuid = "7bc1f6a0-0004-4000-8000-000000000005")]
unsafe trait ILast: IMore {
    fn Flush(&self) -> HRESULT;
}

#[com_class(ILast, AsyncIMore)]
#[derive(Default)]
struct Server {
    bytes: RefCell<Vec<u8>>,
    request: Cell<u32>,
    numbers: RefCell<Vec<u32>>,
    thing: RefCell<Option<IAgileObject>>,
    flushed: Cell<bool>,
    sync_calls: Cell<u32>,
}

impl Server {
    fn pull(&self, buf: *mut u8, request: u32, returned: *mut u32) {
        let mut bytes = self.bytes.borrow_mut();
        let count = bytes.len().min(request as usize);
        unsafe {
            for (i, byte) in bytes.drain(..count).enumerate() {
                *buf.add(i) = byte;
            }
            *returned = count as u32;
        }
    }

    fn push(&self, buf: *const u8, count: u32) {
        let sent = unsafe { std::slice::from_raw_parts(buf, count as usize) };
        self.bytes.borrow_mut().extend_from_slice(sent);
    }
}

impl IPipe_Impl for Server_Impl {
    unsafe fn Pull(&self, buf: *mut u8, request: u32, returned: *mut u32) -> HRESULT {
        self.sync_calls.set(self.sync_calls.get() + 1);
        self.pull(buf, request, returned);
        S_OK
    }
    unsafe fn Push(&self, buf: *const u8, count: u32) -> HRESULT {
        self.sync_calls.set(self.sync_calls.get() + 1);
        self.push(buf, count);
        S_OK
    }
}

impl IMore_Impl for Server_Impl {
    unsafe fn Exchange(
        &self,
        _riid: *const GUID,
        thing: *mut *mut c_void,
        numbers: *mut u32,
        count: *mut u32,
        copy: *mut *mut c_void,
    ) -> HRESULT {
        unsafe {
            *copy = IAgileObject::from_raw_borrowed(&*thing).expect("the client sends one").clone().into_raw();
            std::slice::from_raw_parts_mut(numbers, *count as usize).iter_mut().for_each(|n| *n += 1);
        }
        S_OK
    }
    unsafe fn Half(&self, n: u16, first_half: *mut u16) -> HRESULT {
        unsafe { (0..n / 2).for_each(|i| *first_half.add(i.into()) = i + 1) };
        S_OK
    }
}

impl ILast_Impl for Server_Impl {
    unsafe fn Flush(&self) -> HRESULT {
        self.flushed.set(true);
        S_OK
    }
}

impl AsyncIPipe_Impl for Server_Impl {
    unsafe fn Begin_Pull(&self, request: u32) -> HRESULT {
        self.request.set(request);
        S_OK
    }
    unsafe fn Finish_Pull(&self, buf: *mut u8, returned: *mut u32) -> HRESULT {
        self.pull(buf, self.request.get(), returned);
        S_OK
    }
    unsafe fn Begin_Push(&self, buf: *const u8, count: u32) -> HRESULT {
        self.push(buf, count);
        S_OK
    }
    unsafe fn Finish_Push(&self) -> HRESULT {
        S_OK
    }
}

impl AsyncIMore_Impl for Server_Impl {
    unsafe fn Begin_Exchange(
        &self,
        riid: *const GUID,
        thing: *mut *mut c_void,
        numbers: *mut u32,
        count: *mut u32,
    ) -> HRESULT {
        unsafe {
            assert_eq!(*riid, IAgileObject::IID);
            self.thing.replace(IAgileObject::from_raw_borrowed(&*thing).cloned());
            self.numbers.replace(std::slice::from_raw_parts(numbers, *count as usize).to_vec());
        }
        S_OK
    }
    unsafe fn Finish_Exchange(
        &self,
        thing: *mut *mut c_void,
        numbers: *mut u32,
        count: *mut u32,
        copy: *mut *mut c_void,
    ) -> HRESULT {
        unsafe {
            assert_eq!((*thing, *count), (ptr::null_mut(), 0), "MIDL-04: [out] only");
            let kept = self.thing.take().expect("Begin_ kept it");
            (*thing, *copy) = (kept.clone().into_raw(), kept.into_raw());
            let kept = self.numbers.take();
            *count = kept.len() as u32;
            for (i, number) in kept.into_iter().enumerate() {
                *numbers.add(i) = number + 1;
            }
        }
        S_OK
    }
    unsafe fn Begin_Half(&self, n: u16) -> HRESULT {
        self.request.set(n.into());
        S_OK
    }
    unsafe fn Finish_Half(&self, first_half: *mut u16) -> HRESULT {
        unsafe { (0..self.request.get() as u16 / 2).for_each(|i| *first_half.add(i.into()) = i + 1) };
        S_OK
    }
}

#[com_class(IAgileObject)]
struct Thing {}

impl IAgileObject_Impl for Thing_Impl {}

/// Runs a test against the synchronous and the asynchronous server.
fn both<I: Interface>(test: impl Fn(&Wire<I>, &ComObject<Server>)) {
    for asynchronous in [false, true] {
        in_process(|| {
            let on = On::new();
            let server = ComObject::new(Server::default());
            let wire = Wire::<I>::new(&server.to_interface::<ILast>().into());
            if asynchronous {
                wire.channel.server_call.replace(Some(server.to_interface::<AsyncIMore>().into()));
            }
            test(&wire, &server);
            assert_eq!(server.sync_calls.get() > 0, !asynchronous, "SRV-04");
            drop(wire);
            assert_eq!(on.outstanding(), 0, "object references left behind");
        });
    }
}

#[test]
fn id_10_midl_08_base_methods_and_own_methods_synchronously() {
    both::<IMore>(|wire, server| unsafe {
        let proxy = wire.proxy();
        let sent = [1, 2, 3, 4, 5];
        assert_eq!(proxy.Push(sent.as_ptr(), 5), S_OK);
        let (mut buf, mut returned) = ([9_u8; 4], 9);
        assert_eq!(proxy.Pull(buf.as_mut_ptr(), 3, &mut returned), S_OK);
        assert_eq!((buf, returned), ([1, 2, 3, 9], 3));
        assert_eq!(proxy.Pull(buf.as_mut_ptr(), 4, &mut returned), S_OK);
        assert_eq!((&buf[..2], returned), (&[4, 5][..], 2), "fewer than asked for");
        let mut half = [9; 5];
        assert_eq!(proxy.Half(5, half.as_mut_ptr()), S_OK);
        assert_eq!(half[..2], [1, 2]);
        let slots: Vec<u32> = wire.channel.requests.borrow().iter().map(|request| request.0).collect();
        assert_eq!(slots, [4, 3, 3, 6]);
        assert!(server.bytes.borrow().is_empty());
    });
}

#[test]
fn pat_01_a_pipe_asynchronously() {
    both::<IPipe>(|wire, _| unsafe {
        let (_object, call) = wire.call::<AsyncIPipe>();
        let sent = [7, 8, 9];
        assert_eq!(call.Begin_Push(sent.as_ptr(), 3), S_OK);
        assert_eq!(call.Finish_Push(), S_OK);
        let (mut buf, mut returned) = ([0_u8; 10], 0);
        assert_eq!(call.Begin_Pull(10), S_OK);
        assert_eq!(call.Finish_Pull(buf.as_mut_ptr(), &mut returned), S_OK);
        assert_eq!((&buf[..3], returned), (&sent[..], 3));
    });
}

#[test]
fn kept_sizes_and_ids_reach_finish_on_both_sides() {
    both::<IMore>(|wire, server| unsafe {
        server.sync_calls.set(u32::from(wire.channel.server_call.borrow().is_none()));
        let (_object, call) = wire.call::<AsyncIMore>();
        let thing: IAgileObject = ComObject::new(Thing {}).into_interface();
        let (mut place, mut copy) = (thing.as_raw(), ptr::null_mut());
        let (mut numbers, mut count) = ([1, 2, 3], 3);
        let first = numbers.as_mut_ptr();
        assert_eq!(call.Begin_Exchange(&IAgileObject::IID, &mut place, first, &mut count), S_OK);
        // Other variables would do as well: nothing of this is looked at in Finish_.
        (place, count, numbers) = (ptr::null_mut(), 0, [0; 3]);
        assert_eq!(call.Finish_Exchange(&mut place, numbers.as_mut_ptr(), &mut count, &mut copy), S_OK);
        assert_eq!((place, copy, numbers, count), (thing.as_raw(), thing.as_raw(), [2, 3, 4], 3));
        drop((IAgileObject::from_raw(place), IAgileObject::from_raw(copy)));
        let mut half = [9; 7];
        assert_eq!(call.Begin_Half(7), S_OK);
        assert_eq!(call.Finish_Half(half.as_mut_ptr()), S_OK);
        assert_eq!(half, [1, 2, 3, 0, 0, 0, 0]);
    });
}

#[test]
fn midl_06_midl_08_slots_go_on_from_the_base() {
    assert_eq!((IPipe::SLOTS, IMore::SLOTS, ILast::SLOTS), (5, 7, 8));
    let slot = |offset: usize| offset / size_of::<usize>();
    assert_eq!(slot(std::mem::offset_of!(AsyncIMore_Vtbl, Begin_Exchange)), 2 * 5 - 3);
    assert_eq!(slot(std::mem::offset_of!(AsyncIMore_Vtbl, Finish_Half)), 2 * 6 - 2);
    fn twin<I: HasTwin>() -> GUID {
        I::Twin::IID
    }
    assert_eq!(twin::<IMore>(), AsyncIMore::IID);
    let info = find(&AsyncIMore::IID).expect("the twin's id finds its interface too");
    assert_eq!((info.name, info.iid, info.methods), ("IMore", IMore::IID, 7));
    assert_eq!(info.twin.as_ref().map(|twin| (twin.name, twin.iid)), Some(("AsyncIMore", AsyncIMore::IID)));
    let last = find(&ILast::IID).expect("registered");
    assert!(last.twin.is_none());
    assert!(find(&GUID::zeroed()).is_none());
}

#[test]
fn an_interface_without_twin_calls_and_has_no_call_factory() {
    in_process(|| unsafe {
        let server = ComObject::new(Server::default());
        let wire = Wire::<ILast>::new(&server.to_interface::<ILast>().into());
        assert_eq!(wire.proxy().Flush(), S_OK);
        assert!(server.flushed.get());
        assert!(wire.buffer.cast::<crate::abi::interfaces::ICallFactory>().is_err());
        drop(wire);
    });
}

#[test]
fn a_request_that_does_not_fit_its_parameters_is_refused() {
    in_process(|| unsafe {
        let server = ComObject::new(Server::default());
        let wire = Wire::<IPipe>::new(&server.to_interface::<ILast>().into());
        let channel = wire.channel.to_interface::<crate::abi::interfaces::IAsyncRpcChannelBuffer>();
        let refused = |slot: u32, words: &mut [u32]| {
            let mut message = crate::abi::types::RPCOLEMESSAGE {
                Buffer: words.as_mut_ptr().cast(),
                cbBuffer: size_of_val(words) as u32,
                iMethod: slot,
                ..Default::default()
            };
            wire.stub.Invoke(&mut message, channel.as_raw())
        };
        // Push: the array says two elements, the parameter says three.
        assert_eq!(refused(4, &mut [2, 0, 3]), RPC_X_BAD_STUB_DATA_HR);
        assert_eq!(refused(4, &mut [2, 0]), RPC_X_BAD_STUB_DATA_HR);
        assert_eq!(refused(3, &mut [u32::MAX]), RPC_S_INVALID_BOUND_HR);
        for slot in [0, 2, 5, u32::MAX] {
            assert_eq!(refused(slot, &mut [0]), RPC_E_INVALIDMETHOD, "{slot}");
        }
        assert_eq!(server.sync_calls.get(), 0);
        drop(wire);
    });
}

#[test]
fn factories_and_stubs_serve_one_interface() {
    in_process(|| unsafe {
        let server: IUnknown = ComObject::new(Thing {}).into_interface::<IAgileObject>().into();
        let info = find(&IPipe::IID).expect("registered");
        let factory = builtin_factory(info);
        let (mut made, mut typed) = (ptr::dangling_mut(), ptr::dangling_mut());
        let none = ptr::null_mut();
        assert_eq!(factory.CreateStub(&IPipe::IID, server.as_raw(), &mut made), E_NOINTERFACE, "the server lacks it");
        assert_eq!(factory.CreateStub(&IMore::IID, none, &mut made), E_NOINTERFACE);
        assert_eq!(factory.CreateProxy(none, &IMore::IID, &mut made, &mut typed), E_NOINTERFACE);
        assert_eq!((made, typed), (ptr::null_mut(), ptr::null_mut()));
        assert_eq!(factory.CreateStub(&IPipe::IID, none, &mut made), S_OK);
        let stub = crate::abi::interfaces::IRpcStubBuffer::from_raw(made);
        assert_eq!((stub.CountRefs(), stub.Connect(none)), (0, E_INVALIDARG));
        let good = ComObject::new(Server::default());
        let server = good.to_interface::<ILast>();
        assert_eq!((stub.Connect(server.as_raw()), stub.CountRefs()), (S_OK, 1));
        assert_eq!(stub.Connect(server.as_raw()), E_UNEXPECTED, "it is connected already");
        assert!(stub.IsIIDSupported(&IMore::IID).is_null());
        let same = crate::abi::interfaces::IRpcStubBuffer::from_raw(stub.IsIIDSupported(&IPipe::IID));
        assert_eq!(same, stub);
        let mut seen = ptr::null_mut();
        assert_eq!(stub.DebugServerQueryInterface(&mut seen), S_OK);
        assert_eq!(seen, server.cast::<IPipe>().expect("a base").as_raw());
        stub.DebugServerRelease(seen);
        stub.Disconnect();
        assert_eq!((stub.CountRefs(), stub.DebugServerQueryInterface(&mut seen)), (0, CO_E_OBJNOTCONNECTED));
        assert_eq!(stub.Connect(server.as_raw()), S_OK, "and again");
    });
}
