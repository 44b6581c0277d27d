//! Random aggregation graphs: objects in objects, some deep, some wide, with interfaces that several of them have, against
//! a model that knows which object answers a query. Whoever is asked, the outermost answers (AGG-01); references count on it
//! alone (AGG-12); everything ends once, with the last reference.

use super::*;
use crate::object::{Inner, create_aggregated_with};
use proptest::prelude::*;

const KINDS: usize = 4;

/// An object of one kind with inner objects.
#[derive(Clone, Debug)]
struct Shape {
    kind: usize,
    inners: Vec<Shape>,
}

impl Shape {
    fn size(&self) -> u32 {
        1 + self.inners.iter().map(Self::size).sum::<u32>()
    }

    /// The number of the object that answers for a kind: an object itself before those in it, and these in their order.
    /// Objects are numbered as they are made, an outer one before those in it.
    fn answers(&self, number: u32, kind: usize) -> Option<u32> {
        if self.kind == kind {
            return Some(number);
        }
        self.inner_numbers(number).find_map(|(number, inner)| inner.answers(number, kind))
    }

    fn inner_numbers(&self, number: u32) -> impl Iterator<Item = (u32, &Self)> {
        let first = number + 1;
        self.inners.iter().scan(first, |next, inner| {
            let number = *next;
            *next += inner.size();
            Some((number, inner))
        })
    }

    fn find(&self, number: u32, wanted: u32) -> Option<&Self> {
        if number == wanted {
            return Some(self);
        }
        self.inner_numbers(number).find_map(|(number, inner)| inner.find(number, wanted))
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let leaf = (0..KINDS).prop_map(|kind| Shape { kind, inners: Vec::new() });
    leaf.prop_recursive(4, 14, 3, |inner| {
        (0..KINDS, proptest::collection::vec(inner, 0..4)).prop_map(|(kind, inners)| Shape { kind, inners })
    })
}

/// What the objects of one graph share.
#[derive(Clone)]
struct Made(Arc<Vec<Drops>>, Arc<AtomicU32>);

/// What a node of any kind does.
macro_rules! kinds {
    ($($kind:literal $class:ident $interface:ident $imp:ident $methods:ident $iid:literal;)*) => {
        $(
            #[interface($iid)]
            unsafe trait $interface: IUnknown {
                /// The number of the object.
                fn Which(&self) -> u32;
                /// The number that the inner object with this index says, asked as an outer object asks: by an interface that it
                /// keeps without a count.
                fn Ask(&self, inner: u32) -> u32;
            }

            #[com_class($interface, fallback = ask_inners)]
            struct $class {
                number: u32,
                inners: Vec<(usize, Inner)>,
                _drops: CountsDrop,
            }

            impl $methods {
                unsafe fn ask_inners(&self, iid: &GUID, ppv: *mut *mut c_void) -> HRESULT {
                    // SAFETY: the caller's place.
                    let answer = |(_, inner): &(usize, Inner)| unsafe { inner.query_raw(iid, ppv) };
                    self.inners.iter().map(answer).find(|hr| *hr != E_NOINTERFACE).unwrap_or(E_NOINTERFACE)
                }
            }

            impl $imp for $methods {
                unsafe fn Which(&self) -> u32 {
                    self.number
                }
                unsafe fn Ask(&self, inner: u32) -> u32 {
                    let (kind, inner) = &self.inners[inner as usize];
                    cached(*kind, inner)
                }
            }

            impl $class {
                unsafe fn make(shape: &Shape, made: &Made, outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
                    let number = made.1.fetch_add(1, Ordering::Relaxed);
                    let inners = shape.inners.iter().map(|inner| (inner.kind, Inner::new())).collect();
                    let node = Self { number, inners, _drops: CountsDrop(made.0[number as usize].clone()) };
                    // SAFETY: the caller's promises; each inner object is aggregated under what it is given.
                    unsafe {
                        create_aggregated_with(node, outer, riid, ppv, |node| {
                            for ((_, inner), shape) in node.inners.iter().zip(&shape.inners) {
                                let create = |unknown, riid, ppv| make(shape, made, unknown, riid, ppv);
                                node.aggregate(inner, create).expect("it stands");
                            }
                            S_OK
                        })
                    }
                }
            }
        )*

        const IIDS: [GUID; KINDS] = [$($interface::IID),*];

        unsafe fn make(shape: &Shape, made: &Made, outer: *mut c_void, riid: *const GUID, ppv: *mut *mut c_void) -> HRESULT {
            // SAFETY: the caller's promises.
            unsafe {
                match shape.kind {
                    $($kind => $class::make(shape, made, outer, riid, ppv),)*
                    _ => unreachable!("there are {KINDS} kinds"),
                }
            }
        }

        fn cached(kind: usize, inner: &Inner) -> u32 {
            // SAFETY: no arguments.
            unsafe {
                match kind {
                    $($kind => inner.cached::<$interface>().expect("its own").Which(),)*
                    _ => unreachable!("there are {KINDS} kinds"),
                }
            }
        }

        /// The object behind an interface pointer of a kind, and what it says of one of its inner objects.
        fn said(kind: usize, pointer: *mut c_void, inner: Option<u32>) -> u32 {
            // SAFETY: a live pointer of this kind.
            unsafe {
                match kind {
                    $($kind => {
                        let pointer = $interface::from_raw_borrowed(&pointer).expect("not null");
                        inner.map_or_else(|| pointer.Which(), |inner| pointer.Ask(inner))
                    })*
                    _ => unreachable!("there are {KINDS} kinds"),
                }
            }
        }
    };
}

kinds! {
    0 A IA IA_Impl A_Impl "6d0c7a55-0f43-4c29-9a06-1b1f2f0c7a01";
    1 B IB IB_Impl B_Impl "6d0c7a55-0f43-4c29-9a06-1b1f2f0c7a02";
    2 C IC IC_Impl C_Impl "6d0c7a55-0f43-4c29-9a06-1b1f2f0c7a03";
    3 D ID ID_Impl D_Impl "6d0c7a55-0f43-4c29-9a06-1b1f2f0c7a04";
}

/// What is done with a graph; numbers pick among the pointers that are held.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Query(usize, usize),
    Release(usize),
    Ask(usize, usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        3 => (any::<usize>(), 0..KINDS).prop_map(|(from, kind)| Deed::Query(from, kind)),
        1 => any::<usize>().prop_map(Deed::Release),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(whom, inner)| Deed::Ask(whom, inner)),
    ];
    proptest::collection::vec(deed, 0..24)
}

