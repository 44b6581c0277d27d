//! Proxies: identity, local interfaces, cached queries, the threads that may use them (MRSH-13 to MRSH-19, facts PX).

#![allow(clippy::undocumented_unsafe_blocks, reason = "tests call COM by its rules, as its users do")]

#[path = "common/probe.rs"]
mod probe;
#[path = "common/rooms.rs"]
mod rooms;

use oleander::windows_core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface, OutRef, Ref};
use oleander::*;
use probe::*;
use rooms::*;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A probe in a room, marshaled for another.
fn host(room: &Room, lives: &Lives) -> Packet {
    let lives = lives.clone();
    room.run(move || pack(&probe(&lives)))
}

#[test]
fn mrsh_17_px_01_02_03_identity_and_what_a_proxy_answers_itself() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (sta, mta) = (world.sta(), world.mta());
        let packet = host(&sta, &lives);
        mta.run(move || {
            let proxy: IProbe = unpack(packet);
            let unknown: IUnknown = query(&proxy).unwrap();
            let factory: ICallFactory = query(&proxy).unwrap();
            let several: IMultiQI = query(&unknown).unwrap();
            let marshal: IMarshal = query(&several).unwrap();
            let again: IProbe = query(&marshal).unwrap();
            assert_eq!(again.as_raw(), proxy.as_raw());
            for identity in [query::<IUnknown>(&factory), query(&several), query(&marshal), query(&again)] {
                assert_eq!(identity.unwrap().as_raw(), unknown.as_raw());
            }
            assert_eq!(query::<IProbe>(&factory).unwrap().Do(0), S_OK);
            let mut clsid = GUID::zeroed();
            let raw = proxy.as_raw();
            assert_eq!(marshal.GetUnmarshalClass(&IProbe::IID, raw, MSHCTX_INPROC, null_mut(), 0, &mut clsid), S_OK);
            assert_eq!(clsid, CLSID_StdMarshal);
        });
        assert_eq!(lives.now(), 0);
        sta.close();
        mta.close();
    });
}

#[test]
fn mrsh_17_one_proxy_for_one_object() {
    world(|world| {
        let lives = Lives::default();
        let (sta, client) = (world.sta(), world.sta());
        let own = lives.clone();
        let packets = sta.run(move || {
            let object = probe(&own);
            [pack(&object), pack(&object)]
        });
        client.run(move || {
            let [one, two] = packets.map(unpack::<IProbe>);
            assert_eq!(one.as_raw(), two.as_raw());
            drop(one);
            assert_eq!(unsafe { two.Do(0) }, S_OK);
        });
        assert_eq!(lives.now(), 0);
        sta.close();
        client.close();
    });
}

/// Counts queries; windows-core has no hook for that, so the object is made by hand.
#[repr(C)]
struct Counting {
    vtable: &'static IProbe_Vtbl,
    count: AtomicU32,
    queries: Arc<[AtomicU32; 3]>,
}

impl Counting {
    const VTABLE: IProbe_Vtbl = IProbe_Vtbl {
        base__: IUnknown_Vtbl { QueryInterface: Self::query, AddRef: Self::add_ref, Release: Self::release },
        Thread: Self::thread,
        Do: Self::act,
        Keep: Self::keep,
        Kept: Self::kept,
        KeptAs: Self::kept_as,
        Forward: Self::forward,
        ForwardAs: Self::forward_as,
    };

    fn create(queries: &Arc<[AtomicU32; 3]>) -> IProbe {
        let object = Box::new(Self { vtable: &Self::VTABLE, count: AtomicU32::new(1), queries: queries.clone() });
        unsafe { IProbe::from_raw(Box::into_raw(object).cast()) }
    }

