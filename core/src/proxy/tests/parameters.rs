//! Every kind of parameter, in every direction, called synchronously and asynchronously.

use super::in_process;
use super::loopback::{CallObject, Mode, Wire};
use crate::abi::hresult::*;
use crate::abi::interfaces::{IAgileObject, IAgileObject_Impl};
use crate::abi::memory::*;
use crate::abi::types::BSTR;
use crate::marshal::ndr::tests::table::On;
use crate::{Ndr, async_interface, com_class};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use windows_core::{ComObject, GUID, HRESULT, IUnknown, Interface, OutRef, Ref};

#[repr(C)]
#[derive(Ndr, Clone, Copy, Debug, Default, PartialEq)]
struct Point {
    x: i32,
    y: i32,
}

#[repr(u32)]
#[derive(Ndr, Clone, Copy, Debug, PartialEq)]
enum Shape {
    Round,
    Square = 4,
}

/// What a client keeps of a thing, with all that hangs off it.
#[repr(C)]
#[derive(Ndr, Debug)]
struct Record {
    kind: u8,
    place: *mut Point,
    #[idl(string)]
    name: *mut u16,
    count: u32,
    #[idl(size_is(count))]
    marks: *mut u64,
    text: BSTR,
    thing: Option<IAgileObject>,
}

