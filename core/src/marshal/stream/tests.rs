//! Tests of streams in memory.

use super::*;
use crate::abi::global::{GlobalAlloc, GlobalFree, GlobalLock, GlobalSize, GlobalUnlock};
use crate::abi::interfaces::{IAgileObject, ISequentialStream};
use crate::abi::types::{GHND, GMEM_FIXED};

/// Reads up to `count` bytes.
fn read(stream: &IStream, count: u32) -> (HRESULT, Vec<u8>) {
    let mut bytes = vec![0xEE; count as usize];
    let mut read = u32::MAX;
    // SAFETY: room for so many bytes.
    let hr = unsafe { stream.Read(bytes.as_mut_ptr().cast(), count, &mut read) };
    bytes.truncate(read as usize);
    (hr, bytes)
}

/// Moves the position.
fn seek(stream: &IStream, by: i64, origin: u32) -> (HRESULT, u64) {
    let mut position = u64::MAX;
    // SAFETY: a place of our own.
    let hr = unsafe { stream.Seek(by, origin, &mut position) };
    (hr, position)
}

fn size(stream: &IStream) -> u64 {
    // SAFETY: plain data, for which zeros are valid; a place of our own.
    unsafe {
        let mut stat = std::mem::zeroed::<STATSTG>();
        assert_eq!(stream.Stat(&mut stat, 1), S_OK);
        assert_eq!((stat.r#type, stat.pwcsName.is_null()), (STGTY_STREAM, true));
        stat.cbSize
    }
}

#[test]
fn what_is_written_is_read_and_the_end_is_s_false() {
    let stream = memory_stream(Vec::new());
    assert_eq!(write_all(&stream, b"oleander"), S_OK);
    assert_eq!(read(&stream, 1), (S_FALSE, vec![]));
    assert_eq!(seek(&stream, 2, STREAM_SEEK_SET), (S_OK, 2));
    assert_eq!(read(&stream, 3), (S_OK, b"ean".to_vec()));
    assert_eq!(read(&stream, 9), (S_FALSE, b"der".to_vec()));
    let mut four = [0; 4];
    assert_eq!(seek(&stream, -4, STREAM_SEEK_CUR), (S_OK, 4));
    assert_eq!((read_exact(&stream, &mut four), &four), (S_OK, b"nder"));
    assert_eq!(seek(&stream, -2, STREAM_SEEK_END), (S_OK, 6));
    assert_eq!(read_exact(&stream, &mut four), STG_E_READFAULT);
    assert_eq!((write_all(&stream, &[]), read_exact(&stream, &mut [])), (S_OK, S_OK));
}

#[test]
fn writing_overwrites_grows_and_fills_gaps_with_zeros() {
    let stream = memory_stream(b"abc".to_vec());
    assert_eq!(write_all(&stream, b"X"), S_OK);
    assert_eq!(seek(&stream, 5, STREAM_SEEK_SET), (S_OK, 5));
    assert_eq!(size(&stream), 3, "the position alone makes nothing longer");
    assert_eq!(write_all(&stream, b"Y"), S_OK);
    assert_eq!(seek(&stream, 0, STREAM_SEEK_SET), (S_OK, 0));
    assert_eq!(read(&stream, 6), (S_OK, b"Xbc\0\0Y".to_vec()));
    // SAFETY: a live stream.
    unsafe {
        assert_eq!((stream.SetSize(2), size(&stream)), (S_OK, 2));
        assert_eq!((stream.SetSize(4), size(&stream)), (S_OK, 4));
    }
    assert_eq!(seek(&stream, 0, STREAM_SEEK_SET), (S_OK, 0));
    assert_eq!(read(&stream, 4), (S_OK, b"Xb\0\0".to_vec()));
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let stream = memory_stream(b"abc".to_vec());
    assert_eq!(seek(&stream, 1, STREAM_SEEK_SET), (S_OK, 1));
    assert_eq!(seek(&stream, -2, STREAM_SEEK_CUR), (STG_E_INVALIDFUNCTION, u64::MAX));
    assert_eq!(seek(&stream, -1, STREAM_SEEK_SET), (STG_E_INVALIDFUNCTION, u64::MAX));
    assert_eq!(seek(&stream, 0, 3), (STG_E_INVALIDFUNCTION, u64::MAX));
    let mut count = 9;
    // SAFETY: null is what is tested.
    unsafe {
        assert_eq!(stream.Read(ptr::null_mut(), 1, &mut count), STG_E_INVALIDPOINTER);
        assert_eq!(count, 0);
        assert_eq!(stream.Write(ptr::null(), 1, &mut count), STG_E_INVALIDPOINTER);
        assert_eq!(stream.CopyTo(ptr::null_mut(), 1, ptr::null_mut(), ptr::null_mut()), STG_E_INVALIDPOINTER);
        assert_eq!(stream.Stat(ptr::null_mut(), 0), STG_E_INVALIDPOINTER);
        assert_eq!(stream.Clone(ptr::null_mut()), STG_E_INVALIDPOINTER);
        assert_eq!(stream.SetSize(u64::MAX), E_OUTOFMEMORY);
        assert_eq!(stream.LockRegion(0, 1, 0), STG_E_INVALIDFUNCTION);
        assert_eq!(stream.UnlockRegion(0, 1, 0), STG_E_INVALIDFUNCTION);
        assert_eq!((stream.Commit(0), stream.Revert()), (S_OK, S_OK));
        assert_eq!(stream.Seek(i64::MAX, STREAM_SEEK_SET, ptr::null_mut()), S_OK);
        assert_eq!(stream.Seek(i64::MAX, STREAM_SEEK_CUR, ptr::null_mut()), S_OK);
        assert_eq!(stream.Seek(2, STREAM_SEEK_CUR, ptr::null_mut()), STG_E_INVALIDFUNCTION);
        assert_eq!(stream.Write(b"xx".as_ptr().cast(), 2, &mut count), E_OUTOFMEMORY);
        assert_eq!(stream.Write(b"".as_ptr().cast(), 0, &mut count), S_OK, "nothing grows by nothing");
    }
    assert_eq!(size(&stream), 3);
    assert_eq!(read(&stream, 1), (S_FALSE, vec![]));
    assert_eq!(seek(&stream, 1, STREAM_SEEK_SET), (S_OK, 1));
    assert_eq!(read(&stream, 2), (S_OK, b"bc".to_vec()));
}

#[test]
fn clones_share_bytes_and_not_positions() {
    let stream = memory_stream(b"abcdef".to_vec());
    assert_eq!(read(&stream, 2).0, S_OK);
    let mut clone = ptr::null_mut();
    // SAFETY: a place of our own, which then holds a stream.
    let clone = unsafe {
        assert_eq!(stream.Clone(&mut clone), S_OK);
        IStream::from_raw(clone)
    };
    assert_eq!(read(&clone, 1), (S_OK, b"c".to_vec()), "it starts where the other one is");
    assert_eq!(write_all(&clone, b"D"), S_OK);
    assert_eq!(read(&stream, 2), (S_OK, b"cD".to_vec()));
    drop(stream);
    assert_eq!(read(&clone, 2), (S_OK, b"ef".to_vec()), "the bytes live with the last stream");
}

#[test]
fn copying_moves_both_positions_and_may_go_into_itself() {
    let (from, to) = (memory_stream(b"abcdef".to_vec()), memory_stream(Vec::new()));
    let (mut read_count, mut written) = (0, 0);
    assert_eq!(seek(&from, 1, STREAM_SEEK_SET), (S_OK, 1));
    // SAFETY: live streams; places of our own.
    unsafe {
        assert_eq!(from.CopyTo(to.as_raw(), 3, &mut read_count, &mut written), S_OK);
        assert_eq!((read_count, written, size(&to)), (3, 3, 3));
        assert_eq!(from.CopyTo(to.as_raw(), u64::MAX, &mut read_count, &mut written), S_OK);
        assert_eq!((read_count, written, size(&to)), (2, 2, 5));
        assert_eq!(seek(&to, 0, STREAM_SEEK_SET), (S_OK, 0));
        assert_eq!(read(&to, 5), (S_OK, b"bcdef".to_vec()));
        assert_eq!(seek(&to, 0, STREAM_SEEK_SET), (S_OK, 0));
        assert_eq!(to.CopyTo(to.as_raw(), 5, ptr::null_mut(), ptr::null_mut()), S_OK);
    }
    assert_eq!((size(&to), seek(&to, 0, STREAM_SEEK_SET)), (10, (S_OK, 0)));
    assert_eq!(read(&to, 10), (S_OK, b"bcdefbcdef".to_vec()));
}

#[test]
fn a_stream_is_agile_and_sequential_too() {
    let stream = memory_stream(b"x".to_vec());
    assert!(stream.cast::<IAgileObject>().is_ok());
    let sequential: ISequentialStream = stream.cast().expect("the base");
    let mut byte = 0u8;
    // SAFETY: room for a byte.
    let hr = unsafe { sequential.Read((&raw mut byte).cast(), 1, ptr::null_mut()) };
    assert_eq!((hr, byte), (S_OK, b'x'));
}

#[test]
fn create_stream_on_hglobal_wants_no_handle() {
    let mut stream = ptr::dangling_mut();
    // SAFETY: a place of our own, or null.
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE(ptr::dangling_mut()), BOOL(1), &mut stream), E_INVALIDARG);
        assert!(stream.is_null());
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, BOOL(1), ptr::null_mut()), E_INVALIDARG);
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, BOOL(1), &mut stream), S_OK);
        assert_eq!(size(&IStream::from_raw(stream)), 0);
    }
}