/// A counted pointer, and its kind: none for the identity itself.
type Held = (Option<usize>, *mut c_void);

fn act(shape: &Shape, root: *mut c_void, held: &mut Vec<Held>, deed: Deed) {
    match deed {
        Deed::Query(from, kind) => {
            let (hr, found) = query(held[from % held.len()].1, &IIDS[kind]);
            match shape.answers(0, kind) {
                Some(number) => {
                    assert_eq!((hr, said(kind, found, None)), (S_OK, number), "the same from every pointer");
                    assert_eq!(identity(found), root);
                    held.push((Some(kind), found));
                }
                None => assert_eq!((hr, found), (E_NOINTERFACE, ptr::null_mut())),
            }
        }
        Deed::Release(which) if held.len() > 1 => {
            let (_, pointer) = held.swap_remove(which % held.len());
            // SAFETY: it is held.
            assert_eq!(unsafe { crate::object::raw::release(pointer) } as usize, held.len());
        }
        Deed::Ask(whom, inner) => {
            let (Some(kind), pointer) = held[whom % held.len()] else { return };
            let number = said(kind, pointer, None);
            let asked = shape.find(0, number).expect("it is in the graph");
            let numbers: Vec<_> = asked.inner_numbers(number).map(|(number, _)| number).collect();
            if !numbers.is_empty() {
                let inner = inner % numbers.len();
                assert_eq!(said(kind, pointer, Some(inner as u32)), numbers[inner]);
            }
        }
        Deed::Release(_) => {}
    }
    assert_eq!(references(held[0].1) as usize, held.len(), "the outermost counts");
}

proptest! {
    #[test]
    fn a_graph_of_aggregated_objects_is_one_object(shape in shapes(), deeds in deeds()) {
        in_process(|| {
            let drops: Vec<_> = (0..shape.size()).map(|_| Drops::default()).collect();
            let made = Made(Arc::new(drops), Arc::default());
            let mut root = ptr::null_mut();
            // SAFETY: no outer, a place of our own.
            assert_eq!(unsafe { make(&shape, &made, ptr::null_mut(), &IUnknown::IID, &mut root) }, S_OK);
            let mut held = vec![(None, root)];
            for deed in deeds {
                act(&shape, root, &mut held, deed);
            }
            for (_, pointer) in held.drain(..) {
                assert!(made.0.iter().all(|drops| drops.count() == 0), "held");
                // SAFETY: it was held.
                unsafe { crate::object::raw::release(pointer) };
            }
            assert!(made.0.iter().all(|drops| drops.count() == 1), "each ends once");
        });
    }
}
