//! Mode `notify`: the call notify object, which aggregates the call object to hear its Signal.
//!
//! When the reply is in, COM signals the call object, and it asks the whole object for the ISynchronize to signal: the call
//! notify object answers with its own. Its Signal passes the news on to the inner call object, then posts a message to the
//! client's window. The client's message loop is all that the client needs; its window procedure finishes the call.

use super::Outcome;
use super::call::{Call, factory_of};
use crate::com::name;
use crate::interface::{AsyncISieve, ISieve};
use crate::timeline::say;
use oleander::object::Inner;
use oleander::windows_core::{Error, HRESULT, IUnknown, Interface, InterfaceRef, Result};
use oleander::*;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null;

/// Posted by Signal: the call is complete.
const WM_CALL_COMPLETE: u32 = WM_APP;

/// How the call notify object learns whom to tell and what to call.
#[interface("6b7f9b1a-54c3-4d0e-9a86-0d3c5a1f2e04")]
unsafe trait ICallObjectInit: IUnknown {
    /// Makes the call object inside, with the server object's ICallFactory; its completion will be posted to the window.
    fn Initialize(&self, hWnd: HWND, pCallFactory: *mut c_void) -> HRESULT;
}

/// The outer object: its own ISynchronize and ICallObjectInit; every other question goes to the call object inside, blindly.
#[com_class(ICallObjectInit, ISynchronize, blind = inner)]
#[derive(Default)]
struct CallNotify {
    window: Cell<HWND>,
    inner: Inner,
}

impl CallNotify {
    /// The call object's own ISynchronize.
    fn synchronize(&self) -> Result<InterfaceRef<'_, ISynchronize>> {
        self.inner.cached()
    }
}

impl ICallObjectInit_Impl for CallNotify_Impl {
    unsafe fn Initialize(&self, hWnd: HWND, pCallFactory: *mut c_void) -> HRESULT {
        self.window.set(hWnd);
        // SAFETY: the caller's pointer, null or an ICallFactory that lives as long as this call.
        let Some(factory) = (unsafe { ICallFactory::from_raw_borrowed(&pCallFactory) }) else { return E_POINTER };
        // SAFETY: with a controlling unknown, CreateCall gives the non-delegating IUnknown of what it makes.
        let aggregated = unsafe {
            self.aggregate(&self.inner, |outer, iid, ppv| factory.CreateCall(&AsyncISieve::IID, outer, iid, ppv))
        };
        let hr = aggregated.map_or_else(|error| error.code(), |()| S_OK);
        say!("Initialize: CreateCall(AsyncISieve, outer object) → {}", name(hr));
        hr
    }
}

impl ISynchronize_Impl for CallNotify_Impl {
    unsafe fn Wait(&self, dwFlags: u32, dwMilliseconds: u32) -> HRESULT {
        // SAFETY: the inner object is used where the outer one is.
        self.synchronize().map_or_else(|error| error.code(), |inner| unsafe { inner.Wait(dwFlags, dwMilliseconds) })
    }

    unsafe fn Signal(&self) -> HRESULT {
        // SAFETY: as above. First of all, or Finish_ would wait for it.
        let hr = self.synchronize().map_or_else(|error| error.code(), |inner| unsafe { inner.Signal() });
        say!("Signal → {}", name(hr));
        // SAFETY: at worst the window is gone.
        let posted = unsafe { PostMessageW(self.window.get(), WM_CALL_COMPLETE, 0, 0) };
        say!("PostMessage(WM_CALL_COMPLETE) → {}", posted.as_bool());
        hr
    }

    unsafe fn Reset(&self) -> HRESULT {
        // SAFETY: as above.
        let hr = self.synchronize().map_or_else(|error| error.code(), |inner| unsafe { inner.Reset() });
        say!("Reset → {}", name(hr));
        hr
    }
}

/// What the window knows: the call that it is told about, and what became of it.
struct Pending {
    call: Call,
    finished: Cell<Option<Result<u32>>>,
}

pub(super) fn notify(sieve: &ISieve, max: u32) -> Result<Outcome> {
    let window = Window::create()?;
    let factory = factory_of(sieve)?;
    let init: ICallObjectInit = CallNotify::default().into();
    // SAFETY: live pointers of this apartment.
    unsafe { init.Initialize(window.0, factory.as_raw()) }.ok()?;
    let pending = Pending { call: Call::of(&init)?, finished: Cell::new(None) };
    window.tell(&pending);
    pending.call.begin(max)?;
    say!("GetMessage, DispatchMessage: the message loop");
    message_loop();
    drop(window);
    super::outcome(pending.finished.take().unwrap_or(Err(E_UNEXPECTED.into())))
}

/// What every program with a window does all day. Calls and signals for the apartment come in here, too.
fn message_loop() {
    let mut message = MSG::default();
    // SAFETY: a place of our own; every window of the thread.
    while unsafe { GetMessageW(&mut message, HWND::NULL, 0, 0) }.0 > 0 {
        // SAFETY: the message that was just fetched.
        unsafe { DispatchMessageW(&message) };
    }
}

unsafe extern "system" fn window_procedure(window: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    if message != WM_CALL_COMPLETE {
        // SAFETY: our own arguments, passed on.
        return unsafe { DefWindowProcW(window, message, wparam, lparam) };
    }
    say!("window procedure: WM_CALL_COMPLETE");
    // SAFETY: null or what `tell` put there, which outlives the window.
    let pending = unsafe { (GetWindowLongPtrW(window, GWLP_USERDATA) as *const Pending).as_ref() };
    if let Some(pending) = pending {
        pending.finished.set(Some(pending.call.finish()));
    }
    // SAFETY: the message loop of this thread ends.
    unsafe { PostQuitMessage(0) };
    0
}

/// A window without a face, destroyed when dropped.
struct Window(HWND);

impl Window {
    fn create() -> Result<Self> {
        let name: Vec<u16> = "SieveClient\0".encode_utf16().collect();
        // SAFETY: zero in all fields is a class without anything, as in C; its name lives as long as the calls.
        let window = unsafe {
            let class =
                WNDCLASSW { lpfnWndProc: Some(window_procedure), lpszClassName: name.as_ptr(), ..std::mem::zeroed() };
            RegisterClassW(&class);
            let (parent, menu, module) = (HWND_MESSAGE, HANDLE::NULL, HINSTANCE::NULL);
            CreateWindowExW(0, name.as_ptr(), null(), 0, 0, 0, 0, 0, parent, menu, module, null())
        };
        if window.is_null() { Err(Error::from_hresult(E_FAIL)) } else { Ok(Self(window)) }
    }

    /// Gives the window procedure what it needs.
    fn tell(&self, pending: &Pending) {
        // SAFETY: the window is ours; its user data is a number to everybody but the window procedure.
        unsafe { SetWindowLongPtrW(self.0, GWLP_USERDATA, std::ptr::from_ref(pending) as isize) };
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: our own window, on its thread.
        let _ = unsafe { DestroyWindow(self.0) };
    }
}
