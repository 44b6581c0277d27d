//! Functions of the surface in any order, on up to three threads at once, with any flags, with handles that are good, stale
//! or nothing, and with pointers that we own: an HRESULT, and nothing left.
//!
//! Nobody waits without a limit for what may never come, as a program must not: waits have no time, `Finish_` is called on
//! calls that are complete, and servers signal all calls.

#![no_main]

mod more;
mod parts;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use more::{Board, More, is_complete, more_op};
use oleander::windows_core::{GUID, HRESULT, IUnknown, Interface};
use oleander::*;
use oleander_fuzz::{AsyncIEvery, IEvery, Point, Shape, every, in_process, rewind, stream};
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;

/// Which of the handles, one of those that another thread gave, or a number that is none of ours.
#[derive(Arbitrary, Debug, Clone, Copy)]
enum H {
    Of(u8),
    Given(u8),
    Number(u16),
    Null,
}

/// Which of the objects; some arguments may be null.
type P = u8;

#[derive(Arbitrary, Debug, Clone, Copy)]
enum I {
    Unknown,
    Every,
    AsyncEvery,
    Synchronize,
    SynchronizeHandle,
    SynchronizeContainer,
    Cancel,
    CallFactory,
    MultiQI,
    Marshal,
    Stream,
    ClientSecurity,
    ContextCallback,
    AsyncUnknown,
    Other(u32),
}

