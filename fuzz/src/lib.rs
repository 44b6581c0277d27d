//! What the fuzz targets share: an emulated process for each input, in which nothing may be left, and an object with every
//! kind of parameter.
//!
//! A panic anywhere ends the run, also one that a guard of ours would turn into an HRESULT: libFuzzer's hook aborts.

#![allow(clippy::missing_safety_doc, reason = "COM's own rules")]

pub mod calling;
pub mod forger;
pub mod late;
pub mod wire;

use arbitrary::Arbitrary;
use oleander::kernel::{self, PUMPED, QueueWait, Spawned};
use oleander::platform::{self, Deadline, Why};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface, OutRef, Ref};
use oleander::*;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, mpsc};

/// How long anything may take.
const HANG_MS: u32 = 60_000;

/// Runs `input` on a thread of a new process; its objects and handles are gone at the end.
pub fn in_process(input: impl FnOnce() + Send + 'static) {
    let process = Process::new(platform::host());
    let left = on_thread(&process, || {
        input();
        (debug::live_objects(), debug::open_handles())
    });
    if left != (0, 0) {
        // What goes with its thread.
        on_thread(&process, nothing_is_left);
    }
}

/// Runs `input` on the calling thread, in the process by default: without a thread that has to start, and for inputs that
/// leave nothing in the thread.
pub fn here(input: impl FnOnce()) {
    input();
    nothing_is_left();
}

fn nothing_is_left() {
    // A worker may have an object in its hand a moment longer.
    let deadline = Deadline::after_ms(5_000);
    loop {
        let left = (debug::live_objects(), debug::open_handles());
        if left == (0, 0) {
            return;
        }
        assert!(!deadline.passed(), "(objects, handles) left behind: {left:?}");
        std::thread::yield_now();
    }
}

fn on_thread<R: Send + 'static>(process: &Arc<Process>, body: impl FnOnce() -> R + Send + 'static) -> R {
    let (say, said) = mpsc::channel();
    let spawned = kernel::spawn_in(process, "input", false, move || {
        say.send(body()).expect("somebody hears");
    });
    let said = said.recv().expect("it ends");
    assert!(spawned.ended.wait(Deadline::after_ms(HANG_MS), Why::Wait), "hangs");
    said
}

/// Runs `body` on another thread while the calling STA serves calls.
pub fn beside(body: impl FnOnce() + Send + 'static) {
    let Spawned { ended, .. } = kernel::spawn("beside", false, body);
    let (queue, deadline) = (kernel::queue(), Deadline::after_ms(HANG_MS));
    loop {
        let input = QueueWait { queue: &queue, mask: PUMPED };
        match kernel::wait_any(&[&*ended, &input], deadline, Why::PumpingWait) {
            Some(0) => return,
            Some(_) => {
                if let Some(pumped) = queue.take_pumped() {
                    kernel::run_pumped(pumped);
                }
            }
            None => panic!("hangs"),
        }
    }
}

/// Changes to bytes that are good as they are.
#[derive(Arbitrary, Debug, Clone)]
pub struct Edits {
    bytes: Vec<(u8, u8)>,
    /// Cut off there.
    len: Option<u8>,
    more: Vec<u8>,
}

impl Edits {
    /// The bytes with the changes.
    pub fn of(&self, good: &[u8]) -> Vec<u8> {
        let mut bad = good.to_vec();
        for (at, byte) in &self.bytes {
            if let Some(place) = bad.get_mut(usize::from(*at)) {
                *place ^= byte;
            }
        }
        if let Some(len) = self.len {
            bad.truncate(len.into());
        }
        bad.extend(&self.more);
        bad
    }
}

/// No gaps.
#[repr(C)]
#[derive(Ndr, Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

/// Some numbers are none of these.
#[repr(u32)]
#[derive(Ndr, Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    Round,
    Square = 4,
}