    unsafe extern "system" fn query(this: *mut c_void, iid: *const GUID, out: *mut *mut c_void) -> HRESULT {
        unsafe {
            let own = &*this.cast::<Self>();
            let at = match *iid {
                IProbe::IID => 0,
                IOther::IID => 1,
                _ => 2,
            };
            own.queries[at].fetch_add(1, Ordering::SeqCst);
            if at == 0 || *iid == IUnknown::IID {
                Self::add_ref(this);
                *out = this;
                return S_OK;
            }
            *out = null_mut();
            E_NOINTERFACE
        }
    }
    unsafe extern "system" fn add_ref(this: *mut c_void) -> u32 {
        unsafe { (*this.cast::<Self>()).count.fetch_add(1, Ordering::SeqCst) + 1 }
    }
    unsafe extern "system" fn release(this: *mut c_void) -> u32 {
        unsafe {
            let left = (*this.cast::<Self>()).count.fetch_sub(1, Ordering::SeqCst) - 1;
            if left == 0 {
                drop(Box::from_raw(this.cast::<Self>()));
            }
            left
        }
    }
    unsafe extern "system" fn thread(_: *mut c_void, id: *mut u32) -> HRESULT {
        unsafe { *id = GetCurrentThreadId() };
        S_OK
    }
    unsafe extern "system" fn act(_: *mut c_void, _: u32) -> HRESULT {
        S_OK
    }
    unsafe extern "system" fn keep(_: *mut c_void, _: Ref<'_, IUnknown>) -> HRESULT {
        E_NOTIMPL
    }
    unsafe extern "system" fn kept(_: *mut c_void, _: OutRef<'_, IUnknown>) -> HRESULT {
        E_NOTIMPL
    }
    unsafe extern "system" fn kept_as(_: *mut c_void, _: *const GUID, _: *mut *mut c_void) -> HRESULT {
        E_NOTIMPL
    }
    unsafe extern "system" fn forward(_: *mut c_void, _: Ref<'_, IProbe>, _: u32) -> HRESULT {
        E_NOTIMPL
    }
    unsafe extern "system" fn forward_as(_: *mut c_void, _: *const GUID, _: *mut c_void, _: u32) -> HRESULT {
        E_NOTIMPL
    }
}

#[test]
fn mrsh_19_px_05_queries_are_asked_once_and_refusals_each_time() {
    world(|world| {
        let queries: Arc<[AtomicU32; 3]> = Arc::default();
        let (sta, mta) = (world.sta(), world.mta());
        let own = queries.clone();
        // Marshaled as IUnknown, so that the client has to ask for the rest.
        let packet = sta.run(move || pack(&query::<IUnknown>(&Counting::create(&own)).unwrap()));
        let asked = queries.clone();
        mta.run(move || unsafe {
            let unknown: IUnknown = unpack(packet);
            let before = asked[0].load(Ordering::SeqCst);
            let first: IProbe = query(&unknown).unwrap();
            let once = asked[0].load(Ordering::SeqCst);
            assert!(once > before, "the first query goes to the object");
            drop(first);
            for _ in 0..5 {
                assert_eq!(query::<IProbe>(&unknown).unwrap().Do(0), S_OK);
            }
            let after = asked[0].load(Ordering::SeqCst);
            assert_eq!(after, once, "the proxy stays with its manager");
            let others = asked[1].load(Ordering::SeqCst);
            assert_eq!(query::<IOther>(&unknown).unwrap_err(), E_NOINTERFACE);
            assert_eq!(asked[1].load(Ordering::SeqCst), others + 1, "asked remotely");
            let rest = asked[2].load(Ordering::SeqCst);
            assert_eq!(query::<ILocal>(&unknown).unwrap_err(), E_NOINTERFACE);
            assert_eq!(query::<IAgileObject>(&unknown).unwrap_err(), E_NOINTERFACE, "a proxy is not agile");
            assert_eq!(asked[2].load(Ordering::SeqCst), rest, "nothing could carry its calls: not asked");
        });
        sta.close();
        mta.close();
    });
}

