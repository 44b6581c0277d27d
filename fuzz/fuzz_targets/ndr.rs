//! Requests and replies of generated proxies and stubs, changed on their way or from nowhere: an HRESULT, and nothing left.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_fuzz::{Edits, Every, IEvery, METHODS, Point, Record, Shape, every, here};
use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

#[derive(Arbitrary, Debug, Clone)]
enum Change {
    None,
    Edited(Edits),
    Raw(Vec<u8>),
}

impl Change {
    fn of(&self, good: &[u8]) -> Vec<u8> {
        match self {
            Self::None => good.to_vec(),
            Self::Edited(edits) => edits.of(good),
            Self::Raw(bytes) => bytes.clone(),
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Input {
    calls: Vec<(Call, Change, Change)>,
    raw: Vec<(u8, Vec<u8>)>,
}

#[derive(Arbitrary, Debug, Clone)]
enum Call {
    Scalars(u8, bool, bool),
    Text(Vec<u16>, Option<Vec<u8>>, Option<Vec<u16>>),
    Arrays(u8, bool),
    Records(Option<Vec<u16>>, Option<Vec<u64>>, bool, bool),
    Things(bool, bool, Option<bool>),
}

/// Between a proxy and a stub; changes what goes by. Buffers are as long as they say, so that whoever reads further is
/// seen.
#[com_class(IRpcChannelBuffer)]
struct Wire {
    stub: IRpcStubBuffer,
    request: std::cell::RefCell<Change>,
    reply: std::cell::RefCell<Change>,
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(len.max(1), 8).expect("a small one")
}

fn put(message: &mut RPCOLEMESSAGE, bytes: &[u8]) {
    message.cbBuffer = bytes.len() as u32;
    allocate(message);
    unsafe { message.Buffer.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
}

fn allocate(message: &mut RPCOLEMESSAGE) {
    let len = message.cbBuffer as usize;
    message.reserved1 = std::ptr::without_provenance_mut(len);
    message.Buffer = unsafe { alloc(layout(len)) }.cast();
}

fn free(message: &mut RPCOLEMESSAGE) {
    if !message.Buffer.is_null() {
        unsafe { dealloc(message.Buffer.cast(), layout(message.reserved1.addr())) };
        message.Buffer = null_mut();
    }
}

fn bytes(message: &RPCOLEMESSAGE) -> Vec<u8> {
    unsafe { std::slice::from_raw_parts(message.Buffer.cast::<u8>(), message.cbBuffer as usize) }.to_vec()
}

impl IRpcChannelBuffer_Impl for Wire_Impl {
    unsafe fn GetBuffer(&self, message: *mut RPCOLEMESSAGE, _: *const GUID) -> HRESULT {
        allocate(unsafe { &mut *message });
        S_OK
    }
    unsafe fn SendReceive(&self, message: *mut RPCOLEMESSAGE, status: *mut u32) -> HRESULT {
        let message = unsafe { &mut *message };
        unsafe { *status = 0 };
        let changed = self.request.borrow().of(&bytes(message));
        free(message);
        let mut request = RPCOLEMESSAGE { ..*message };
        put(&mut request, &changed);
        let mut served = RPCOLEMESSAGE { ..request };
        let own: IRpcChannelBuffer = self.query().expect("its interface");
        let hr = unsafe { self.stub.Invoke(&mut served, own.as_raw()) };
        free(&mut request);
        if hr.is_err() {
            return hr;
        }
        let changed = self.reply.borrow().of(&bytes(&served));
        free(&mut served);
        put(message, &changed);
        S_OK
    }
    unsafe fn FreeBuffer(&self, message: *mut RPCOLEMESSAGE) -> HRESULT {
        free(unsafe { &mut *message });
        S_OK
    }
    unsafe fn GetDestCtx(&self, context: *mut u32, more: *mut *mut c_void) -> HRESULT {
        unsafe { (*context, *more) = (MSHCTX_INPROC, null_mut()) };
        S_OK
    }
    unsafe fn IsConnected(&self) -> HRESULT {
        S_OK
    }
}

/// The controlling unknown of the proxy.
#[com_class(IAgileObject)]
struct Nothing {}

impl IAgileObject_Impl for Nothing_Impl {}

fn ended<T: Copy + Default>(text: &[T]) -> Vec<T> {
    text.iter().copied().chain([T::default()]).collect()
}

/// Outputs are ours whatever the HRESULT says: a method may fail beside them, and a reply that cannot be read leaves nulls.
unsafe fn call(proxy: &IEvery, what: &Call) {
    unsafe {
        match what {
            Call::Scalars(a, square, null_id) => {
                let shape = if *square { Shape::Square } else { Shape::Round };
                let id = if *null_id { GUID::zeroed() } else { IEvery::IID };
                let (mut back, mut sum) = (Shape::Round, 1.0);
                let _ = proxy.Scalars(*a, *square, shape, id, Point { x: 1, y: 2 }, &mut back, &mut sum);
                assert!(matches!(back, Shape::Round | Shape::Square));
            }
            Call::Text(wide, narrow, text) => {
                let (wide, narrow) = (ended(wide), narrow.as_ref().map(|narrow| ended(narrow)));
                let mut text =
                    text.as_ref().map_or(BSTR::NULL, |text| SysAllocStringLen(text.as_ptr(), text.len() as u32));
                let mut name = null_mut();
                let _ =
                    proxy.Text(wide.as_ptr(), narrow.as_ref().map_or(null(), |it| it.as_ptr()), &mut name, &mut text);
                CoTaskMemFree(name.cast());
                SysFreeString(text);
            }
            Call::Arrays(n, two) => {
                let n = n % 8;
                let parts: Vec<_> = (0..n).map(|len| SysAllocStringLen(null(), len.into())).collect();
                let (mut data, mut filled) = (vec![3_u16; n.into()], vec![0_i64; n.into()]);
                let two = two.then_some([1, 2]);
                let (mut length, two) = (u32::from(n / 2), two.as_ref().map_or(null(), |two| two.as_ptr()));
                let _ = proxy.Arrays(n, parts.as_ptr(), two, &mut length, data.as_mut_ptr(), filled.as_mut_ptr());
                parts.into_iter().for_each(|part| SysFreeString(part));
            }
            Call::Records(name, marks, nested, thing) => {
                let mut name = name.as_ref().map(|name| ended(name));
                let (mut marks, mut place) = (marks.clone(), Point { x: 3, y: 4 });
                let text = SysAllocStringLen(null(), 2);
                let mut inner = Record {
                    kind: 2,
                    place: null_mut(),
                    name: null_mut(),
                    count: 0,
                    marks: null_mut(),
                    text: BSTR::NULL,
                    thing: None,
                    next: null_mut(),
                };
                let record = Record {
                    kind: 1,
                    place: &mut place,
                    name: name.as_mut().map_or(null_mut(), |name| name.as_mut_ptr()),
                    count: marks.as_ref().map_or(0, |marks| marks.len() as u32),
                    marks: marks.as_mut().map_or(null_mut(), |marks| marks.as_mut_ptr()),
                    text,
                    thing: thing.then(every),
                    next: if *nested { &mut inner } else { null_mut() },
                };
                let mut back = MaybeUninit::<Record>::zeroed();
                let _ = proxy.Records(&record, back.as_mut_ptr());
                free_record(back.assume_init());
                SysFreeString(text);
            }
            Call::Things(first, other, raw) => {
                let first = first.then(every);
                let (mut same, mut other, mut raw_back) = (None, other.then(every), null_mut());
                let raw = raw.map(|_| every());
                let raw = raw.as_ref().map_or(null_mut(), |raw| raw.as_raw());
                let _ = proxy.Things(
                    first.as_ref().into(),
                    (&mut same).into(),
                    &mut other,
                    &IEvery::IID,
                    raw,
                    &mut raw_back,
                );
                if !raw_back.is_null() {
                    drop(IEvery::from_raw(raw_back));
                }
            }
        }
    }
}

/// What a reply made belongs to the caller.
unsafe fn free_record(record: Record) {
    unsafe {
        CoTaskMemFree(record.place.cast());
        CoTaskMemFree(record.name.cast());
        CoTaskMemFree(record.marks.cast());
        SysFreeString(record.text);
        drop(record.thing);
        if !record.next.is_null() {
            free_record(record.next.read());
            CoTaskMemFree(record.next.cast());
        }
    }
}

fn play(input: Input) {
    let info = proxy::factory::find(&IEvery::IID).expect("it is registered");
    let factory = proxy::factory::builtin_factory(info);
    let server: IUnknown = IEvery::from(Every::default()).into();
    let outer: IUnknown = IAgileObject::from(Nothing {}).into();
    let (mut stub, mut buffer, mut typed) = (null_mut(), null_mut(), null_mut());
    unsafe {
        assert_eq!(factory.CreateStub(&IEvery::IID, server.as_raw(), &mut stub), S_OK);
        assert_eq!(factory.CreateProxy(outer.as_raw(), &IEvery::IID, &mut buffer, &mut typed), S_OK);
        let (stub, buffer) = (IRpcStubBuffer::from_raw(stub), IRpcProxyBuffer::from_raw(buffer));
        let proxy = IEvery::from_raw(typed);
        let (request, reply) = (Change::None.into(), Change::None.into());
        let wire = windows_core::ComObject::new(Wire { stub: stub.clone(), request, reply });
        let channel: IRpcChannelBuffer = wire.to_interface();
        assert_eq!(buffer.Connect(channel.as_raw()), S_OK);
        for (what, request, reply) in input.calls.into_iter().take(6) {
            wire.request.replace(request);
            wire.reply.replace(reply);
            call(&proxy, &what);
        }
        for (method, bytes) in input.raw.into_iter().take(6) {
            let method = if method < 0xF0 { 3 + u32::from(method) % METHODS } else { method.into() };
            let mut request = RPCOLEMESSAGE { dataRepresentation: 0x10, iMethod: method, ..RPCOLEMESSAGE::default() };
            put(&mut request, &bytes);
            let mut served = RPCOLEMESSAGE { ..request };
            if stub.Invoke(&mut served, channel.as_raw()).is_ok() {
                free(&mut served);
            }
            free(&mut request);
        }
        drop(proxy);
        buffer.Disconnect();
        stub.Disconnect();
    }
}

fuzz_target!(|input: Input| {
    here(|| unsafe {
        assert_eq!(CoInitializeEx(null_mut(), COINIT_APARTMENTTHREADED), S_OK);
        play(input);
        CoUninitialize();
    });
});
