//! Kernel objects: events, waits, message queues, handles. Written once, on the port.

pub(crate) struct WaitLock;
impl WaitLock {
    pub(crate) fn new() -> Self {
        Self
    }
}
pub(crate) struct HandleTable;
impl HandleTable {
    pub(crate) fn new() -> Self {
        Self
    }
}
