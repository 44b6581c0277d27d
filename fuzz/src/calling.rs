//! Calls of each method, on a proxy or on its halves, with arguments that an input chooses.

use super::{AsyncIEvery, IEvery, Point, Record, Shape, every, free_record};
use arbitrary::Arbitrary;
use oleander::windows_core::{GUID, Interface};
use oleander::*;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

/// Which method, with what.
#[derive(Arbitrary, Debug, Clone)]
pub enum Call {
    /// Numbers.
    Scalars(u8, bool, bool),
    /// Strings.
    Text(Vec<u16>, Option<Vec<u8>>, Option<Vec<u16>>),
    /// Arrays.
    Arrays(u8, bool),
    /// Structures.
    Records(Option<Vec<u16>>, Option<Vec<u64>>, bool, bool),
    /// Interface pointers.
    Things(bool, bool, Option<bool>),
}

/// Whom a method is called on.
pub enum On {
    /// A proxy, or the object.
    Proxy(IEvery),
    /// A call object.
    Halves(AsyncIEvery, End),
}

/// What becomes of a call that is begun.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// It is finished.
    Finish,
    /// It is cancelled first, where somebody does that.
    Cancel,
    /// Nobody finishes it.
    Abandon,
}

impl End {
    /// Whether `Finish_` is next.
    fn come(self, halves: &AsyncIEvery) -> bool {
        if self == Self::Cancel
            && let Ok(cancel) = halves.cast::<ICancelMethodCalls>()
        {
            let _ = unsafe { cancel.Cancel(0) };
        }
        self != Self::Abandon
    }
}

fn ended<T: Copy + Default>(text: &[T]) -> Vec<T> {
    text.iter().copied().chain([T::default()]).collect()
}

/// Outputs are ours whatever the HRESULT says: a method may fail beside them, and a reply that cannot be read leaves nulls.
/// What goes in and comes out has a place for each half: `Finish_` writes over what is in its own.
pub unsafe fn call(on: &On, what: &Call) {
    unsafe {
        match what {
            Call::Scalars(a, square, null_id) => {
                let shape = if *square { Shape::Square } else { Shape::Round };
                let id = if *null_id { GUID::zeroed() } else { IEvery::IID };
                let (mut back, mut sum, point) = (Shape::Round, 1.0, Point { x: 1, y: 2 });
                match on {
                    On::Proxy(proxy) => {
                        let _ = proxy.Scalars(*a, *square, shape, id, point, &mut back, &mut sum);
                    }
                    On::Halves(halves, end) => {
                        let _ = halves.Begin_Scalars(*a, *square, shape, id, point, &mut sum);
                        let _ = end.come(halves).then(|| halves.Finish_Scalars(&mut back, &mut sum));
                    }
                }
                assert!(matches!(back, Shape::Round | Shape::Square));
            }
            Call::Text(wide, narrow, text) => {
                let (wide, narrow) = (ended(wide), narrow.as_ref().map(|narrow| ended(narrow)));
                let (wide, narrow) = (wide.as_ptr(), narrow.as_ref().map_or(null(), |it| it.as_ptr()));
                let mut text =
                    text.as_ref().map_or(BSTR::NULL, |text| SysAllocStringLen(text.as_ptr(), text.len() as u32));
                let (mut name, mut other) = (null_mut(), BSTR::NULL);
                match on {
                    On::Proxy(proxy) => drop(proxy.Text(wide, narrow, &mut name, &mut text)),
                    On::Halves(halves, end) => {
                        let _ = halves.Begin_Text(wide, narrow, &mut text);
                        let _ = end.come(halves).then(|| halves.Finish_Text(&mut name, &mut other));
                    }
                }
                CoTaskMemFree(name.cast());
                SysFreeString(text);
                SysFreeString(other);
            }
            Call::Arrays(n, two) => {
                let n = n % 8;
                let parts: Vec<_> = (0..n).map(|len| SysAllocStringLen(null(), len.into())).collect();
                let (mut data, mut filled) = (vec![3_u16; n.into()], vec![0_i64; n.into()]);
                let two = two.then_some([1, 2]);
                let (mut length, two) = (u32::from(n / 2), two.as_ref().map_or(null(), |two| two.as_ptr()));
                let (part, from, to) = (parts.as_ptr(), data.as_mut_ptr(), filled.as_mut_ptr());
                match on {
                    On::Proxy(proxy) => drop(proxy.Arrays(n, part, two, &mut length, from, to)),
                    On::Halves(halves, end) => {
                        let _ = halves.Begin_Arrays(n, part, two, &mut length, from);
                        let _ = end.come(halves).then(|| halves.Finish_Arrays(&mut length, from, to));
                    }
                }
                parts.into_iter().for_each(|part| SysFreeString(part));
            }
            Call::Records(name, marks, nested, thing) => records(on, name.as_deref(), marks.clone(), *nested, *thing),
            Call::Things(first, other, raw) => things(on, *first, *other, raw.is_some()),
        }
    }
}

unsafe fn records(on: &On, name: Option<&[u16]>, mut marks: Option<Vec<u64>>, nested: bool, thing: bool) {
    let mut name = name.map(ended);
    let mut place = Point { x: 3, y: 4 };
    unsafe {
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
            next: if nested { &mut inner } else { null_mut() },
        };
        let mut back = MaybeUninit::<Record>::zeroed();
        match on {
            On::Proxy(proxy) => drop(proxy.Records(&record, back.as_mut_ptr())),
            On::Halves(halves, end) => {
                let _ = halves.Begin_Records(&record);
                let _ = end.come(halves).then(|| halves.Finish_Records(back.as_mut_ptr()));
            }
        }
        free_record(back.assume_init());
        SysFreeString(text);
    }
}

unsafe fn things(on: &On, first: bool, other: bool, raw: bool) {
    let (first, raw) = (first.then(every), raw.then(every));
    let (mut same, mut other, mut second, mut raw_back) = (None, other.then(every), None, null_mut());
    let raw = raw.as_ref().map_or(null_mut(), |raw| raw.as_raw());
    let iid = &IEvery::IID;
    unsafe {
        match on {
            On::Proxy(proxy) => {
                let _ = proxy.Things(first.as_ref().into(), (&mut same).into(), &mut other, iid, raw, &mut raw_back);
            }
            On::Halves(halves, end) => {
                let _ = halves.Begin_Things(first.as_ref().into(), &mut other, iid, raw);
                let _ = end.come(halves).then(|| halves.Finish_Things((&mut same).into(), &mut second, &mut raw_back));
            }
        }
        if !raw_back.is_null() {
            drop(IEvery::from_raw(raw_back));
        }
    }
}