/// Everything that hangs off something.
#[repr(C)]
#[derive(Ndr, Debug)]
pub struct Record {
    pub kind: u8,
    pub place: *mut Point,
    #[idl(string)]
    pub name: *mut u16,
    pub count: u32,
    #[idl(size_is(count))]
    pub marks: *mut u64,
    pub text: BSTR,
    pub thing: Option<IEvery>,
    pub next: *mut Record,
}

/// Every kind of parameter, in every direction.
#[async_interface(uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b0f1", async_uuid = "5a1e7c90-3b41-4c0f-8d59-1f0c66c6b0f2")]
pub unsafe trait IEvery: IUnknown {
    /// Scalars and structures.
    fn Scalars(
        &self,
        #[idl(in)] a: u8,
        #[idl(in)] b: bool,
        #[idl(in)] shape: Shape,
        #[idl(in)] id: GUID,
        #[idl(in)] point: Point,
        #[idl(out)] back: *mut Shape,
        #[idl(in, out)] sum: *mut f64,
    ) -> HRESULT;
    /// Strings.
    fn Text(
        &self,
        #[idl(in, string)] wide: *const u16,
        #[idl(in, unique, string)] narrow: *const u8,
        #[idl(out, string)] name: *mut *mut u16,
        #[idl(in, out)] text: *mut BSTR,
    ) -> HRESULT;
    /// Arrays.
    fn Arrays(
        &self,
        #[idl(in)] n: u8,
        #[idl(in, size_is(n))] parts: *const BSTR,
        #[idl(in, unique, size_is(2))] two: *const u16,
        #[idl(in, out)] length: *mut u32,
        #[idl(in, out, size_is(n), length_is(*length))] data: *mut u16,
        #[idl(out, size_is(n))] filled: *mut i64,
    ) -> HRESULT;
    /// Structures with all that hangs off them.
    fn Records(&self, #[idl(in)] record: *const Record, #[idl(out)] back: *mut Record) -> HRESULT;
    /// Interface pointers.
    fn Things(
        &self,
        #[idl(in)] first: Ref<'_, IEvery>,
        #[idl(out)] same: OutRef<'_, IEvery>,
        #[idl(in, out)] other: *mut Option<IEvery>,
        #[idl(in)] iid: *const GUID,
        #[idl(in, iid_is(iid))] raw: *mut c_void,
        #[idl(out, iid_is(iid))] raw_back: *mut *mut c_void,
    ) -> HRESULT;
}

/// How many methods it has beside IUnknown's.
pub const METHODS: u32 = 5;

/// Gives back what it gets.
#[com_class(IEvery)]
#[derive(Default)]
pub struct Every {
    kept: RefCell<Option<IEvery>>,
}

/// A new object.
pub fn every() -> IEvery {
    Every::default().into()
}

/// Memory of COM's with these values.
pub unsafe fn task<T: Copy>(values: &[T]) -> *mut T {
    let memory = unsafe { CoTaskMemAlloc(size_of_val(values)) }.cast::<T>();
    assert!(!memory.is_null());
    unsafe { memory.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
    memory
}

fn length<T: Default + PartialEq>(text: *const T) -> usize {
    (0..).take_while(|at| unsafe { *text.add(*at) != T::default() }).count()
}

impl IEvery_Impl for Every_Impl {
    unsafe fn Scalars(
        &self,
        a: u8,
        b: bool,
        shape: Shape,
        id: GUID,
        point: Point,
        back: *mut Shape,
        sum: *mut f64,
    ) -> HRESULT {
        unsafe {
            *back = shape;
            *sum += f64::from(a) + f64::from(u8::from(b)) + f64::from(point.x) + f64::from(point.y);
        }
        if id == GUID::zeroed() { E_INVALIDARG } else { S_OK }
    }
    unsafe fn Text(&self, wide: *const u16, narrow: *const u8, name: *mut *mut u16, text: *mut BSTR) -> HRESULT {
        unsafe {
            let said = std::slice::from_raw_parts(wide, length(wide) + 1);
            *name = task(said);
            if !narrow.is_null() && length(narrow) > 3 {
                SysFreeString(*text);
                *text = SysAllocString(wide);
            }
        }
        S_OK
    }
    unsafe fn Arrays(
        &self,
        n: u8,
        parts: *const BSTR,
        two: *const u16,
        length: *mut u32,
        data: *mut u16,
        filled: *mut i64,
    ) -> HRESULT {
        unsafe {
            let bytes = |part: &BSTR| i64::from(SysStringByteLen(*part));
            let parts = std::slice::from_raw_parts(parts, n.into());
            let two = if two.is_null() { 0 } else { i64::from(*two) + i64::from(*two.add(1)) };
            for (at, part) in parts.iter().enumerate() {
                *filled.add(at) = bytes(part) + two;
            }
            let given = (*length).min(n.into()) as usize;
            std::slice::from_raw_parts_mut(data, given).reverse();
            *length = u32::from(n).min(length.read().saturating_add(1));
            for at in given..*length as usize {
                *data.add(at) = 7;
            }
        }
        S_OK
    }
    unsafe fn Records(&self, record: *const Record, back: *mut Record) -> HRESULT {
        unsafe {
            let record = &*record;
            let marks = if record.marks.is_null() {
                null_mut()
            } else {
                task(std::slice::from_raw_parts(record.marks, record.count as usize))
            };
            let name = if record.name.is_null() {
                null_mut()
            } else {
                task(std::slice::from_raw_parts(record.name, length(record.name) + 1))
            };
            back.write(Record {
                kind: record.kind,
                place: record.place.as_ref().map_or(null_mut(), |place| task(&[*place])),
                name,
                count: record.count,
                marks,
                text: SysAllocStringLen(record.text.0, SysStringLen(record.text)),
                thing: record.thing.clone(),
                next: null_mut(),
            });
        }
        S_OK
    }
    unsafe fn Things(
        &self,
        first: Ref<'_, IEvery>,
        same: OutRef<'_, IEvery>,
        other: *mut Option<IEvery>,
        iid: *const GUID,
        raw: *mut c_void,
        raw_back: *mut *mut c_void,
    ) -> HRESULT {
        unsafe {
            *raw_back = null_mut();
            if let Some(raw) = IUnknown::from_raw_borrowed(&raw) {
                let _ = raw.query(iid, raw_back);
            }
            // The object itself would live for ever in its own hands.
            let own: IUnknown = self.query().expect("every object has it");
            let given = (*other).take().filter(|given| given.cast::<IUnknown>().is_ok_and(|given| given != own));
            *other = self.kept.replace(given);
        }
        same.write(first.cloned()).map_or_else(|error| error.code(), |()| S_OK)
    }
}

/// What a reply made belongs to the caller.
pub unsafe fn free_record(record: Record) {
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

/// A marshaled pointer as bytes.
pub fn packet<I: Interface>(object: &I, flags: u32) -> Vec<u8> {
    try_packet(object, flags).expect("the caller is in an apartment")
}

/// A marshaled pointer as bytes, where there can be one.
pub fn try_packet<I: Interface>(object: &I, flags: u32) -> Result<Vec<u8>, HRESULT> {
    let stream = stream(&[]);
    unsafe {
        let hr = CoMarshalInterface(stream.as_raw(), &I::IID, object.as_raw(), MSHCTX_INPROC, null_mut(), flags);
        hr.ok().map_err(|error| error.code())?;
        rewind(&stream);
        let (mut bytes, mut len) = (vec![0; 256], 0);
        assert!(stream.Read(bytes.as_mut_ptr().cast(), 256, &mut len).is_ok());
        bytes.truncate(len as usize);
        Ok(bytes)
    }
}

/// A stream with these bytes, at its start.
pub fn stream(bytes: &[u8]) -> IStream {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        let stream = IStream::from_raw(raw);
        assert_eq!(stream.Write(bytes.as_ptr().cast(), bytes.len() as u32, null_mut()), S_OK);
        rewind(&stream);
        stream
    }
}

/// To the start.
pub fn rewind(stream: &IStream) {
    assert_eq!(unsafe { stream.Seek(0, STREAM_SEEK_SET, null_mut()) }, S_OK);
}
