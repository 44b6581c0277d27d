//! The same object served asynchronously: its call objects do the work in `Begin_` and give the results in `Finish_`.
//!
//! Results belong to the call object until `Finish_` gives them out. A `Finish_` of another method than the one that was
//! begun gets nothing.

use super::{AsyncIEvery, AsyncIEvery_Impl, IEvery, IEvery_Impl, Point, Record, Shape, every};
use oleander::object::{AutoInner, create_aggregated};
use oleander::windows_core::{GUID, HRESULT, Interface, OutRef, Ref};
use oleander::*;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::{null_mut, read, write};

/// When a call is signalled.
#[derive(arbitrary::Arbitrary, Clone, Copy, Debug)]
pub enum When {
    /// Inside `Begin_`.
    AtOnce,
    /// By a worker of the MTA.
    Worker,
    /// Never: the client has to cancel, or to let the call go, or the apartment ends.
    Never,
}

/// An object whose calls from other apartments are served asynchronously.
#[com_class(IEvery, ICallFactory)]
pub struct Late {
    own: IEvery,
    when: When,
}

/// A new one.
pub fn late(when: When) -> IEvery {
    Late { own: every(), when }.into()
}

impl IEvery_Impl for Late_Impl {
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
        unsafe { self.own.Scalars(a, b, shape, id, point, back, sum) }
    }
    unsafe fn Text(&self, wide: *const u16, narrow: *const u8, name: *mut *mut u16, text: *mut BSTR) -> HRESULT {
        unsafe { self.own.Text(wide, narrow, name, text) }
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
        unsafe { self.own.Arrays(n, parts, two, length, data, filled) }
    }
    unsafe fn Records(&self, record: *const Record, back: *mut Record) -> HRESULT {
        unsafe { self.own.Records(record, back) }
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
        unsafe { self.own.Things(first, same, other, iid, raw, raw_back) }
    }
}

impl ICallFactory_Impl for Late_Impl {
    unsafe fn CreateCall(
        &self,
        _: *const GUID,
        outer: *mut c_void,
        iid: *const GUID,
        out: *mut *mut c_void,
    ) -> HRESULT {
        let call = LateCall { own: self.own.clone(), when: self.when, event: AutoInner::default(), done: None.into() };
        unsafe { create_aggregated(call, outer, iid, out) }
    }
}

/// What a call gives back.
enum Outs {
    Scalars(Shape, f64),
    Text(*mut u16, BSTR),
    Arrays(u32, Vec<u16>, Vec<i64>),
    Records(Record),
    Things(Option<IEvery>, Option<IEvery>, *mut c_void),
}

impl Drop for Outs {
    fn drop(&mut self) {
        unsafe {
            match self {
                Self::Text(name, text) => {
                    CoTaskMemFree(name.cast());
                    SysFreeString(*text);
                }
                Self::Records(record) => super::free_record(read(record)),
                Self::Things(_, _, raw) if !raw.is_null() => drop(IEvery::from_raw(*raw)),
                _ => {}
            }
        }
    }
}

/// One call after another.
#[com_class(AsyncIEvery, auto(ISynchronize = event : CLSID_ManualResetEvent))]
struct LateCall {
    own: IEvery,
    when: When,
    event: AutoInner,
    done: RefCell<Option<(HRESULT, Outs)>>,
}

/// A call object by itself, for whoever calls its halves directly.
pub fn call_alone() -> AsyncIEvery {
    LateCall { own: every(), when: When::Never, event: AutoInner::default(), done: None.into() }.into()
}

impl LateCall_Impl {
    fn begun(&self, hr: HRESULT, outs: Outs) -> HRESULT {
        let before = self.done.replace(Some((hr, outs)));
        drop(before);
        match self.when {
            When::Never => S_OK,
            When::AtOnce => unsafe { self.sync().Signal() },
            When::Worker => {
                let packet = super::packet(&self.sync(), MSHLFLAGS_NORMAL);
                kernel::spawn("worker", true, move || unsafe {
                    assert_eq!(CoInitializeEx(null_mut(), COINIT_MULTITHREADED), S_OK);
                    // The apartment may have ended meanwhile, or the client given up.
                    let mut raw = null_mut();
                    if CoUnmarshalInterface(super::stream(&packet).as_raw(), &ISynchronize::IID, &mut raw).is_ok() {
                        let _ = ISynchronize::from_raw(raw).Signal();
                    }
                    CoUninitialize();
                });
                S_OK
            }
        }
    }

    fn sync(&self) -> ISynchronize {
        self.query().expect("its own or the outer's")
    }

