//! The methods of the system's objects, of proxies and of call objects, with null and on the wrong thread.

use super::*;

#[test]
fn the_methods_of_the_systems_objects_with_null() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| unsafe {
            let event: ISynchronize = create(&CLSID_ManualResetEvent);
            let handle: ISynchronizeHandle = query(&event).unwrap();
            let owner: ISynchronizeEvent = query(&event).unwrap();
            let table: IGlobalInterfaceTable = create(&CLSID_StdGlobalInterfaceTable);
            let marshal: IMarshal = create(&CLSID_InProcFreeMarshaler);
            let object = probe(&Lives::default());
            let factory = object::class_factory(object::system_class(&CLSID_ManualResetEvent).unwrap());
            let tape = Tape::new();
            let (mut raw, mut number, none) = (null_mut(), 0, null_mut::<c_void>());
            let (iid, unknown) = (at(&IProbe::IID), object.as_raw());
            let mut stale = HANDLE(0x7777 as *mut c_void);
            let bad = E_INVALIDARG;
            check(
                "an STA",
                &[
                    ("QueryInterface, id", object.query(null(), &mut raw), E_POINTER),
                    ("QueryInterface, out", object.query(iid, null_mut()), E_POINTER),
                    ("Wait, flags", event.Wait(0x80, 0), bad),
                    ("GetHandle", handle.GetHandle(null_mut()), bad),
                    ("SetEventHandle, null", owner.SetEventHandle(null_mut()), bad),
                    ("SetEventHandle, stale", owner.SetEventHandle(&mut stale), E_HANDLE),
                    ("RegisterInterfaceInGlobal, object", table.RegisterInterfaceInGlobal(none, iid, &mut number), bad),
                    ("RegisterInterfaceInGlobal, id", table.RegisterInterfaceInGlobal(unknown, null(), &mut 0), bad),
                    ("RegisterInterfaceInGlobal, out", table.RegisterInterfaceInGlobal(unknown, iid, null_mut()), bad),
                    ("GetInterfaceFromGlobal, id", table.GetInterfaceFromGlobal(1, null(), &mut raw), bad),
                    ("GetInterfaceFromGlobal, out", table.GetInterfaceFromGlobal(1, iid, null_mut()), bad),
                    ("GetInterfaceFromGlobal, cookie", table.GetInterfaceFromGlobal(77, iid, &mut raw), bad),
                    ("RevokeInterfaceFromGlobal, cookie", table.RevokeInterfaceFromGlobal(77), bad),
                    ("GetUnmarshalClass", marshal.GetUnmarshalClass(iid, none, 3, none, 0, null_mut()), E_POINTER),
                    ("GetMarshalSizeMax", marshal.GetMarshalSizeMax(iid, none, 3, none, 0, null_mut()), E_POINTER),
                    ("MarshalInterface, stream", marshal.MarshalInterface(none, iid, unknown, 3, none, 0), bad),
                    ("MarshalInterface, object", marshal.MarshalInterface(tape.raw(), iid, none, 3, none, 0), bad),
                    ("MarshalInterface, id", marshal.MarshalInterface(tape.raw(), null(), unknown, 3, none, 0), bad),
                    ("UnmarshalInterface, stream", marshal.UnmarshalInterface(none, iid, &mut raw), bad),
                    ("UnmarshalInterface, id", marshal.UnmarshalInterface(tape.raw(), null(), &mut raw), bad),
                    ("UnmarshalInterface, out", marshal.UnmarshalInterface(none, iid, null_mut()), E_POINTER),
                    ("ReleaseMarshalData", marshal.ReleaseMarshalData(none), bad),
                    ("CreateInstance, id", factory.CreateInstance(none, null(), &mut raw), E_POINTER),
                    ("CreateInstance, out", factory.CreateInstance(none, iid, null_mut()), E_POINTER),
                    ("Stat", tape.0.0.Stat(null_mut(), 0), STG_E_INVALIDPOINTER),
                    ("Clone", tape.0.0.Clone(null_mut()), STG_E_INVALIDPOINTER),
                    ("CopyTo", tape.0.0.CopyTo(none, 1, null_mut(), null_mut()), STG_E_INVALIDPOINTER),
                    ("Read", tape.0.0.Read(none, 1, null_mut()), STG_E_INVALIDPOINTER),
                    ("Write", tape.0.0.Write(null(), 1, null_mut()), STG_E_INVALIDPOINTER),
                ],
            );
        });
        sta.close();
    });
}