#[test]
fn px_06_to_08_where_calls_run() {
    world(|world| {
        let lives = Lives::default();
        let (sta, mta, other) = (world.sta(), world.mta(), world.mta());
        let served_at = sta.thread;
        let packet = host(&sta, &lives);
        mta.run(move || assert_eq!(thread_of(&unpack(packet)), served_at));
        let own = lives.clone();
        let direct = mta.run(move || {
            let object = probe(&own);
            (pack(&object), object.as_raw().addr())
        });
        other.run(move || {
            let (packet, address) = direct;
            let object: IProbe = unpack(packet);
            assert_eq!(object.as_raw().addr(), address, "the object itself");
            assert_eq!(thread_of(&object), unsafe { GetCurrentThreadId() });
        });
        let packet = host(&mta, &lives);
        sta.run(move || assert_ne!(thread_of(&unpack(packet)), unsafe { GetCurrentThreadId() }));
        assert_eq!(lives.now(), 0);
        for room in [sta, mta, other] {
            room.close();
        }
    });
}

/// What a thread gets that is not of the proxy's apartment: of a method, and of queries.
fn misuse(proxy: &IProbe) -> [HRESULT; 5] {
    unsafe {
        [
            proxy.Do(0),
            query::<IOther>(proxy).err().unwrap_or(S_OK),
            query::<IMultiQI>(proxy).err().unwrap_or(S_OK),
            query::<IUnknown>(proxy).err().unwrap_or(S_OK),
            query::<IProbe>(proxy).err().unwrap_or(S_OK),
        ]
    }
}

#[test]
fn mrsh_13_to_16_the_wrong_threads() {
    world(|world| {
        let lives = Lives::default();
        let (server, client, other) = (world.sta(), world.sta(), world.sta());
        let packet = host(&server, &lives);
        let proxy = Arc::new(client.run(move || Carry(unpack::<IProbe>(packet))));
        let own = proxy.clone();
        let wrong = RPC_E_WRONG_THREAD;
        assert_eq!(
            world.thread(move || misuse(&own.0)).wait(),
            [CO_E_NOTINITIALIZED, wrong, wrong, S_OK, S_OK],
            "outside COM (MRSH-14, PX-09)"
        );
        let own = proxy.clone();
        assert_eq!(other.run(move || misuse(&own.0)), [wrong, wrong, wrong, S_OK, S_OK], "another STA (PX-11)");
        let mta = world.mta();
        for room in [&mta, &world.outside()] {
            let own = proxy.clone();
            assert_eq!(room.run(move || misuse(&own.0)), [wrong, wrong, wrong, S_OK, S_OK], "the MTA");
        }
        let own = proxy.clone();
        other.run(move || unsafe {
            let mut stream = null_mut();
            let raw = own.0.as_raw();
            assert_eq!(CoMarshalInterThreadInterfaceInStream(&IProbe::IID, raw, &mut stream), RPC_E_WRONG_THREAD);
            assert!(stream.is_null());
        });
        let own = proxy.clone();
        client.run(move || assert_eq!(unsafe { own.0.Do(0) }, S_OK, "nothing is broken"));
        // MRSH-15: now be really bad and release it elsewhere, outside COM or not.
        let last = Arc::into_inner(proxy).expect("the last one");
        mta.run(move || drop(last.take()));
        assert_eq!(lives.now(), 0);
        for room in [server, client, other, mta] {
            room.close();
        }
    });
}

#[test]
fn mrsh_15_a_release_outside_com() {
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let packet = host(&server, &lives);
        let proxy = client.run(move || Carry(unpack::<IProbe>(packet)));
        world.thread(move || drop(proxy.take())).wait();
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}

#[test]
fn mrsh_16_a_proxy_of_the_mta_serves_all_its_threads() {
    world(|world| {
        let lives = Lives::default();
        let (server, mta) = (world.sta(), world.mta());
        let packet = host(&server, &lives);
        let proxy = Arc::new(mta.run(move || Carry(unpack::<IProbe>(packet))));
        let clients: Vec<_> = [world.mta(), world.outside(), world.mta()]
            .into_iter()
            .map(|room| {
                let own = proxy.clone();
                let done = room.start(move || {
                    for _ in 0..20 {
                        assert_eq!(unsafe { own.0.Do(0) }, S_OK);
                        assert_eq!(query::<IOther>(&own.0).unwrap_err(), E_NOINTERFACE);
                    }
                });
                (room, done)
            })
            .collect();
        for (room, done) in clients {
            done.wait();
            room.close();
        }
        mta.run(move || drop(proxy));
        assert_eq!(lives.now(), 0);
        server.close();
        mta.close();
    });
}

