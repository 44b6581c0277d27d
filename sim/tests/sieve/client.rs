//! The client: the article's three ways to call, and a cancelled call.

use crate::server::{AsyncISieve, CLSID_SIEVE, ISieve};
use oleander::windows_core::{ComObject, HRESULT, IUnknown, Interface};
use oleander::*;
use std::ffi::c_void;
use std::sync::Mutex;

const WM_CALL_DONE: u32 = WM_APP + 1;

/// A sieve of the server, for the calling apartment.
pub unsafe fn create_sieve() -> ISieve {
    let mut raw = std::ptr::null_mut();
    unsafe {
        CoCreateInstance(&CLSID_SIEVE, std::ptr::null_mut(), CLSCTX_LOCAL_SERVER, &ISieve::IID, &mut raw)
            .ok()
            .expect("the class is registered");
        ISieve::from_raw(raw)
    }
}

fn call_object(sieve: &ISieve) -> AsyncISieve {
    let factory: ICallFactory = sieve.cast().expect("CALL-01");
    let mut raw = std::ptr::null_mut();
    unsafe {
        factory.CreateCall(&AsyncISieve::IID, std::ptr::null_mut(), &AsyncISieve::IID, &mut raw).ok().expect("CALL-02");
        AsyncISieve::from_raw(raw)
    }
}

pub fn synchronous_call(sieve: &ISieve, max: u32) -> (HRESULT, u32) {
    let mut primes = 0;
    let hr = unsafe { sieve.CountPrimes(max, &mut primes) };
    (hr, primes)
}

pub fn async_call(sieve: &ISieve, max: u32) -> (HRESULT, u32) {
    let call = call_object(sieve);
    let sync: ISynchronize = call.cast().expect("CALL-10");
    let mut primes = 0;
    unsafe {
        assert_eq!(call.Begin_CountPrimes(max), S_OK);
        assert_eq!(sync.Wait(COWAIT_DEFAULT, 0), RPC_S_CALLPENDING);
        let hr = call.Finish_CountPrimes(&mut primes);
        (hr, primes)
    }
}

/// Waits so many virtual milliseconds, then cancels and gives the server so many seconds; what Cancel and Finish_ say.
pub fn cancelled_call(sieve: &ISieve, wait_ms: u32, cancel_s: u32) -> (HRESULT, HRESULT) {
    let call = call_object(sieve);
    let cancel: ICancelMethodCalls = call.cast().expect("CALL-10");
    let sync: ISynchronize = call.cast().expect("CALL-10");
    let mut primes = 0;
    unsafe {
        assert_eq!(call.Begin_CountPrimes(100), S_OK);
        assert_eq!(sync.Wait(COWAIT_DEFAULT, wait_ms), RPC_S_CALLPENDING);
        let hr = cancel.Cancel(cancel_s);
        assert_eq!(cancel.Cancel(0), if hr == S_OK { RPC_E_CALL_CANCELED } else { hr });
        assert_eq!(sync.Wait(COWAIT_DEFAULT, 0), S_OK);
        (hr, call.Finish_CountPrimes(&mut primes))
    }
}

/// What the client with a window found.
pub struct Notified {
    pub result: HRESULT,
    pub primes: u32,
    pub own_thread: bool,
}

/// The call notify object: aggregates the call object and posts a message when it is signalled (Figure 5).
#[com_class(ISynchronize, blind = inner)]
struct CallNotify {
    inner: object::Inner,
    window: HWND,
    signalled_on: Mutex<u32>,
}

impl ISynchronize_Impl for CallNotify_Impl {
    unsafe fn Wait(&self, dwFlags: u32, dwMilliseconds: u32) -> HRESULT {
        unsafe { self.inner.cached::<ISynchronize>().expect("the inner has it").Wait(dwFlags, dwMilliseconds) }
    }
    unsafe fn Signal(&self) -> HRESULT {
        *self.signalled_on.lock().unwrap() = unsafe { GetCurrentThreadId() };
        let hr = unsafe { self.inner.cached::<ISynchronize>().expect("the inner has it").Signal() };
        assert!(unsafe { PostMessageW(self.window, WM_CALL_DONE, 0, 0) }.as_bool());
        hr
    }
    unsafe fn Reset(&self) -> HRESULT {
        unsafe { self.inner.cached::<ISynchronize>().expect("the inner has it").Reset() }
    }
}

/// An STA with a window and a message loop; Finish_ is called in the window procedure.
pub fn client_with_window(max: u32) -> Notified {
    unsafe {
        CoInitializeEx(std::ptr::null_mut(), COINIT_APARTMENTTHREADED).ok().expect("an STA");
        let name: Vec<u16> = "SieveClient\0".encode_utf16().collect();
        let class = WNDCLASSW { lpfnWndProc: Some(window_procedure), ..class(name.as_ptr()) };
        assert_ne!(RegisterClassW(&class), 0);
        let window = create_window(class.lpszClassName);
        let sieve = create_sieve();
        let factory: ICallFactory = sieve.cast().expect("CALL-01");
        let notify = ComObject::new(CallNotify { inner: object::Inner::new(), window, signalled_on: Mutex::new(0) });
        notify
            .aggregate(&notify.inner, |outer, riid, ppv| factory.CreateCall(&AsyncISieve::IID, outer, riid, ppv))
            .expect("AGG-01");
        let call: AsyncISieve = notify.to_interface::<IUnknown>().cast().expect("blindly from the inner");
        let mut found = Finished { call: call.clone(), result: E_FAIL, primes: 0 };
        SetWindowLongPtrW(window, GWLP_USERDATA, (&raw mut found) as isize);
        assert_eq!(call.Begin_CountPrimes(max), S_OK);
        let mut msg = MSG::default();
        while GetMessageW(&mut msg, HWND::NULL, 0, 0).0 > 0 {
            DispatchMessageW(&msg);
        }
        let own_thread = *notify.signalled_on.lock().unwrap() == GetCurrentThreadId();
        let notified = Notified { result: found.result, primes: found.primes, own_thread };
        drop((found, call, notify, factory, sieve));
        let _ = DestroyWindow(window);
        CoUninitialize();
        notified
    }
}

struct Finished {
    call: AsyncISieve,
    result: HRESULT,
    primes: u32,
}

unsafe extern "system" fn window_procedure(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    unsafe {
        if message != WM_CALL_DONE {
            return DefWindowProcW(hwnd, message, wparam, lparam);
        }
        let found = &mut *(GetWindowLongPtrW(hwnd, GWLP_USERDATA) as *mut Finished);
        found.result = found.call.Finish_CountPrimes(&mut found.primes);
        PostQuitMessage(0);
        0
    }
}

fn class(name: *const u16) -> WNDCLASSW {
    WNDCLASSW {
        style: 0,
        lpfnWndProc: None,
        cbClsExtra: 0,
        cbWndExtra: 0,
        hInstance: HINSTANCE::NULL,
        hIcon: HANDLE::NULL,
        hCursor: HANDLE::NULL,
        hbrBackground: HANDLE::NULL,
        lpszMenuName: std::ptr::null(),
        lpszClassName: name,
    }
}

unsafe fn create_window(class: *const u16) -> HWND {
    let none: *mut c_void = std::ptr::null_mut();
    let window = unsafe {
        CreateWindowExW(0, class, std::ptr::null(), 0, 0, 0, 0, 0, HWND_MESSAGE, HANDLE::NULL, HINSTANCE::NULL, none)
    };
    assert!(!window.is_null());
    window
}
