//! Classes: class objects, what they make, in-process classes with a threading model. What nobody revokes goes with its
//! apartment, or with the row.

use super::{Operation, give, op};
use crate::objects::{Player, factory};
use crate::run::{ROW, Value};
use oleander::object::{ThreadingModel, register_in_process_class, revoke_in_process_class};
use oleander::windows_core::{GUID, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::ptr::{dangling_mut, null, null_mut};

/// A GUID that no function has written to.
const UNTOUCHED: GUID = GUID::from_u128(0xABCD);

/// A text as units that end with a NUL.
fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The id of zeros is null.
fn id_or_null(id: GUID) -> Value {
    if id == GUID::zeroed() { Value::Null } else { id.into() }
}

/// The table.
pub const OPERATIONS: &[Operation] = &[
    op(
        "CoCreateInstance",
        "clsid:CLSID_ iid? context:CLSCTX_? outer?",
        "hr object",
        "makes an object of a class",
        |c| {
            let (class, iid) = (c.get::<GUID>(0)?, c.optional(1)?.unwrap_or(IUnknown::IID));
            let context = c.optional(2)?.unwrap_or(CLSCTX_INPROC_SERVER);
            let (outer, mut raw) = (c.optional::<*mut c_void>(3)?.unwrap_or(null_mut()), null_mut());
            // SAFETY: valid pointers; the outer is null or a live object.
            let hr = unsafe { CoCreateInstance(&class, outer, context, &iid, &mut raw) };
            give![hr, c.owned(raw)]
        },
    ),
    op("CoCreateInstance.null", "clsid:CLSID_", "hr", "with null for the output", |c| {
        // SAFETY: valid ids; null is what this is about.
        let hr = unsafe { CoCreateInstance(&c.get(0)?, null_mut(), CLSCTX_INPROC_SERVER, &IUnknown::IID, null_mut()) };
        give![hr]
    }),
    op(
        "CoCreateInstanceEx",
        "clsid:CLSID_ iids context:CLSCTX_ outer?",
        "hr codes",
        "makes an object, and asks for several interfaces",
        |c| {
            let (class, iids, context): (GUID, Vec<GUID>, u32) = (c.get(0)?, c.get(1)?, c.get(2)?);
            let outer = c.optional::<*mut c_void>(3)?.unwrap_or(null_mut());
            let entry = |iid: &GUID| MULTI_QI { pIID: iid, pItf: null_mut(), hr: E_FAIL };
            let mut entries: Vec<_> = iids.iter().map(entry).collect();
            let count = entries.len() as u32;
            // SAFETY: valid pointers; the outer is null or a live object.
            let hr = unsafe { CoCreateInstanceEx(&class, outer, context, null(), count, entries.as_mut_ptr()) };
            entries.iter().for_each(|entry| drop(c.owned(entry.pItf)));
            let codes = entries.iter().map(|entry| entry.hr.into()).collect();
            give![hr, Value::List(codes)]
        },
    ),
    op(
        "CoRegisterClassObject",
        "clsid:CLSID_ object context:CLSCTX_ flags:REGCLS_?",
        "hr cookie",
        "a class of this apartment, or of all",
        |c| {
            let (class, context): (GUID, u32) = (c.get(0)?, c.get(2)?);
            let (flags, mut cookie) = (c.optional(3)?.unwrap_or(REGCLS_MULTIPLEUSE), 0);
            // SAFETY: valid pointers; the object is null or alive.
            let hr = unsafe { CoRegisterClassObject(&class, c.get(1)?, context, flags, &mut cookie) };
            give![hr, cookie]
        },
    ),
    op("CoRevokeClassObject", "cookie", "hr", "takes a class back", |c| {
        // SAFETY: a cookie is a number.
        give![unsafe { CoRevokeClassObject(c.get(0)?) }]
    }),
    op("CoResumeClassObjects", "", "hr", "shows the classes that were registered suspended", |_| {
        // SAFETY: no pointers.
        give![unsafe { CoResumeClassObjects() }]
    }),
    op("CoSuspendClassObjects", "", "hr", "hides all classes", |_| {
        // SAFETY: no pointers.
        give![unsafe { CoSuspendClassObjects() }]
    }),
    op("CoGetClassObject", "clsid:CLSID_ context:CLSCTX_", "hr factory", "a class object as IClassFactory", |c| {
        let (class, mut raw): (GUID, *mut c_void) = (c.get(0)?, dangling_mut());
        // SAFETY: valid pointers.
        let hr = unsafe { CoGetClassObject(&class, c.get(1)?, null_mut(), &IClassFactory::IID, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op("CoGetClassObject.null", "clsid:CLSID_ context:CLSCTX_", "hr", "with null for the output", |c| {
        let class: GUID = c.get(0)?;
        // SAFETY: valid ids; null is what this is about.
        let hr = unsafe { CoGetClassObject(&class, c.get(1)?, null_mut(), &IClassFactory::IID, null_mut()) };
        give![hr]
    }),
    op("CreateInstance", "factory iid outer?", "hr object", "IClassFactory::CreateInstance", |c| {
        let (factory, iid): (IClassFactory, GUID) = (c.exact(0)?, c.get(1)?);
        let (outer, mut raw) = (c.optional::<*mut c_void>(2)?.unwrap_or(null_mut()), dangling_mut());
        // SAFETY: valid pointers; the outer is null or a live object.
        let hr = unsafe { factory.CreateInstance(outer, &iid, &mut raw) };
        give![hr, c.owned(raw)]
    }),
    op(
        "register_in_process_class",
        "clsid:CLSID_ model:OLEANDER_THREADING_ flags:OLEANDER_CLASS_?",
        "class",
        "a class of Samples for the whole process, with a threading model; they have the class's name",
        |c| {
            let (class, model): (GUID, u32) = (c.get(0)?, c.get(1)?);
            let model = match model {
                OLEANDER_THREADING_MAIN => ThreadingModel::Main,
                OLEANDER_THREADING_APARTMENT => ThreadingModel::Apartment,
                OLEANDER_THREADING_FREE => ThreadingModel::Free,
                OLEANDER_THREADING_BOTH => ThreadingModel::Both,
                OLEANDER_THREADING_NEUTRAL => ThreadingModel::Neutral,
                _ => return Err(format!("no threading model: {model}")),
            };
            let player = Player::of(c);
            let make = move || factory("Sample".to_owned(), player.clone());
            register_in_process_class(&class, make, model, c.optional(2)?.unwrap_or(0));
            c.stage.keep(ROW, class.into(), |class| {
                if let Value::Guid(class) = class {
                    revoke_in_process_class(class);
                }
            });
            give![class]
        },
    ),
    op("IGlobalOptions.Set", "options property:COMGLOB_ value:COMGLOB_", "hr", "sets a global option", |c| {
        let options: IGlobalOptions = c.exact(0)?;
        // SAFETY: no pointers.
        give![unsafe { options.Set(c.get(1)?, c.get(2)?) }]
    }),
    op("IGlobalOptions.Query", "options property:COMGLOB_", "hr value:COMGLOB_", "what a global option is", |c| {
        let (options, mut value): (IGlobalOptions, usize) = (c.exact(0)?, 0xABCD);
        // SAFETY: a valid pointer.
        let hr = unsafe { options.Query(c.get(1)?, &mut value) };
        give![hr, value]
    }),
    op("CLSIDFromString", "text:text", "hr clsid:CLSID_", "reads a class id", |c| {
        let (text, mut id) = (units(&c.get::<String>(0)?), UNTOUCHED);
        // SAFETY: valid pointers.
        let hr = unsafe { CLSIDFromString(text.as_ptr(), &mut id) };
        give![hr, id_or_null(id)]
    }),
    op("IIDFromString", "text:text", "hr iid", "reads an interface id", |c| {
        let (text, mut id) = (units(&c.get::<String>(0)?), UNTOUCHED);
        // SAFETY: valid pointers.
        let hr = unsafe { IIDFromString(text.as_ptr(), &mut id) };
        give![hr, id_or_null(id)]
    }),
];
