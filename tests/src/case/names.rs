//! The constants that rows can name: HRESULTs, flags and class ids from oleander's own tables, interfaces by name.

use crate::objects::{AsyncISample, CLSID_BY_VALUE, CLSID_HANDLER, IAtOnce, ILocal, IMoniker, ISample};
use crate::run::Value;
use oleander::abi::{clsid, hresult, types};
use oleander::windows_core::{GUID, IUnknown, Interface};
use oleander::*;

macro_rules! interfaces {
    ($($name:ident)*) => {
        /// The interfaces that rows know: name and id.
        pub const INTERFACES: &[(&str, GUID)] = &[$((stringify!($name), <$name as Interface>::IID)),*];
    };
}

interfaces! {
    IUnknown IClassFactory IMultiQI AsyncIMultiQI
    ISynchronize ISynchronizeHandle ISynchronizeEvent ISynchronizeContainer ISynchronizeMutex IWaitMultiple
    IObjContext IContext IComThreadingInfo IInitializeSpy IGlobalOptions
    ICallFactory ICancelMethodCalls IMessageFilter
    IMarshal IMarshal2 INoMarshal IGlobalInterfaceTable IAgileObject IAgileReference IContextCallback ISequentialStream IStream
    IAdviseSink IAdviseSink2 AsyncIUnknown IClientSecurity IServerSecurity
    ISample AsyncISample IAtOnce ILocal IMoniker
}

/// Ids that stand for no interface of their own.
const IDS: &[(&str, GUID)] =
    &[("IID_ICallbackWithNoReentrancyToApplicationSTA", IID_ICallbackWithNoReentrancyToApplicationSTA)];

/// Classes that rows register, to a [`ByValue`](crate::objects) object's or to anything.
const CLASSES: &[(&str, GUID)] = &[
    ("CLSID_ByValue", CLSID_BY_VALUE),
    ("CLSID_Handler", CLSID_HANDLER),
    ("CLSID_Sample", GUID::from_u128(0x5b0e6a10_3c1d_4a5e_9a77_6f6c65616f12)),
    ("CLSID_Other", GUID::from_u128(0x5b0e6a10_3c1d_4a5e_9a77_6f6c65616f13)),
];

/// The value of a name, as such or behind a prefix: `DEFAULT` behind `COWAIT_`. Flags are put together by `|`.
pub fn constant(name: &str, prefix: &str) -> Option<Value> {
    if name.contains('|') {
        let flags = name.split('|').map(|part| match constant(part, prefix) {
            Some(Value::Num(bits)) => Some(bits),
            _ => None,
        });
        return flags.sum::<Option<i64>>().map(Value::Num);
    }
    if let Some(number) = number(name) {
        return Some(Value::Num(number));
    }
    match name {
        "null" => return Some(Value::Null),
        "TRUE" => return Some(Value::Bool(true)),
        "FALSE" => return Some(Value::Bool(false)),
        "INVALID_HANDLE_VALUE" => return Some(Value::Handle(INVALID_HANDLE_VALUE)),
        _ => {}
    }
    let full = format!("{prefix}{name}");
    let is_it = |known: &str| known == name || (!prefix.is_empty() && known == full);
    let hr = hresult::ALL.iter().find(|(known, ..)| is_it(known)).map(|(_, hr, _)| Value::Hr(*hr));
    hr.or_else(|| types::FLAGS.iter().find(|(known, _)| is_it(known)).map(|(_, flag)| Value::Num(*flag)))
        .or_else(|| clsid::CLASS_IDS.iter().find(|(known, _)| is_it(known)).map(|(_, id)| Value::Guid(*id)))
        .or_else(|| CLASSES.iter().find(|(known, _)| is_it(known)).map(|(_, id)| Value::Guid(*id)))
        .or_else(|| IDS.iter().find(|(known, _)| is_it(known)).map(|(_, id)| Value::Guid(*id)))
        .or_else(|| INTERFACES.iter().find(|(known, _)| is_it(known)).map(|(_, id)| Value::Guid(*id)))
}

fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