#[async_interface(uuid = "7bc1f6a0-0002-4000-8000-000000000001", async_uuid = "7bc1f6a0-0002-4000-8000-000000000002")]
unsafe trait IEverything: IUnknown {
    fn Ping(&self) -> HRESULT;
    fn Scalars(
        &self,
        #[idl(in)] a: u8,
        #[idl(in)] b: f64,
        #[idl(in)] c: bool,
        #[idl(in)] shape: Shape,
        #[idl(in)] id: GUID,
        #[idl(in)] point: Point,
        #[idl(out)] sum: *mut f64,
        #[idl(out)] shape_back: *mut Shape,
    ) -> HRESULT;
    fn Refine(&self, #[idl(in)] a: u32, #[idl(in, out)] b: *mut u32, #[idl(out)] c: *mut u32) -> HRESULT;
    fn Fill(&self, #[idl(in)] n: u32, #[idl(out, size_is(n))] buf: *mut u16) -> HRESULT;
    fn Name(&self, #[idl(in, string)] prefix: *const u16, #[idl(out, string)] name: *mut *mut u16) -> HRESULT;
    fn Text(&self, #[idl(in)] a: BSTR, #[idl(in, out)] b: *mut BSTR, #[idl(out)] c: *mut BSTR) -> HRESULT;
    fn Join(&self, #[idl(in)] n: u8, #[idl(in, size_is(n))] parts: *const BSTR, #[idl(out)] all: *mut BSTR) -> HRESULT;
    fn Maybe(
        &self,
        #[idl(in, unique)] p: *const u32,
        #[idl(in, unique, string)] s: *const u8,
        #[idl(in, unique, size_is(2))] two: *const u16,
        #[idl(out)] present: *mut u32,
    ) -> HRESULT;
    fn Double(&self, #[idl(in, out, size_is(*n + 1))] numbers: *mut i64, #[idl(in)] n: *const u16) -> HRESULT;
    fn Pack(
        &self,
        #[idl(in)] room: u32,
        #[idl(in, out)] length: *mut u32,
        #[idl(in, out, size_is(room), length_is(*length))] data: *mut u16,
    ) -> HRESULT;
    fn Inspect(&self, #[idl(in)] record: *const Record, #[idl(out)] back: *mut Record) -> HRESULT;
    fn Corner(&self, #[idl(in)] origin: *const [Point; 2], #[idl(out)] corner: *mut *mut Point) -> HRESULT;
    fn Things(
        &self,
        #[idl(in)] first: Ref<'_, IAgileObject>,
        #[idl(out)] same: OutRef<'_, IAgileObject>,
        #[idl(in, out)] other: *mut Option<IAgileObject>,
    ) -> HRESULT;
    fn Raw(
        &self,
        #[idl(in, iid_is(riid))] first: *mut c_void,
        #[idl(in)] riid: *const GUID,
        #[idl(out, iid_is(riid))] same: *mut *mut c_void,
        #[idl(in, out, iid_is(riid))] other: *mut *mut c_void,
    ) -> HRESULT;
}

#[com_class(IEverything)]
#[derive(Default)]
struct Everything {
    /// What to return from every method.
    result: Cell<HRESULT>,
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

unsafe fn from_wide(text: *const u16) -> String {
    // SAFETY: the caller passes a string that ends.
    let units = (0..).map(|i| unsafe { *text.add(i) }).take_while(|unit| *unit != 0).collect::<Vec<_>>();
    String::from_utf16(&units).expect("UTF-16")
}

fn bstr(text: &str) -> BSTR {
    // SAFETY: the text ends.
    unsafe { SysAllocString(wide(text).as_ptr()) }
}

fn from_bstr(text: BSTR) -> String {
    if text.is_null() {
        return "(null)".into();
    }
    // SAFETY: a BSTR.
    let units = unsafe { std::slice::from_raw_parts(text.0, SysStringLen(text) as usize) };
    String::from_utf16(units).expect("UTF-16")
}

unsafe fn task<T: Copy>(values: &[T]) -> *mut T {
    // SAFETY: there is room for the values.
    unsafe {
        let memory = CoTaskMemAlloc(size_of_val(values)).cast::<T>();
        memory.copy_from_nonoverlapping(values.as_ptr(), values.len());
        memory
    }
}

// SAFETY of all methods: the caller, proxy or stub, vouches for the pointers.
#[allow(clippy::undocumented_unsafe_blocks)]
impl IEverything_Impl for Everything_Impl {
    unsafe fn Ping(&self) -> HRESULT {
        self.result.get()
    }

    unsafe fn Scalars(
        &self,
        a: u8,
        b: f64,
        c: bool,
        shape: Shape,
        id: GUID,
        point: Point,
        sum: *mut f64,
        shape_back: *mut Shape,
    ) -> HRESULT {
        unsafe {
            *sum = f64::from(a) + b + f64::from(u8::from(c)) + f64::from(id.data1) + f64::from(point.x * point.y);
            *shape_back = shape;
        }
        self.result.get()
    }

    unsafe fn Refine(&self, a: u32, b: *mut u32, c: *mut u32) -> HRESULT {
        unsafe {
            *c = a + *b;
            *b *= 10;
        }
        self.result.get()
    }

    unsafe fn Fill(&self, n: u32, buf: *mut u16) -> HRESULT {
        for i in 0..n {
            unsafe { *buf.add(i as usize) = i as u16 + 1 };
        }
        self.result.get()
    }

    unsafe fn Name(&self, prefix: *const u16, name: *mut *mut u16) -> HRESULT {
        unsafe { *name = task(&wide(&(from_wide(prefix) + "-name"))) };
        self.result.get()
    }

    unsafe fn Text(&self, a: BSTR, b: *mut BSTR, c: *mut BSTR) -> HRESULT {
        unsafe {
            *c = bstr(&format!("{}+{}", from_bstr(a), from_bstr(*b)));
            SysFreeString(*b);
            *b = bstr("new");
        }
        self.result.get()
    }

    unsafe fn Join(&self, n: u8, parts: *const BSTR, all: *mut BSTR) -> HRESULT {
        unsafe {
            let parts = std::slice::from_raw_parts(parts, n.into());
            *all = bstr(&parts.iter().map(|part| from_bstr(*part)).collect::<Vec<_>>().join(","));
        }
        self.result.get()
    }

    unsafe fn Maybe(&self, p: *const u32, s: *const u8, two: *const u16, present: *mut u32) -> HRESULT {
        unsafe {
            *present = p.as_ref().map_or(0, |p| *p)
                + s.as_ref().map_or(0, |s| 10 * u32::from(*s))
                + two.as_ref().map_or(0, |_| 1000 * u32::from(*two.add(1)));
        }
        self.result.get()
    }

    unsafe fn Double(&self, numbers: *mut i64, n: *const u16) -> HRESULT {
        unsafe {
            for i in 0..=usize::from(*n) {
                *numbers.add(i) *= 2;
            }
        }
        self.result.get()
    }

    unsafe fn Pack(&self, room: u32, length: *mut u32, data: *mut u16) -> HRESULT {
        unsafe {
            // One more, the room permitting.
            if *length < room {
                *data.add(*length as usize) = *length as u16;
                *length += 1;
            }
        }
        self.result.get()
    }

    unsafe fn Inspect(&self, record: *const Record, back: *mut Record) -> HRESULT {
        unsafe {
            let record = &*record;
            let mut marks: Vec<u64> =
                std::slice::from_raw_parts(record.marks, record.count as usize).iter().map(|mark| mark + 1).collect();
            marks.push(99);
            back.write(Record {
                kind: record.kind + 1,
                place: task(&[Point { x: (*record.place).y, y: (*record.place).x }]),
                name: task(&wide(&(from_wide(record.name) + "!"))),
                count: marks.len() as u32,
                marks: task(&marks),
                text: bstr(&(from_bstr(record.text) + "?")),
                thing: record.thing.clone(),
            });
        }
        self.result.get()
    }

    unsafe fn Corner(&self, origin: *const [Point; 2], corner: *mut *mut Point) -> HRESULT {
        unsafe {
            let [a, b] = *origin;
            *corner = task(&[Point { x: a.x + b.x, y: a.y + b.y }]);
        }
        self.result.get()
    }

    unsafe fn Things(
        &self,
        first: Ref<'_, IAgileObject>,
        same: OutRef<'_, IAgileObject>,
        other: *mut Option<IAgileObject>,
    ) -> HRESULT {
        let written = same.write(first.cloned());
        assert!(written.is_ok());
        // The other one is exchanged for the first.
        unsafe { *other = first.cloned() };
        self.result.get()
    }

    unsafe fn Raw(
        &self,
        first: *mut c_void,
        riid: *const GUID,
        same: *mut *mut c_void,
        other: *mut *mut c_void,
    ) -> HRESULT {
        unsafe {
            assert_eq!(*riid, IAgileObject::IID);
            let first = IAgileObject::from_raw_borrowed(&first);
            *same = first.cloned().map_or(ptr::null_mut(), Interface::into_raw);
            drop((!(*other).is_null()).then(|| IAgileObject::from_raw(*other)));
            *other = ptr::null_mut();
        }
        self.result.get()
    }
}

#[com_class(IAgileObject)]
struct Thing {}

impl IAgileObject_Impl for Thing_Impl {}

fn thing() -> IAgileObject {
    ComObject::new(Thing {}).into_interface()
}

/// A client that calls in one of the two ways.
enum Client {
    Sync(IEverything),
    Async(AsyncIEverything, #[allow(dead_code)] ComObject<CallObject>),
}

/// Calls a method: all parameters, those of `Begin_`, those of `Finish_`.
macro_rules! call {
    ($client:expr, $method:ident($($all:expr),*), $begin:ident($($into:expr),*), $finish:ident($($out:expr),*)) => {
        match $client {
            Client::Sync(proxy) => unsafe { proxy.$method($($all),*) },
            Client::Async(call, _) => unsafe {
                assert_eq!(call.$begin($($into),*), S_OK);
                call.$finish($($out),*)
            },
        }
    };
}

/// Runs a test with both kinds of client; everything that is made goes away again.
fn both(test: impl Fn(&Client, &Wire<IEverything>, &ComObject<Everything>)) {
    for asynchronous in [false, true] {
        in_process(|| {
            let on = On::new();
            let server = ComObject::new(Everything::default());
            let wire = Wire::<IEverything>::new(&server.to_interface::<IEverything>().into());
            let client = if asynchronous {
                let (object, call) = wire.call();
                Client::Async(call, object)
            } else {
                Client::Sync(wire.proxy().clone())
            };
            test(&client, &wire, &server);
            drop((client, wire));
            assert_eq!(on.outstanding(), 0, "object references left behind");
        });
    }
}

mod calls;
mod failures;