#[test]
fn the_methods_of_proxies_and_call_objects_with_null() {
    world(|world| {
        let (sta, mta) = (world.sta(), world.mta());
        let (server, packet) = (sta.thread, sta.run(|| pack(&probe(&Lives::default()))));
        mta.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            let calls: ICallFactory = query(&proxy).unwrap();
            let several: IMultiQI = query(&proxy).unwrap();
            let marshal: IMarshal = query(&proxy).unwrap();
            let (mut raw, none) = (null_mut(), null_mut::<c_void>());
            let (twin, unknown) = (at(&AsyncIProbe::IID), at(&IUnknown::IID));
            let iid = at(&IProbe::IID);
            let mut multi = [MULTI_QI { pIID: null(), pItf: null_mut(), hr: S_OK }];
            let bad = E_INVALIDARG;
            assert_eq!(calls.CreateCall(twin, none, twin, &mut raw), S_OK);
            let call = AsyncIProbe::from_raw(raw);
            let handle: ISynchronizeHandle = query(&call).unwrap();
            let sync: ISynchronize = query(&call).unwrap();
            let outer = proxy.as_raw();
            check(
                "the MTA",
                &[
                    ("QueryInterface, id", proxy.query(null(), &mut raw), E_POINTER),
                    ("QueryInterface, out", proxy.query(iid, null_mut()), E_POINTER),
                    // An [out] or [in] reference pointer that is null is a programming error that RPC catches.
                    ("Thread", proxy.Thread(null_mut()), RPC_X_NULL_REF_POINTER_HR),
                    ("KeptAs, out", proxy.KeptAs(iid, null_mut()), RPC_X_NULL_REF_POINTER_HR),
                    ("KeptAs, id", proxy.KeptAs(null(), &mut raw), RPC_X_NULL_REF_POINTER_HR),
                    ("CreateCall, id", calls.CreateCall(null(), none, unknown, &mut raw), bad),
                    ("CreateCall, wanted", calls.CreateCall(twin, none, null(), &mut raw), bad),
                    ("CreateCall, out", calls.CreateCall(twin, none, unknown, null_mut()), bad),
                    ("CreateCall, synchronous id", calls.CreateCall(iid, none, unknown, &mut raw), E_NOINTERFACE),
                    ("CreateCall, outer", calls.CreateCall(twin, outer, twin, &mut raw), CLASS_E_NOAGGREGATION),
                    ("QueryMultipleInterfaces", several.QueryMultipleInterfaces(1, null_mut()), E_POINTER),
                    ("…, id", several.QueryMultipleInterfaces(1, multi.as_mut_ptr()), E_NOINTERFACE),
                    ("GetUnmarshalClass", marshal.GetUnmarshalClass(iid, none, 3, none, 0, null_mut()), bad),
                    ("GetMarshalSizeMax", marshal.GetMarshalSizeMax(iid, none, 3, none, 0, null_mut()), bad),
                    ("MarshalInterface", marshal.MarshalInterface(none, iid, none, 3, none, 0), bad),
                    ("UnmarshalInterface", marshal.UnmarshalInterface(none, iid, &mut raw), bad),
                    ("ReleaseMarshalData", marshal.ReleaseMarshalData(none), bad),
                    ("GetHandle", handle.GetHandle(null_mut()), bad),
                    ("Wait, flags", sync.Wait(0x80, 0), bad),
                    ("Finish_, nothing begun", call.Finish_Do(), RPC_E_CALL_COMPLETE),
                    ("Finish_, null and nothing begun", call.Finish_Thread(null_mut()), RPC_E_CALL_COMPLETE),
                ],
            );
            assert_eq!(multi[0].hr, E_POINTER);
            // A null where Finish_ writes: the call stays pending (RUL-11).
            assert_eq!(call.Begin_Thread(), S_OK);
            assert_eq!(call.Finish_Thread(null_mut()), RPC_X_NULL_REF_POINTER_HR);
            let mut id = 0;
            assert_eq!(call.Finish_Thread(&mut id), S_OK);
            assert_eq!(id, server);
            assert_eq!(call.Begin_Do(0), S_OK);
            assert_eq!(call.Finish_Do(), S_OK);
        });
        sta.close();
        mta.close();
    });
}

