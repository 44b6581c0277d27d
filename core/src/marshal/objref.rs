//! Object references as bytes (facts OB): `MEOW`, what kind, which interface, then the standard or the custom part.
//!
//! | at | standard | handler | custom |
//! | --- | --- | --- | --- |
//! | 0 | signature `MEOW` | the same | the same |
//! | 4 | 1 | 2 | 4 |
//! | 8 | IID | IID | IID |
//! | 24 | flags | flags | class id (16 bytes) |
//! | 28 | public references | the same | |
//! | 32 | OXID | OXID | |
//! | 40 | OID | OID | extension size 0, then the data's size |
//! | 48 | IPID | IPID | data |
//! | 64 | an empty list of addresses (4 bytes) | class id, then the list | |

use windows_core::GUID;

const SIGNATURE: u32 = u32::from_le_bytes(*b"MEOW");
const STANDARD: u32 = 1;
const HANDLER: u32 = 2;
const CUSTOM: u32 = 4;
/// Bytes before the part that differs.
pub(crate) const HEAD: usize = 24;
/// Bytes of the standard part with its empty list of addresses.
pub(crate) const STANDARD_TAIL: usize = 44;
/// Bytes of the standard part with a handler's class.
pub(crate) const HANDLER_TAIL: usize = STANDARD_TAIL + 16;
/// Bytes of the custom part before its data.
pub(crate) const CUSTOM_TAIL: usize = 24;
/// The packet is table-weak: a bit that the wire reserves for whoever makes packets.
pub(crate) const TABLE_WEAK: u32 = 0x1;
/// The packet is table-strong: likewise.
pub(crate) const TABLE_STRONG: u32 = 0x20;
/// Nobody pings for the object: `SORF_NOPING` on the wire.
pub(crate) const NO_PING: u32 = 0x1000;

/// A standard object reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standard {
    pub(crate) flags: u32,
    pub(crate) public_refs: u32,
    pub(crate) oxid: u64,
    pub(crate) oid: u64,
    pub(crate) ipid: GUID,
}

impl Standard {
    /// Whether each unmarshaling asks for references: the packet carries none.
    pub(crate) fn is_table(&self) -> bool {
        self.flags & (TABLE_STRONG | TABLE_WEAK) != 0 || self.public_refs == 0
    }
}

/// What comes behind the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// With the class of a handler, if the object named one.
    Standard(Standard, Option<GUID>),
    /// The class that unmarshals, and the size of its data, which follows.
    Custom(GUID, u32),
}

/// An object reference, without custom data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObjRef {
    pub(crate) iid: GUID,
    pub(crate) tail: Tail,
}

/// The bytes of an object reference are no such thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

fn guid_bytes(guid: &GUID) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&guid.data1.to_le_bytes());
    bytes[4..6].copy_from_slice(&guid.data2.to_le_bytes());
    bytes[6..8].copy_from_slice(&guid.data3.to_le_bytes());
    bytes[8..].copy_from_slice(&guid.data4);
    bytes
}

fn guid_from(bytes: &[u8; 16]) -> GUID {
    let [a, b, c, d, e, f, g, h, data4 @ ..] = *bytes;
    GUID::from_values(u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]), data4)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).ok_or(Malformed)
}

fn word(bytes: &[u8], at: usize) -> Result<u32, Malformed> {
    Ok(u32::from_le_bytes(array(bytes, at)?))
}

/// The kind of the reference whose first [`HEAD`] bytes these are: how many bytes the fixed part behind them has.
pub(crate) fn tail_len(head: &[u8]) -> Result<usize, Malformed> {
    match (word(head, 0)?, word(head, 4)?) {
        (SIGNATURE, STANDARD) => Ok(STANDARD_TAIL),
        (SIGNATURE, HANDLER) => Ok(HANDLER_TAIL),
        (SIGNATURE, CUSTOM) => Ok(CUSTOM_TAIL),
        _ => Err(Malformed),
    }
}