    /// Gives out the results; `give` puts back what is not for its method.
    fn finish(&self, give: impl FnOnce(Outs) -> Result<(), Outs>) -> HRESULT {
        let Some((hr, outs)) = self.done.take() else { return E_UNEXPECTED };
        match give(outs) {
            Ok(()) => hr,
            Err(_) => E_UNEXPECTED,
        }
    }
}

impl AsyncIEvery_Impl for LateCall_Impl {
    unsafe fn Begin_Scalars(&self, a: u8, b: bool, shape: Shape, id: GUID, point: Point, sum: *mut f64) -> HRESULT {
        unsafe {
            let (mut back, mut sum) = (Shape::Round, *sum);
            let hr = self.own.Scalars(a, b, shape, id, point, &mut back, &mut sum);
            self.begun(hr, Outs::Scalars(back, sum))
        }
    }
    unsafe fn Finish_Scalars(&self, back: *mut Shape, sum: *mut f64) -> HRESULT {
        self.finish(|outs| match outs {
            Outs::Scalars(shape, number) => unsafe {
                (*back, *sum) = (shape, number);
                Ok(())
            },
            other => Err(other),
        })
    }
    unsafe fn Begin_Text(&self, wide: *const u16, narrow: *const u8, text: *mut BSTR) -> HRESULT {
        unsafe {
            let mut text = SysAllocStringLen((*text).0, SysStringLen(*text));
            let mut name = null_mut();
            let hr = self.own.Text(wide, narrow, &mut name, &mut text);
            self.begun(hr, Outs::Text(name, text))
        }
    }
    unsafe fn Finish_Text(&self, name: *mut *mut u16, text: *mut BSTR) -> HRESULT {
        self.finish(|mut outs| match &mut outs {
            Outs::Text(long, short) => unsafe {
                write(name, std::mem::replace(long, null_mut()));
                write(text, std::mem::replace(short, BSTR::NULL));
                Ok(())
            },
            _ => Err(outs),
        })
    }
    unsafe fn Begin_Arrays(
        &self,
        n: u8,
        parts: *const BSTR,
        two: *const u16,
        length: *mut u32,
        data: *mut u16,
    ) -> HRESULT {
        unsafe {
            let mut length = *length;
            let mut data = std::slice::from_raw_parts(data, n.into()).to_vec();
            let mut filled = vec![0; n.into()];
            let hr = self.own.Arrays(n, parts, two, &mut length, data.as_mut_ptr(), filled.as_mut_ptr());
            self.begun(hr, Outs::Arrays(length, data, filled))
        }
    }
    unsafe fn Finish_Arrays(&self, length: *mut u32, data: *mut u16, filled: *mut i64) -> HRESULT {
        self.finish(|outs| match &outs {
            Outs::Arrays(count, from, numbers) => unsafe {
                *length = *count;
                data.copy_from_nonoverlapping(from.as_ptr(), from.len());
                filled.copy_from_nonoverlapping(numbers.as_ptr(), numbers.len());
                Ok(())
            },
            _ => Err(outs),
        })
    }
    unsafe fn Begin_Records(&self, record: *const Record) -> HRESULT {
        unsafe {
            let mut back = std::mem::MaybeUninit::<Record>::zeroed();
            let hr = self.own.Records(record, back.as_mut_ptr());
            self.begun(hr, Outs::Records(back.assume_init()))
        }
    }
    unsafe fn Finish_Records(&self, back: *mut Record) -> HRESULT {
        self.finish(|outs| match &outs {
            Outs::Records(record) => unsafe {
                write(back, read(record));
                std::mem::forget(outs);
                Ok(())
            },
            _ => Err(outs),
        })
    }
    unsafe fn Begin_Things(
        &self,
        first: Ref<'_, IEvery>,
        other: *mut Option<IEvery>,
        iid: *const GUID,
        raw: *mut c_void,
    ) -> HRESULT {
        unsafe {
            let (mut same, mut other, mut back) = (None, (*other).clone(), null_mut());
            let hr = self.own.Things(first, (&mut same).into(), &mut other, iid, raw, &mut back);
            self.begun(hr, Outs::Things(same, other, back))
        }
    }
    unsafe fn Finish_Things(
        &self,
        same: OutRef<'_, IEvery>,
        other: *mut Option<IEvery>,
        raw_back: *mut *mut c_void,
    ) -> HRESULT {
        self.finish(|mut outs| match &mut outs {
            Outs::Things(first, second, raw) => unsafe {
                write(other, second.take());
                write(raw_back, std::mem::replace(raw, null_mut()));
                same.write(first.take()).map_err(|_| outs)
            },
            _ => Err(outs),
        })
    }
}
