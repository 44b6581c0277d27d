//! The pipes (IID-14), with both of their ways of calling.

use super::*;
use oleander::windows_core::HRESULT;
use std::cell::RefCell;

/// All three pipes: what is pushed can be pulled again.
#[com_class(IPipeByte, IPipeLong, IPipeDouble)]
#[derive(Default)]
struct Pipe {
    bytes: RefCell<Vec<u8>>,
    longs: RefCell<Vec<i32>>,
    doubles: RefCell<Vec<f64>>,
}

/// The pipe of one type, and its tests.
macro_rules! pipe {
    ($module:ident, $interface:ident, $implementation:ident, $twin:ident, $ty:ty, $values:expr) => {
        mod $module {
            use super::*;

            impl $implementation for Pipe_Impl {
                unsafe fn Pull(&self, buf: *mut $ty, cRequest: u32, pcReturned: *mut u32) -> HRESULT {
                    let mut held = self.$module.borrow_mut();
                    let count = held.len().min(cRequest as usize);
                    for (at, value) in held.drain(..count).enumerate() {
                        // SAFETY: the stub vouches for so many elements.
                        unsafe { buf.add(at).write(value) };
                    }
                    // SAFETY: the stub vouches for the pointer.
                    unsafe { *pcReturned = count as u32 };
                    S_OK
                }

                unsafe fn Push(&self, buf: *const $ty, cSent: u32) -> HRESULT {
                    // SAFETY: the stub vouches for so many elements.
                    self.$module.borrow_mut().extend(unsafe { std::slice::from_raw_parts(buf, cSent as usize) });
                    if cSent == 0 { S_FALSE } else { S_OK }
                }
            }

            const VALUES: [$ty; 3] = $values;

            #[test]
            fn iid_14_synchronous() {
                through_a_proxy(
                    || $interface::from(Pipe::default()),
                    |pipe| {
                        let (mut buffer, mut count) = ([<$ty>::MAX; 5], 99);
                        // SAFETY: valid buffers.
                        unsafe {
                            assert_eq!(pipe.Push(VALUES.as_ptr(), 3), S_OK);
                            assert_eq!(pipe.Pull(buffer.as_mut_ptr(), 2, &mut count), S_OK);
                            assert_eq!((count, &buffer[..2]), (2, &VALUES[..2]));
                            assert_eq!(buffer[2], <$ty>::MAX, "not beyond what was asked for");
                            assert_eq!(pipe.Pull(buffer.as_mut_ptr(), 5, &mut count), S_OK);
                            assert_eq!((count, buffer[0]), (1, VALUES[2]));
                            assert_eq!(pipe.Pull(buffer.as_mut_ptr(), 0, &mut count), S_OK);
                            assert_eq!((count, pipe.Push(VALUES.as_ptr(), 0)), (0, S_FALSE));
                            assert_eq!(pipe.Pull(ptr::null_mut(), 1, &mut count), RPC_X_NULL_REF_POINTER_HR);
                        }
                    },
                );
            }

            #[test]
            fn iid_14_asynchronous() {
                through_a_proxy(
                    || $interface::from(Pipe::default()),
                    |pipe| {
                        let call: $twin = create_call(&pipe);
                        let (mut buffer, mut count) = ([<$ty>::MAX; 5], 99);
                        // SAFETY: valid buffers, as long as Begin_ says.
                        unsafe {
                            assert_eq!(call.Begin_Push(VALUES.as_ptr(), 3), S_OK);
                            assert_eq!(call.Finish_Push(), S_OK);
                            assert_eq!(call.Begin_Pull(5), S_OK);
                            assert_eq!(call.Finish_Pull(buffer.as_mut_ptr(), &mut count), S_OK);
                        }
                        assert_eq!((count, &buffer[..3]), (3, &VALUES[..]));
                    },
                );
            }
        }
    };
}

pipe!(bytes, IPipeByte, IPipeByte_Impl, AsyncIPipeByte, u8, [1, 2, 250]);
pipe!(longs, IPipeLong, IPipeLong_Impl, AsyncIPipeLong, i32, [1, -2, i32::MIN]);
pipe!(doubles, IPipeDouble, IPipeDouble_Impl, AsyncIPipeDouble, f64, [0.5, -2.25, 1e300]);