#[test]
fn iid_12_several_interfaces_in_one_query() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (server, mta) = (world.sta(), world.mta());
        let packet = host(&server, &lives);
        mta.run(move || {
            let proxy: IProbe = unpack(packet);
            let several: IMultiQI = query(&proxy).unwrap();
            let ask = |iid: &'static GUID| MULTI_QI { pIID: iid, pItf: null_mut(), hr: E_FAIL };
            let mut all = [ask(&IProbe::IID), ask(&ICallFactory::IID)];
            assert_eq!(several.QueryMultipleInterfaces(2, all.as_mut_ptr()), S_OK);
            let mut some = [ask(&IProbe::IID), ask(&IOther::IID)];
            assert_eq!(several.QueryMultipleInterfaces(2, some.as_mut_ptr()), S_FALSE);
            assert_eq!((some[0].hr, some[1].hr), (S_OK, E_NOINTERFACE));
            assert!(some[1].pItf.is_null());
            let mut none = [ask(&IOther::IID)];
            assert_eq!(several.QueryMultipleInterfaces(1, none.as_mut_ptr()), E_NOINTERFACE);
            for entry in all.iter().chain(&some).filter(|entry| !entry.pItf.is_null()) {
                drop(IUnknown::from_raw(entry.pItf));
            }
        });
        assert_eq!(lives.now(), 0);
        server.close();
        mta.close();
    });
}

/// An entry for an interface, with what was there before.
fn entry(iid: &'static GUID) -> MULTI_QI {
    MULTI_QI { pIID: iid, pItf: std::ptr::dangling_mut(), hr: E_FAIL }
}

#[test]
fn iid_12_one_round_trip_for_several_interfaces() {
    world(|world| {
        let queries: Arc<[AtomicU32; 3]> = Arc::default();
        let (sta, mta) = (world.sta(), world.mta());
        let own = queries.clone();
        let packet = sta.run(move || pack(&query::<IUnknown>(&Counting::create(&own)).unwrap()));
        let asked = queries.clone();
        let before = [0, 1].map(|at| asked[at].load(Ordering::SeqCst));
        // The server dispatches one message, and looks what it has been asked with it.
        let one_message = sta.start(move || unsafe {
            let mut msg = MSG::default();
            let _ = GetMessageW(&mut msg, HWND::NULL, 0, 0);
            DispatchMessageW(&msg);
            [0, 1].map(|at| asked[at].load(Ordering::SeqCst))
        });
        let asked = queries.clone();
        mta.run(move || unsafe {
            let several: IMultiQI = query(&unpack::<IUnknown>(packet)).unwrap();
            let mut all = [&IOther::IID, &IProbe::IID, &ILocal::IID, &IProbe::IID, &ICallFactory::IID].map(entry);
            assert_eq!(several.QueryMultipleInterfaces(5, all.as_mut_ptr()), S_FALSE);
            let results = all.each_ref().map(|entry| entry.hr);
            assert_eq!(results, [E_NOINTERFACE, S_OK, E_NOINTERFACE, S_OK, S_OK]);
            assert!(all[0].pItf.is_null() && all[2].pItf.is_null());
            assert_eq!(all[1].pItf, all[3].pItf, "one proxy");
            let with = [0, 1].map(|at| asked[at].load(Ordering::SeqCst));
            let mut known = [&IProbe::IID, &IUnknown::IID].map(entry);
            assert_eq!(several.QueryMultipleInterfaces(2, known.as_mut_ptr()), S_OK);
            assert_eq!(
                [0, 1].map(|at| asked[at].load(Ordering::SeqCst)),
                with,
                "what the proxy knows is not asked (MRSH-19)"
            );
            for found in all.iter().chain(&known).filter(|entry| !entry.pItf.is_null()) {
                drop(IUnknown::from_raw(found.pItf));
            }
        });
        let after = one_message.wait();
        assert!(after[0] > before[0] && after[1] > before[1], "both asked with one message: {before:?}, {after:?}");
        sta.close();
        mta.close();
    });
}