impl I {
    fn id(self) -> GUID {
        match self {
            Self::Unknown => IUnknown::IID,
            Self::Every => IEvery::IID,
            Self::AsyncEvery => AsyncIEvery::IID,
            Self::Synchronize => ISynchronize::IID,
            Self::SynchronizeHandle => ISynchronizeHandle::IID,
            Self::SynchronizeContainer => ISynchronizeContainer::IID,
            Self::Cancel => ICancelMethodCalls::IID,
            Self::CallFactory => ICallFactory::IID,
            Self::MultiQI => IMultiQI::IID,
            Self::Marshal => IMarshal::IID,
            Self::Stream => IStream::IID,
            Self::ClientSecurity => IClientSecurity::IID,
            Self::ContextCallback => IContextCallback::IID,
            Self::AsyncUnknown => AsyncIUnknown::IID,
            Self::Other(data) => GUID { data1: data, ..IEvery::IID },
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Op {
    Initialize(u32),
    Uninitialize,
    ApartmentType,
    ContextToken,
    ObjectContext(I),
    UsageTake,
    UsageGive(u8),
    Event(bool, bool),
    Semaphore(i32, i32),
    Mutex(bool),
    Close(H),
    Duplicate(H),
    Set(H),
    Reset(H),
    ReleaseSemaphore(H, i32),
    ReleaseMutex(H),
    Wait(H, bool),
    WaitMany(Vec<H>, bool, bool),
    SignalAndWait(H, H, bool),
    CoWait(u32, Vec<H>),
    CoWaitObjects(u32, Vec<H>),
    MsgWait(Vec<H>, u32, u32),
    ThreadOf(H),
    Peek(u32, u32, u32),
    Post(u32, bool),
    Timer(u16),
    KillTimer(u16),
    New,
    Create(u8, I),
    Query(P, I),
    Drop(P),
    DropLater(P),
    Call(P),
    CreateCall(P, I),
    Begin(P, u8),
    Finish(P),
    Cancel(P),
    CancelThread(u32),
    CancelObject(u32, I),
    SetCancel(Option<P>),
    Cancellation(bool),
    TestCancel,
    Signal(P),
    ResetObject(P),
    WaitObject(P, u32),
    HandleOf(P),
    AddToContainer(P, P),
    WaitContainer(P, u32),
    Stream(Vec<u8>),
    Seek(P, i16, u8),
    ReadStream(P, u8),
    Marshal(P, P, I, u8, u32),
    Unmarshal(P, I),
    ReleaseData(P),
    SizeMax(P, I, u8, u32),
    Agile(P, u8),
    GitRegister(P, I),
    GitGet(u8, I),
    GitRevoke(u8),
    Lock(P, bool, bool),
    Disconnect(P, u8),
    Ftm,
    Blanket(P, u32, u32),
    CallContext(I),
    ClassRegister(P, u8, u32, u32),
    ClassRevoke(u8),
    ClassGet(u8, I),
    Suspend(bool),
    PsClsid(I, bool),
    Memory(u16, u16),
    Bstr(Vec<u16>),
    GuidText(Vec<u16>),
    StdMarshal(Option<P>, I, u8, u32),
    More(More),
}

#[derive(Default)]
struct Hands {
    board: Arc<Board>,
    handles: Vec<HANDLE>,
    /// Closed: refused for good.
    stale: Vec<HANDLE>,
    objects: Vec<IUnknown>,
    /// Let go at the end, after the last apartment.
    later: Vec<IUnknown>,
    usages: Vec<*mut c_void>,
    cookies: Vec<u32>,
    classes: Vec<u32>,
    waits: Vec<HANDLE>,
    spies: Vec<u64>,
    depth: u32,
}

/// What came out is ours; a failure gives nothing.
fn keep(hands: &mut Hands, hr: HRESULT, raw: *mut c_void) {
    if hr.is_ok() && !raw.is_null() {
        hands.objects.push(unsafe { IUnknown::from_raw(raw) });
    } else {
        assert!(raw.is_null(), "a pointer beside {hr}");
    }
}

fn at<T: Clone>(all: &[T], which: u8) -> Option<T> {
    if all.is_empty() { None } else { Some(all[usize::from(which) % all.len()].clone()) }
}

fn clsid(which: u8) -> GUID {
    let own = GUID::from_u128(0x5a1e_7c90_0000_4000_8000_0000_0000_0000 | u128::from(which % 3));
    [CLSID_ManualResetEvent, CLSID_StdEvent, CLSID_SynchronizeContainer, CLSID_StdGlobalInterfaceTable, own]
        [usize::from(which) % 5]
}

impl Hands {
    fn handle(&self, which: H) -> HANDLE {
        match which {
            H::Of(which) => at(&self.handles, which).unwrap_or(HANDLE::NULL),
            H::Given(which) => self.board.handle(which),
            // Ours have 2 in their low bits; a number that happens to be one would close what the target itself needs.
            H::Number(number) => HANDLE(usize::from(number & !2) as _),
            H::Null => HANDLE::NULL,
        }
    }

    fn handles(&self, which: &[H]) -> Vec<HANDLE> {
        which.iter().take(70).map(|which| self.handle(*which)).collect()
    }

    fn object(&self, which: P) -> Option<IUnknown> {
        at(&self.objects, which)
    }

    fn as_a<T: Interface>(&self, which: P) -> Option<T> {
        self.object(which)?.cast().ok()
    }

    fn git(&self) -> Option<IGlobalInterfaceTable> {
        let (mut raw, clsid) = (null_mut(), &CLSID_StdGlobalInterfaceTable);
        unsafe {
            let iid = &IGlobalInterfaceTable::IID;
            let hr = CoCreateInstance(clsid, null_mut(), CLSCTX_INPROC_SERVER, iid, &mut raw);
            hr.is_ok().then(|| IGlobalInterfaceTable::from_raw(raw))
        }
    }

    fn close(&mut self, which: H) {
        let handle = self.handle(which);
        if unsafe { CloseHandle(handle) }.as_bool() {
            self.stale.push(handle);
        }
    }

    /// What was closed is a handle no more, whatever has been made since.
    fn check_stale(&self) {
        for handle in &self.stale {
            let refused = unsafe { WaitForSingleObject(*handle, 0) == WAIT_FAILED && !SetEvent(*handle).as_bool() };
            assert!(refused, "a stale handle is good");
        }
    }

    fn new_handle(&mut self, handle: HANDLE) {
        if handle != HANDLE::NULL {
            self.handles.push(handle);
        }
    }
}

unsafe fn kernel_op(hands: &mut Hands, op: &Op) -> bool {
    unsafe {
        match op {
            Op::Event(manual, set) => {
                let new = CreateEventW(null(), (*manual).into(), (*set).into(), null());
                hands.new_handle(new);
            }
            Op::Semaphore(count, max) => {
                let new = CreateSemaphoreW(null(), *count, *max, null());
                hands.new_handle(new);
            }
            Op::Mutex(own) => {
                let new = CreateMutexW(null(), (*own).into(), null());
                hands.new_handle(new);
            }
            Op::Close(which) => hands.close(*which),
            Op::Duplicate(which) => {
                let (mut new, here) = (HANDLE::NULL, GetCurrentProcess());
                let which = hands.handle(*which);
                let made = DuplicateHandle(here, which, here, &mut new, 0, false.into(), DUPLICATE_SAME_ACCESS);
                if made.as_bool() {
                    hands.new_handle(new);
                }
            }
            Op::Set(which) => drop(SetEvent(hands.handle(*which))),
            Op::Reset(which) => drop(ResetEvent(hands.handle(*which))),
            Op::ReleaseSemaphore(which, count) => {
                let mut before = 0;
                let _ = ReleaseSemaphore(hands.handle(*which), *count, &mut before);
            }
            Op::ReleaseMutex(which) => drop(ReleaseMutex(hands.handle(*which))),
            Op::Wait(which, alertable) => {
                let _ = WaitForSingleObjectEx(hands.handle(*which), 0, (*alertable).into());
            }
            Op::WaitMany(which, all, alertable) => {
                let which = hands.handles(which);
                let (len, all) = (which.len() as u32, (*all).into());
                let _ = WaitForMultipleObjectsEx(len, which.as_ptr(), all, 0, (*alertable).into());
            }
            Op::SignalAndWait(first, second, alertable) => {
                let _ = SignalObjectAndWait(hands.handle(*first), hands.handle(*second), 0, (*alertable).into());
            }
            Op::CoWait(flags, which) => {
                let (which, mut index) = (hands.handles(which), 0);
                let _ = CoWaitForMultipleHandles(*flags, 0, which.len() as u32, which.as_ptr(), &mut index);
            }
            Op::CoWaitObjects(flags, which) => {
                let (which, mut index) = (hands.handles(which), 0);
                let _ = CoWaitForMultipleObjects(*flags, 0, which.len() as u32, which.as_ptr(), &mut index);
            }
            Op::MsgWait(which, mask, flags) => {
                let which = hands.handles(which);
                let _ = MsgWaitForMultipleObjectsEx(which.len() as u32, which.as_ptr(), 0, *mask, *flags);
            }
            Op::ThreadOf(which) => {
                let mut code = 0;
                let _ = (GetThreadId(hands.handle(*which)), GetExitCodeThread(hands.handle(*which), &mut code));
            }
            Op::Peek(low, high, flags) => {
                let mut msg = MSG::default();
                if PeekMessageW(&mut msg, HWND::NULL, *low, *high, *flags).as_bool() {
                    let _ = DispatchMessageW(&msg);
                }
            }
            Op::Post(message, quit) => {
                if *quit {
                    PostQuitMessage(*message as i32);
                } else {
                    // Messages with pointers are not ours to send.
                    let _ = PostThreadMessageW(GetCurrentThreadId(), WM_APP + message % 0x4000, 1, 2);
                }
            }
            Op::Timer(ms) => drop(SetTimer(HWND::NULL, 0, (*ms).into(), None)),
            Op::KillTimer(id) => drop(KillTimer(HWND::NULL, (*id).into())),
            Op::Memory(first, second) => {
                let memory = CoTaskMemRealloc(CoTaskMemAlloc((*first).into()), (*second).into());
                CoTaskMemFree(memory);
            }
            Op::Bstr(text) => {
                let mut made = SysAllocStringLen(text.as_ptr(), text.len() as u32);
                let _ = SysReAllocStringLen(&mut made, null(), text.len() as u32 / 2);
                let _ = (SysStringLen(made), SysStringByteLen(made));
                SysFreeString(made);
            }
            Op::GuidText(text) => {
                let text: Vec<_> = text.iter().copied().chain([0]).collect();
                let (mut id, mut back) = (GUID::zeroed(), [0; 40]);
                let _ = (IIDFromString(text.as_ptr(), &mut id), CLSIDFromString(text.as_ptr(), &mut id));
                let _ = StringFromGUID2(&id, back.as_mut_ptr(), (text.len() % 41) as i32);
            }
            _ => return false,
        }
    }
    true
}

unsafe fn com_op(hands: &mut Hands, op: &Op) -> bool {
    unsafe {
        let (mut raw, mut number) = (null_mut(), 0_u32);
        match op {
            Op::Initialize(flags) => {
                if CoInitializeEx(null_mut(), *flags).is_ok() {
                    hands.depth += 1;
                }
            }
            Op::Uninitialize => {
                if hands.depth > 0 {
                    hands.depth -= 1;
                    CoUninitialize();
                }
            }
            Op::ApartmentType => {
                let (mut kind, mut qualifier) = (0, 0);
                let _ = CoGetApartmentType(&mut kind, &mut qualifier);
            }
            Op::ContextToken => drop(CoGetContextToken(&mut 0)),
            Op::ObjectContext(iid) => {
                let hr = CoGetObjectContext(&iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            Op::UsageTake => {
                if CoIncrementMTAUsage(&mut raw).is_ok() {
                    hands.usages.push(raw);
                }
            }
            Op::UsageGive(which) => {
                // A stale one is refused.
                if let Some(cookie) = at(&hands.usages, *which) {
                    let _ = CoDecrementMTAUsage(cookie);
                }
            }
            Op::Cancellation(on) => {
                let _ = if *on { CoEnableCallCancellation(raw) } else { CoDisableCallCancellation(raw) };
            }
            Op::TestCancel => drop(CoTestCancel()),
            Op::CancelThread(thread) => drop(CoCancelCall(*thread % 0x2000, 0)),
            Op::CancelObject(thread, iid) => {
                let hr = CoGetCancelObject(*thread % 0x2000, &iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            Op::SetCancel(which) => {
                let object = which.and_then(|which| hands.object(which));
                let _ = CoSetCancelObject(object.as_ref().map_or(null_mut(), |object| object.as_raw()));
            }
            Op::CallContext(iid) => {
                let hr = CoGetCallContext(&iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            Op::ClassRevoke(which) => {
                let _ = CoRevokeClassObject(at(&hands.classes, *which).unwrap_or(u32::from(*which)));
            }
            Op::ClassGet(which, iid) => {
                let hr = CoGetClassObject(&clsid(*which), CLSCTX_INPROC_SERVER, null_mut(), &iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            Op::Suspend(on) => {
                let _ = if *on { CoSuspendClassObjects() } else { CoResumeClassObjects() };
            }
            Op::PsClsid(iid, set) => {
                let (iid, mut class) = (iid.id(), GUID::zeroed());
                if *set {
                    let _ = CoRegisterPSClsid(&iid, &clsid(4));
                }
                let _ = CoGetPSClsid(&iid, &mut class);
            }
            Op::New => hands.objects.push(every().into()),
            Op::Create(which, iid) => {
                let hr = CoCreateInstance(&clsid(*which), null_mut(), CLSCTX_INPROC_SERVER, &iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            Op::Stream(bytes) => hands.objects.push(stream(bytes).into()),
            Op::GitGet(which, iid) => {
                if let Some(git) = hands.git() {
                    let given = || hands.board.cookie(*which).unwrap_or(u32::from(*which));
                    let cookie = at(&hands.cookies, *which).unwrap_or_else(given);
                    let hr = git.GetInterfaceFromGlobal(cookie, &iid.id(), &mut raw);
                    keep(hands, hr, raw);
                }
            }
            Op::GitRevoke(which) => {
                if let Some(git) = hands.git() {
                    let _ = git.RevokeInterfaceFromGlobal(at(&hands.cookies, *which).unwrap_or(u32::from(*which)));
                }
            }
            Op::Ftm => {
                let hr = CoCreateFreeThreadedMarshaler(null_mut(), &mut raw);
                keep(hands, hr, raw);
            }
            Op::StdMarshal(which, iid, context, flags) => {
                let object = which.and_then(|which| hands.object(which));
                let object = object.as_ref().map_or(null_mut(), |object| object.as_raw());
                let context = u32::from(*context) % 8;
                let hr = CoGetStandardMarshal(&iid.id(), object, context, null_mut(), *flags, &mut raw);
                keep(hands, hr, raw);
            }
            Op::ClassRegister(which, class, context, flags) => {
                if let Some(object) = hands.object(*which)
                    && CoRegisterClassObject(&clsid(*class), object.as_raw(), *context, *flags, &mut number).is_ok()
                {
                    hands.classes.push(number);
                }
            }
            _ => return false,
        }
    }
    true
}

unsafe fn object_op(hands: &mut Hands, op: &Op) -> Option<()> {
    unsafe {
        let (mut raw, mut number) = (null_mut(), 0_u32);
        match op {
            Op::Query(which, iid) => {
                let hr = hands.object(*which)?.query(&iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            Op::Drop(which) | Op::DropLater(which) => {
                hands.object(*which)?;
                let index = usize::from(*which) % hands.objects.len();
                let gone = hands.objects.swap_remove(index);
                if matches!(op, Op::DropLater(_)) {
                    hands.later.push(gone);
                }
            }
            Op::Call(which) => {
                let (mut back, mut sum) = (Shape::Round, 0.0);
                let object: IEvery = hands.as_a(*which)?;
                let _ = object.Scalars(1, true, Shape::Square, IEvery::IID, Point::default(), &mut back, &mut sum);
            }
            Op::CreateCall(which, iid) => {
                let iid = iid.id();
                let hr = hands.as_a::<ICallFactory>(*which)?.CreateCall(&iid, null_mut(), &iid, &mut raw);
                keep(hands, hr, raw);
            }
            Op::Begin(which, n) => {
                let mut sum = 0.0;
                let call: AsyncIEvery = hands.as_a(*which)?;
                let _ = call.Begin_Scalars(*n, true, Shape::Round, IEvery::IID, Point::default(), &mut sum);
            }
            Op::Finish(which) => {
                let (mut back, mut sum) = (Shape::Round, 0.0);
                let call = hands.as_a::<AsyncIEvery>(*which)?;
                if is_complete(&call) {
                    let _ = call.Finish_Scalars(&mut back, &mut sum);
                }
            }
            Op::Cancel(which) => drop(hands.as_a::<ICancelMethodCalls>(*which)?.Cancel(0)),
            Op::Signal(which) => drop(hands.as_a::<ISynchronize>(*which)?.Signal()),
            Op::ResetObject(which) => drop(hands.as_a::<ISynchronize>(*which)?.Reset()),
            Op::WaitObject(which, flags) => drop(hands.as_a::<ISynchronize>(*which)?.Wait(*flags, 0)),
            Op::HandleOf(which) => {
                let mut handle = HANDLE::NULL;
                // It stays the object's: we do not close it.
                let _ = hands.as_a::<ISynchronizeHandle>(*which)?.GetHandle(&mut handle);
                let _ = WaitForSingleObject(handle, 0);
            }
            Op::AddToContainer(which, member) => {
                let (container, member) = (hands.as_a::<ISynchronizeContainer>(*which)?, hands.object(*member)?);
                let _ = container.AddSynchronize(member.cast::<ISynchronize>().ok()?.as_raw());
            }
            Op::WaitContainer(which, flags) => {
                let hr = hands.as_a::<ISynchronizeContainer>(*which)?.WaitMultiple(*flags, 0, &mut raw);
                keep(hands, hr, raw);
            }
            Op::Seek(which, to, origin) => {
                let _ = hands.as_a::<IStream>(*which)?.Seek((*to).into(), u32::from(*origin) % 4, null_mut());
            }
            Op::ReadStream(which, len) => {
                let mut bytes = vec![0_u8; (*len).into()];
                let _ = hands.as_a::<IStream>(*which)?.Read(bytes.as_mut_ptr().cast(), (*len).into(), &mut number);
            }
            Op::Marshal(to, which, iid, context, flags) => {
                let (to, object) = (hands.as_a::<IStream>(*to)?, hands.object(*which)?);
                let (context, none) = (u32::from(*context) % 8, null_mut());
                let hr = CoMarshalInterface(to.as_raw(), &iid.id(), object.as_raw(), context, none, flags % 8);
                if hr.is_ok() {
                    rewind(&to);
                }
            }
            Op::Unmarshal(from, iid) => {
                let from = hands.as_a::<IStream>(*from)?;
                let hr = CoUnmarshalInterface(from.as_raw(), &iid.id(), &mut raw);
                keep(hands, hr, raw);
            }
            Op::ReleaseData(from) => drop(CoReleaseMarshalData(hands.as_a::<IStream>(*from)?.as_raw())),
            Op::SizeMax(which, iid, context, flags) => {
                let (object, context) = (hands.object(*which)?, u32::from(*context) % 8);
                let _ = CoGetMarshalSizeMax(&mut number, &iid.id(), object.as_raw(), context, null_mut(), *flags);
            }
            Op::Agile(which, option) => {
                let object = hands.object(*which)?;
                let hr = RoGetAgileReference(i32::from(*option) % 4, &IUnknown::IID, object.as_raw(), &mut raw);
                keep(hands, hr, raw);
            }
            Op::GitRegister(which, iid) => {
                let object = hands.object(*which)?;
                if hands.git()?.RegisterInterfaceInGlobal(object.as_raw(), &iid.id(), &mut number).is_ok() {
                    hands.cookies.push(number);
                }
            }
            Op::Lock(which, on, last) => {
                let _ = CoLockObjectExternal(hands.object(*which)?.as_raw(), (*on).into(), (*last).into());
            }
            Op::Disconnect(which, reserved) => {
                let _ = CoDisconnectObject(hands.object(*which)?.as_raw(), u32::from(*reserved));
            }
            Op::Blanket(which, level, flags) => {
                let object = hands.object(*which)?.as_raw();
                let (none, name) = (null_mut(), null_mut());
                let _ = CoSetProxyBlanket(object, 10, 0, name, *level, 2, none, *flags);
            }
            _ => unreachable!("the other functions have it"),
        }
    }
    Some(())
}

/// What one thread does.
fn play(ops: &[Op], board: &Arc<Board>) {
    let mut hands = Hands { board: board.clone(), ..Hands::default() };
    for op in ops.iter().take(64) {
        unsafe {
            if let Op::More(more) = op {
                more_op(&mut hands, more);
            } else if !kernel_op(&mut hands, op) && !com_op(&mut hands, op) {
                let _ = object_op(&mut hands, op);
            }
        }
    }
    hands.check_stale();
    unsafe { give_back(hands) };
}

/// Everything that was taken is given back; what is stale is refused. Cancel objects and filters go with the thread.
unsafe fn give_back(mut hands: Hands) {
    unsafe {
        for wait in hands.waits.drain(..) {
            let _ = UnregisterWaitEx(wait, INVALID_HANDLE_VALUE);
        }
        hands.objects.clear();
        for cookie in hands.usages.drain(..) {
            let _ = CoDecrementMTAUsage(cookie);
        }
        for _ in 0..hands.depth {
            CoUninitialize();
        }
        for spy in hands.spies.drain(..) {
            let _ = CoRevokeInitializeSpy(spy);
        }
        drop(std::mem::take(&mut hands.later));
        for handle in hands.handles.drain(..) {
            let _ = CloseHandle(handle);
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Input {
    ops: Vec<Op>,
    /// Those that run from the start, and those that wait for somebody who starts them.
    others: Vec<(bool, Vec<Op>)>,
}

fuzz_target!(|input: Input| {
    in_process(move || {
        let mut others = input.others;
        others.truncate(2);
        others.sort_by_key(|(at_once, _)| *at_once);
        let at_once = others.iter().filter(|(at_once, _)| *at_once).count();
        let board = Board::new(others.into_iter().map(|(_, ops)| ops).collect());
        for _ in 0..at_once {
            let thread = board.start(false).expect("there is one");
            assert!(unsafe { CloseHandle(thread) }.as_bool());
        }
        play(&input.ops, &board);
        board.join();
    });
});
