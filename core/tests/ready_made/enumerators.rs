//! IEnumUnknown: `Next` goes over the wire as `RemoteNext`.

use super::*;
use oleander::windows_core::{HRESULT, IUnknown};
use std::cell::Cell;
use std::ffi::c_void;
use std::rc::Rc;

#[com_class(IPersist)]
struct Item {
    number: u32,
}

impl IPersist_Impl for Item_Impl {
    unsafe fn GetClassID(&self, pClassID: *mut windows_core::GUID) -> HRESULT {
        // SAFETY: the stub's memory.
        unsafe { *pClassID = windows_core::GUID::from_u128(u128::from(self.number)) };
        S_OK
    }
}

/// Enumerates as careless enumerators do: a single object that was asked for is not counted.
#[com_class(IEnumUnknown)]
struct Items {
    items: Rc<[IUnknown]>,
    next: Cell<usize>,
}

impl IEnumUnknown_Impl for Items_Impl {
    unsafe fn Next(&self, celt: u32, rgelt: *mut *mut c_void, pceltFetched: *mut u32) -> HRESULT {
        let from = self.next.get();
        let count = (self.items.len() - from).min(celt as usize);
        for (at, item) in self.items[from..from + count].iter().enumerate() {
            // SAFETY: the caller gives room for so many pointers.
            unsafe { rgelt.add(at).write(item.clone().into_raw()) };
        }
        self.next.set(from + count);
        if celt > 1 || count == 0 {
            // SAFETY: the caller gives a place for the count of more than one.
            unsafe { *pceltFetched = count as u32 };
        }
        if count == celt as usize { S_OK } else { S_FALSE }
    }
    unsafe fn Skip(&self, celt: u32) -> HRESULT {
        self.next.set((self.next.get() + celt as usize).min(self.items.len()));
        S_OK
    }
    unsafe fn Reset(&self) -> HRESULT {
        self.next.set(0);
        S_OK
    }
    unsafe fn Clone(&self, ppenum: *mut *mut c_void) -> HRESULT {
        let copy: IEnumUnknown = Items { items: self.items.clone(), next: self.next.clone() }.into();
        // SAFETY: the stub's memory.
        unsafe { *ppenum = copy.into_raw() };
        S_OK
    }
}

fn three() -> IEnumUnknown {
    let items = (1..=3).map(|number| IPersist::from(Item { number }).into()).collect();
    Items { items, next: Cell::new(0) }.into()
}

/// The numbers of the next objects, through proxies of theirs.
fn next(items: &IEnumUnknown, wanted: u32) -> (HRESULT, Vec<u128>) {
    let (mut found, mut fetched) = ([const { None::<IUnknown> }; 8], 99);
    // SAFETY: room for eight pointers.
    let hr = unsafe { items.Next(wanted, found.as_mut_ptr().cast(), &mut fetched) };
    assert!(found[fetched as usize..].iter().all(Option::is_none));
    let number = |item: &IUnknown| {
        let mut clsid = windows_core::GUID::zeroed();
        // SAFETY: a valid pointer.
        assert_eq!(unsafe { item.cast::<IPersist>().unwrap().GetClassID(&mut clsid) }, S_OK);
        clsid.to_u128()
    };
    (hr, found[..fetched as usize].iter().flatten().map(number).collect())
}

#[test]
fn ienumunknown_through_a_proxy() {
    through_a_proxy(three, |items| {
        assert_eq!(next(&items, 2), (S_OK, vec![1, 2]));
        assert_eq!(next(&items, 5), (S_FALSE, vec![3]));
        assert_eq!(next(&items, 1), (S_FALSE, vec![]));
        // SAFETY: valid pointers, or null where that is allowed.
        unsafe {
            assert_eq!(items.Reset(), S_OK);
            assert_eq!(items.Skip(1), S_OK);
            let mut raw = ptr::null_mut();
            assert_eq!(items.Clone(&mut raw), S_OK);
            let clone = IEnumUnknown::from_raw(raw);
            assert_eq!(next(&clone, 1), (S_OK, vec![2]), "a single object need not be counted by the server");
            let mut one = None::<IUnknown>;
            assert_eq!(items.Next(1, (&raw mut one).cast(), ptr::null_mut()), S_OK);
            assert!(one.is_some(), "nor by the client");
            let mut two = [const { None::<IUnknown> }; 2];
            assert_eq!(items.Next(2, two.as_mut_ptr().cast(), ptr::null_mut()), E_INVALIDARG);
        }
        assert_eq!(next(&items, 8), (S_FALSE, vec![3]));
    });
}