impl ObjRef {
    /// Reads the head and the fixed part.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let iid = guid_from(&array(bytes, 8)?);
        let tail = match tail_len(bytes)? {
            CUSTOM_TAIL => Tail::Custom(guid_from(&array(bytes, 24)?), word(bytes, 44)?),
            len => {
                let standard = Standard {
                    flags: word(bytes, 24)?,
                    public_refs: word(bytes, 28)?,
                    oxid: u64::from_le_bytes(array(bytes, 32)?),
                    oid: u64::from_le_bytes(array(bytes, 40)?),
                    ipid: guid_from(&array(bytes, 48)?),
                };
                let handler = if len == HANDLER_TAIL { Some(guid_from(&array(bytes, 64)?)) } else { None };
                Tail::Standard(standard, handler)
            }
        };
        Ok(Self { iid, tail })
    }

    /// Appends the head and the fixed part.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.reserve(HEAD + HANDLER_TAIL);
        out.extend(SIGNATURE.to_le_bytes());
        match self.tail {
            Tail::Standard(standard, handler) => {
                out.extend(if handler.is_some() { HANDLER } else { STANDARD }.to_le_bytes());
                out.extend(guid_bytes(&self.iid));
                out.extend(standard.flags.to_le_bytes());
                out.extend(standard.public_refs.to_le_bytes());
                out.extend(standard.oxid.to_le_bytes());
                out.extend(standard.oid.to_le_bytes());
                out.extend(guid_bytes(&standard.ipid));
                out.extend(handler.iter().flat_map(guid_bytes));
                out.extend([0; 4]);
            }
            Tail::Custom(clsid, size) => {
                out.extend(CUSTOM.to_le_bytes());
                out.extend(guid_bytes(&self.iid));
                out.extend(guid_bytes(&clsid));
                out.extend([0; 4]);
                out.extend(size.to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn standard() -> ObjRef {
        let tail = Standard { flags: 0, public_refs: 5, oxid: 0x0102, oid: 0x0304, ipid: GUID::from_u128(7) };
        ObjRef { iid: GUID::from_u128(0x00000000_0000_0000_C000_000000000046), tail: Tail::Standard(tail, None) }
    }

    #[test]
    fn ob_01_to_04_06_a_normal_packet_byte_by_byte() {
        let mut bytes = Vec::new();
        standard().write(&mut bytes);
        assert_eq!(bytes.len(), HEAD + STANDARD_TAIL);
        assert_eq!(&bytes[..4], b"MEOW");
        assert_eq!(&bytes[4..8], [1, 0, 0, 0]);
        assert_eq!(&bytes[8..24], [0, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]);
        assert_eq!(&bytes[24..32], [0, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(&bytes[32..34], [0x02, 0x01]);
        assert_eq!(&bytes[40..42], [0x04, 0x03]);
    }

    #[test]
    fn ma_45_a_custom_packet_names_its_class() {
        let objref = ObjRef { iid: GUID::from_u128(1), tail: Tail::Custom(GUID::from_u128(2), 0) };
        let mut bytes = Vec::new();
        objref.write(&mut bytes);
        assert_eq!(&bytes[4..8], [4, 0, 0, 0]);
        assert_eq!(&bytes[40..48], [0; 8]);
        assert_eq!(ObjRef::parse(&bytes), Ok(objref));
    }

    #[test]
    fn ob_02_a_handler_packet_names_its_class_behind_the_standard_part() {
        let ObjRef { iid, tail: Tail::Standard(tail, None) } = standard() else { unreachable!() };
        let objref = ObjRef { iid, tail: Tail::Standard(tail, Some(GUID::from_u128(9))) };
        let (mut plain, mut bytes) = (Vec::new(), Vec::new());
        standard().write(&mut plain);
        objref.write(&mut bytes);
        assert_eq!(bytes.len(), HEAD + HANDLER_TAIL);
        assert_eq!(&bytes[4..8], [2, 0, 0, 0]);
        assert_eq!(bytes[8..64], plain[8..64]);
        assert_eq!(bytes[64..80], guid_bytes(&GUID::from_u128(9)));
        assert_eq!(bytes[80..], [0; 4]);
        assert_eq!(ObjRef::parse(&bytes), Ok(objref));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            flags: u32, refs: u32, oxid: u64, oid: u64, ipid: u128, iid: u128, handler: Option<u128>,
            custom: (u128, u32),
        ) {
            let tail = Standard { flags, public_refs: refs, oxid, oid, ipid: GUID::from_u128(ipid) };
            let standard = Tail::Standard(tail, handler.map(GUID::from_u128));
            for tail in [standard, Tail::Custom(GUID::from_u128(custom.0), custom.1)] {
                let objref = ObjRef { iid: GUID::from_u128(iid), tail };
                let mut bytes = Vec::new();
                objref.write(&mut bytes);
                prop_assert_eq!(bytes.len(), HEAD + tail_len(&bytes).expect("it has a kind"));
                prop_assert_eq!(ObjRef::parse(&bytes), Ok(objref));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = ObjRef::parse(&bytes);
        }

        #[test]
        fn a_cut_packet_is_malformed(len in 0usize..64) {
            let mut bytes = Vec::new();
            standard().write(&mut bytes);
            prop_assert_eq!(ObjRef::parse(&bytes[..len]), Err(Malformed));
        }
    }
}
