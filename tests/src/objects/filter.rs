//! A message filter: handles every call, gives rejected calls up and waits on, unless the row's lines `return` something.

use super::Player;
use oleander::*;

/// The filter.
#[com_class(IMessageFilter)]
pub struct Filter(pub Player);

impl IMessageFilter_Impl for Filter_Impl {
    unsafe fn HandleInComingCall(&self, kind: u32, _: HANDLE, _: u32, _: *const INTERFACEINFO) -> u32 {
        self.0.method("HandleInComingCall", Some(kind)).number().unwrap_or(SERVERCALL_ISHANDLED)
    }
    unsafe fn RetryRejectedCall(&self, _: HANDLE, _: u32, kind: u32) -> u32 {
        self.0.method("RetryRejectedCall", Some(kind)).number().unwrap_or(u32::MAX)
    }
    unsafe fn MessagePending(&self, _: HANDLE, _: u32, kind: u32) -> u32 {
        self.0.method("MessagePending", Some(kind)).number().unwrap_or(PENDINGMSG_WAITDEFPROCESS)
    }
}