#[test]
fn clones_on_two_threads_lose_nothing() {
    let stream = memory_stream(vec![0; 64]);
    /// A stream on its way to another thread.
    struct Sent(IStream);
    // SAFETY: streams are agile.
    unsafe impl Send for Sent {}
    let threads: Vec<_> = (0..2u8)
        .map(|which| {
            let mut clone = ptr::null_mut();
            // SAFETY: a place of our own, which then holds a stream.
            let clone = Sent(unsafe {
                assert_eq!(stream.Clone(&mut clone), S_OK);
                IStream::from_raw(clone)
            });
            std::thread::spawn(move || {
                let clone = clone;
                for at in (which..64).step_by(2) {
                    assert_eq!(seek(&clone.0, i64::from(at), STREAM_SEEK_SET).0, S_OK);
                    assert_eq!(write_all(&clone.0, &[at]), S_OK);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(read(&stream, 64), (S_OK, (0..64).collect()));
}

/// A stream over a block or over new memory.
fn over(memory: HANDLE, delete: bool) -> IStream {
    let mut raw = ptr::null_mut();
    // SAFETY: a place of our own.
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(memory, delete.into(), &mut raw), S_OK);
        IStream::from_raw(raw)
    }
}

fn handle_of(stream: &IStream) -> HANDLE {
    let mut handle = HANDLE::NULL;
    // SAFETY: a live stream and a place of our own.
    unsafe { assert_eq!(GetHGlobalFromStream(stream.as_raw(), &mut handle), S_OK) };
    assert!(!handle.is_null());
    handle
}

/// What lies in a block.
fn contents(handle: HANDLE) -> Vec<u8> {
    // SAFETY: the block is this test's, and locked meanwhile.
    unsafe {
        let place = GlobalLock(handle);
        let bytes = std::slice::from_raw_parts(place.cast::<u8>(), GlobalSize(handle)).to_vec();
        assert!(!GlobalUnlock(handle).as_bool());
        bytes
    }
}

#[test]
fn the_memory_of_a_stream_has_a_handle() {
    let stream = over(HANDLE::NULL, true);
    assert_eq!(write_all(&stream, b"olean"), S_OK);
    let handle = handle_of(&stream);
    assert_eq!(contents(handle), b"olean");
    assert_eq!(write_all(&stream, b"der"), S_OK, "it grows where it is now");
    assert_eq!((handle_of(&stream), contents(handle)), (handle, b"oleander".to_vec()));
    // SAFETY: valid arguments.
    let clone = unsafe {
        let mut raw = ptr::null_mut();
        assert_eq!(stream.Clone(&mut raw), S_OK);
        IStream::from_raw(raw)
    };
    assert_eq!(handle_of(&clone), handle);
    drop(stream);
    assert_eq!(seek(&clone, 0, STREAM_SEEK_SET).0, S_OK);
    assert_eq!(read(&clone, 8), (S_OK, b"oleander".to_vec()));
    drop(clone);
    // SAFETY: what is no handle is not followed.
    unsafe { assert_eq!(GlobalSize(handle), 0, "it goes with the last stream") };
}

#[test]
fn a_stream_over_the_users_memory() {
    // SAFETY: the block is this test's.
    unsafe {
        let handle = GlobalAlloc(GHND, 6);
        GlobalLock(handle).cast::<[u8; 6]>().write(*b"nerium");
        let stream = over(handle, false);
        assert_eq!(size(&stream), 6);
        assert_eq!(read(&stream, 3), (S_OK, b"ner".to_vec()));
        assert_eq!(write_all(&stream, b"!"), S_OK);
        assert_eq!(seek(&stream, 0, STREAM_SEEK_END).1, 6);
        assert_eq!(write_all(&stream, b"more"), E_OUTOFMEMORY, "locked: it does not move");
        assert_eq!(size(&stream), 6);
        assert!(!GlobalUnlock(handle).as_bool());
        assert_eq!(write_all(&stream, b"more"), S_OK);
        assert_eq!(contents(handle), b"ner!ummore");
        assert_eq!(stream.SetSize(2), S_OK);
        assert_eq!(stream.SetSize(4), S_OK);
        assert_eq!(contents(handle), b"ne\0\0");
        assert_eq!(handle_of(&stream), handle);
        drop(stream);
        assert_eq!(contents(handle), b"ne\0\0", "it is the caller's");
        let stream = over(handle, true);
        assert_eq!(GlobalFree(handle), HANDLE::NULL);
        assert_eq!(read(&stream, 1), (S_FALSE, vec![]), "freed behind its back");
        assert_eq!(write_all(&stream, b"x"), E_OUTOFMEMORY);
    }
}

#[test]
fn memory_that_is_not_deleted_is_the_callers() {
    let stream = over(HANDLE::NULL, false);
    assert_eq!(write_all(&stream, b"kept"), S_OK);
    let handle = handle_of(&stream);
    drop(stream);
    assert_eq!(contents(handle), b"kept");
    // SAFETY: the block is this test's now.
    unsafe { assert_eq!(GlobalFree(handle), HANDLE::NULL) };
}

#[test]
fn hglobal_arguments() {
    // SAFETY: null or valid pointers.
    unsafe {
        let (mut raw, mut handle) = (ptr::null_mut(), HANDLE::NULL);
        let wrong = HANDLE(ptr::without_provenance_mut(0x1001));
        assert_eq!(CreateStreamOnHGlobal(wrong, true.into(), &mut raw), E_INVALIDARG);
        assert!(raw.is_null());
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), ptr::null_mut()), E_INVALIDARG);
        assert_eq!(GetHGlobalFromStream(ptr::null_mut(), &mut handle), E_INVALIDARG);
        assert_eq!(GetHGlobalFromStream(memory_stream(Vec::new()).as_raw(), ptr::null_mut()), E_INVALIDARG);
        let fixed = GlobalAlloc(GMEM_FIXED, 1);
        let stream = over(fixed, true);
        assert_eq!(write_all(&stream, b"ab"), E_OUTOFMEMORY, "fixed memory does not move");
        assert_eq!(write_all(&stream, b"a"), S_OK);
        assert_eq!(handle_of(&stream), fixed);
    }
}