#[test]
fn the_other_objects_of_the_system_with_null() {
    world(|world| {
        let sta = world.sta();
        sta.run(|| unsafe {
            let (mut raw, none) = (null_mut(), null_mut::<c_void>());
            let object = probe(&Lives::default());
            let (iid, unknown, bad) = (at(&IProbe::IID), object.as_raw(), E_INVALIDARG);
            assert_eq!(CoGetObjectContext(&IUnknown::IID, &mut raw), S_OK);
            let context = IUnknown::from_raw(raw);
            let (info, way) =
                (query::<IComThreadingInfo>(&context).unwrap(), query::<IContextCallback>(&context).unwrap());
            assert_eq!(RoGetAgileReference(AGILEREFERENCE_DEFAULT, iid, unknown, &mut raw), S_OK);
            let agile = IAgileReference::from_raw(raw);
            assert_eq!(CoGetStandardMarshal(iid, unknown, 3, none, 0, &mut raw), S_OK);
            let marshal = IMarshal::from_raw(raw);
            let container: ISynchronizeContainer = create(&CLSID_SynchronizeContainer);
            let several: IWaitMultiple = query(&container).unwrap();
            let options: IGlobalOptions = create(&CLSID_GlobalOptions);
            assert_eq!(CoGetMalloc(1, &mut raw), S_OK);
            let memory = IMalloc::from_raw(raw);
            let tape = Tape::new();
            let factory = proxy::factory::builtin_factory(proxy::factory::find(&IProbe::IID).unwrap());
            assert_eq!(factory.CreateStub(iid, unknown, &mut raw), S_OK);
            let stub = IRpcStubBuffer::from_raw(raw);
            let mut made = null_mut();
            check(
                "an STA",
                &[
                    ("GetCurrentApartmentType", info.GetCurrentApartmentType(null_mut()), bad),
                    ("GetCurrentThreadType", info.GetCurrentThreadType(null_mut()), bad),
                    ("GetCurrentLogicalThreadId", info.GetCurrentLogicalThreadId(null_mut()), bad),
                    ("SetCurrentLogicalThreadId", info.SetCurrentLogicalThreadId(null()), bad),
                    ("ContextCallback, function", way.ContextCallback(None, null_mut(), iid, 5, none), bad),
                    ("Resolve, id", agile.Resolve(null(), &mut raw), bad),
                    ("Resolve, out", agile.Resolve(iid, null_mut()), bad),
                    ("GetUnmarshalClass", marshal.GetUnmarshalClass(iid, none, 3, none, 0, null_mut()), bad),
                    ("GetMarshalSizeMax", marshal.GetMarshalSizeMax(iid, none, 3, none, 0, null_mut()), bad),
                    ("MarshalInterface, stream", marshal.MarshalInterface(none, iid, unknown, 3, none, 0), bad),
                    ("MarshalInterface, id", marshal.MarshalInterface(tape.raw(), null(), unknown, 3, none, 0), bad),
                    ("UnmarshalInterface, stream", marshal.UnmarshalInterface(none, iid, &mut raw), bad),
                    ("UnmarshalInterface, out", marshal.UnmarshalInterface(tape.raw(), iid, null_mut()), bad),
                    ("ReleaseMarshalData", marshal.ReleaseMarshalData(none), bad),
                    ("AddSynchronize", container.AddSynchronize(none), bad),
                    ("AddSynchronize, none", container.AddSynchronize(unknown), E_NOINTERFACE),
                    ("WaitMultiple", container.WaitMultiple(COWAIT_DEFAULT, 0, null_mut()), bad),
                    ("IWaitMultiple::AddSynchronize", several.AddSynchronize(none), bad),
                    ("IWaitMultiple::WaitMultiple", several.WaitMultiple(0, null_mut()), bad),
                    ("Query", options.Query(COMGLOB_APPID, null_mut()), bad),
                    ("CreateProxy, id", factory.CreateProxy(none, null(), &mut raw, &mut made), E_POINTER),
                    ("CreateProxy, proxy", factory.CreateProxy(none, iid, null_mut(), &mut made), E_POINTER),
                    ("CreateProxy, interface", factory.CreateProxy(none, iid, &mut raw, null_mut()), E_POINTER),
                    ("CreateStub, id", factory.CreateStub(null(), unknown, &mut raw), E_POINTER),
                    ("CreateStub, out", factory.CreateStub(iid, unknown, null_mut()), E_POINTER),
                    ("Connect", stub.Connect(none), bad),
                    ("Invoke", stub.Invoke(null_mut(), none), E_POINTER),
                    ("DebugServerQueryInterface", stub.DebugServerQueryInterface(null_mut()), E_POINTER),
                ],
            );
            assert!(stub.IsIIDSupported(null()).is_null());
            memory.Free(none);
            assert_eq!((memory.GetSize(none), memory.DidAlloc(none)), (usize::MAX, -1));
        });
        sta.close();
    });
}