#[test]
fn iid_12_mrsh_14_several_interfaces_where_they_cannot_be_asked() {
    world(|world| {
        let lives = Lives::default();
        let (server, client, other) = (world.sta(), world.sta(), world.sta());
        let packet = host(&server, &lives);
        let several = client.run(move || Arc::new(Carry(query::<IMultiQI>(&unpack::<IProbe>(packet)).unwrap())));
        let ask = |several: &IMultiQI| unsafe {
            let mut both = [&IOther::IID, &IProbe::IID].map(entry);
            let hr = several.QueryMultipleInterfaces(2, both.as_mut_ptr());
            assert!(both[0].pItf.is_null());
            drop(IUnknown::from_raw(both[1].pItf));
            [hr, both[0].hr, both[1].hr]
        };
        for room in [&other, &world.outside()] {
            let own = several.clone();
            assert_eq!(room.run(move || ask(&own.0)), [S_FALSE, RPC_E_WRONG_THREAD, S_OK], "MRSH-14");
        }
        server.close();
        let own = several.clone();
        let gone = HRESULT(0x8007_06B5_u32 as i32);
        assert_eq!(client.run(move || ask(&own.0)), [S_FALSE, gone, S_OK], "the server is gone");
        client.run(move || drop(several));
        client.close();
        other.close();
    });
}

#[test]
fn px_19_the_proxy_of_a_class_factory() {
    world(|world| unsafe {
        let lives = Lives::default();
        let (server, mta) = (world.sta(), world.mta());
        let own = lives.clone();
        let made_at = server.thread;
        let packet = server.run(move || {
            let thread = Arc::new(Carry(own));
            pack(&object::class_factory_with(move |outer, riid, ppv| {
                assert!(outer.is_null());
                assert_eq!(GetCurrentThreadId(), made_at);
                probe(&thread.0).query(riid, ppv)
            }))
        });
        let counted = lives.clone();
        mta.run(move || {
            let factory: IClassFactory = unpack(packet);
            let mut raw = null_mut();
            assert_eq!(factory.CreateInstance(null_mut(), &IProbe::IID, &mut raw), S_OK);
            let made = IProbe::from_raw(raw);
            assert_eq!(thread_of(&made), made_at);
            assert_eq!(counted.now(), 1);
            let outer: IUnknown = query(&made).unwrap();
            raw = 0x10 as *mut c_void;
            let refused = factory.CreateInstance(outer.as_raw(), &IUnknown::IID, &mut raw);
            assert_eq!((refused, raw), (CLASS_E_NOAGGREGATION, null_mut()), "decided on the client's side");
            assert_eq!(factory.CreateInstance(null_mut(), &IOther::IID, &mut raw), E_NOINTERFACE);
            assert!(raw.is_null());
            assert_eq!(factory.LockServer(true.into()), S_OK);
            assert_eq!(object::server_locks(), 1);
            assert_eq!(factory.LockServer(false.into()), S_OK);
            assert_eq!(object::server_locks(), 0);
        });
        assert_eq!(lives.now(), 0);
        server.close();
        mta.close();
    });
}

#[test]
fn a_last_release_waits_for_the_objects_thread_and_serves_calls_meanwhile() {
    // AIU-01, and the deadlock that it would be if the client did not pump.
    world(|world| {
        let lives = Lives::default();
        let (server, client) = (world.sta(), world.sta());
        let back = host(&client, &lives);
        let own = lives.clone();
        let packet = server.run(move || {
            struct CallsBack(Carry<IProbe>, u32);
            impl Drop for CallsBack {
                fn drop(&mut self) {
                    assert_eq!(thread_of(&self.0.0), self.1);
                }
            }
            let back: IProbe = unpack(back);
            let thread = thread_of(&back);
            let in_drop = CallsBack(Carry(back), thread);
            pack(&probe_that(&own, move |_| {
                let _ = &in_drop;
                S_OK
            }))
        });
        client.run(move || drop(unpack::<IProbe>(packet)));
        assert_eq!(lives.now(), 0);
        server.close();
        client.close();
    });
}