/// A call object of a proxy for one of the interfaces that every proxy has.
unsafe fn call_of<I: Interface>(calls: &ICallFactory) -> I {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(calls.CreateCall(&I::IID, null_mut(), &I::IID, &mut raw), S_OK);
        I::from_raw(raw)
    }
}

/// What a client has of a proxy.
struct Held {
    proxy: IProbe,
    calls: ICallFactory,
    call: AsyncIProbe,
    several: AsyncIMultiQI,
    unknown: AsyncIUnknown,
}

#[test]
fn what_belongs_to_a_proxy_on_the_wrong_thread() {
    world(|world| {
        let (server, client) = (world.sta(), world.sta());
        let packet = server.run(|| pack(&probe(&Lives::default())));
        let mut held = client.run(move || unsafe {
            let proxy: IProbe = unpack(packet);
            let calls = query::<ICallFactory>(&proxy).unwrap();
            let (call, several, unknown) = (call_of(&calls), call_of(&calls), call_of(&calls));
            Carry(Held { proxy, calls, call, several, unknown })
        });
        let misuse = |place: &'static str, expected: HRESULT, held: Carry<Held>| unsafe {
            let held = held.take();
            // Also outside COM, and so is what begins with a query (MRSH-14).
            let by_query = RPC_E_WRONG_THREAD;
            let (none, iid) = (null_mut::<c_void>(), at(&IProbe::IID));
            let (mut raw, tape, at_proxy) = (null_mut(), Tape::new(), held.proxy.as_raw());
            let (mut made, twin) = (0x10 as *mut c_void, at(&AsyncIProbe::IID));
            let mut multi = [MULTI_QI { pIID: iid, pItf: null_mut(), hr: S_OK }];
            check(
                place,
                &[
                    ("Do", held.proxy.Do(0), expected),
                    ("QueryInterface", held.proxy.query(&IPersist::IID, &mut raw), by_query),
                    ("CreateCall", held.calls.CreateCall(twin, none, twin, &mut made), expected),
                    ("Begin_Do", held.call.Begin_Do(0), expected),
                    (
                        "Begin_QueryMultipleInterfaces",
                        held.several.Begin_QueryMultipleInterfaces(1, multi.as_mut_ptr()),
                        expected,
                    ),
                    ("Begin_QueryInterface", held.unknown.Begin_QueryInterface(iid), expected),
                    ("Begin_AddRef", held.unknown.Begin_AddRef(), expected),
                    ("Begin_Release", held.unknown.Begin_Release(), expected),
                    ("CoMarshalInterface", CoMarshalInterface(tape.raw(), iid, at_proxy, 3, none, 0), expected),
                    ("RoGetAgileReference", RoGetAgileReference(0, iid, at_proxy, &mut raw), expected),
                    ("CoGetStdMarshalEx", CoGetStdMarshalEx(at_proxy, SMEXF_HANDLER, &mut raw), expected),
                    ("CoQueryProxyBlanket", blanket_of(at_proxy), by_query),
                    ("CoSetProxyBlanket", CoSetProxyBlanket(at_proxy, 10, 0, null_mut(), 1, 3, none, 0), by_query),
                    ("CoCopyProxy", CoCopyProxy(at_proxy, &mut raw), by_query),
                ],
            );
            assert!(raw.is_null() && made.is_null());
            Carry(held)
        };
        for (place, other) in [("the MTA", world.mta()), ("another STA", world.sta())] {
            held = other.run(move || misuse(place, RPC_E_WRONG_THREAD, held));
            other.close();
        }
        let held = world.thread(move || misuse("a thread outside COM", CO_E_NOTINITIALIZED, held)).wait();
        client.run(move || unsafe {
            let held = held.take();
            assert_eq!(
                (held.proxy.Do(0), held.call.Begin_Do(0), held.call.Finish_Do()),
                (S_OK, S_OK, S_OK),
                "nothing is broken"
            );
        });
        server.close();
        client.close();
    });
}
