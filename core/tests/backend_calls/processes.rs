//! Two processes on the system's COM. They meet through an object reference in a file; no registry knows of the interface.
//!
//! Neither ends an apartment as soon as its last object is gone: the call that released it may be on its way back. Wine 8
//! waits for such calls when an interface has no stub any more (`RpcServerUnregisterIf`), and for ever if the last of them
//! returns just then. So the client says when it has let go, and leaves its own apartment when the server has ended.

use super::probe::*;
use super::rooms::*;
use oleander::backend::{self, Backend};
use oleander::windows_core::{Interface, Ref};
use oleander::*;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::ptr::null_mut;

/// Says that this is the server, in an STA or the MTA, and where its object reference goes.
const FILE: &str = "OLEANDER_TEST_FILE";
const KIND: &str = "OLEANDER_TEST_KIND";
/// What the server prints when the file is there.
const READY: &str = "the object reference is in the file";

/// Says so when it goes.
struct Last(std::sync::mpsc::Sender<()>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

fn stream(bytes: &[u8]) -> IStream {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        let stream = IStream::from_raw(raw);
        assert_eq!(stream.Write(bytes.as_ptr().cast(), bytes.len() as u32, null_mut()), S_OK);
        assert_eq!(stream.Seek(0, STREAM_SEEK_SET, null_mut()), S_OK);
        stream
    }
}

/// An object's reference for other processes of this machine.
fn reference(object: &IProbe) -> Vec<u8> {
    let stream = stream(&[]);
    let (mut size, mut count) = (0, 0);
    unsafe {
        let hr = CoMarshalInterface(
            stream.as_raw(),
            &IProbe::IID,
            object.as_raw(),
            MSHCTX_LOCAL,
            null_mut(),
            MSHLFLAGS_NORMAL,
        );
        assert_eq!(hr, S_OK);
        assert_eq!(stream.Seek(0, STREAM_SEEK_CUR, &mut size), S_OK);
        assert_eq!(stream.Seek(0, STREAM_SEEK_SET, null_mut()), S_OK);
        let mut bytes = vec![0u8; size as usize];
        assert_eq!(stream.Read(bytes.as_mut_ptr().cast(), size as u32, &mut count), S_OK);
        assert_eq!(u64::from(count), size);
        bytes
    }
}

fn serve(world: &World, file: &Path) {
    let room = if std::env::var(KIND).unwrap() == "sta" { world.sta() } else { world.mta() };
    let (sender, is_gone) = std::sync::mpsc::channel();
    let bytes = room.run(move || {
        let last = Last(sender);
        let object = probe_that(&Lives::default(), move |_| {
            let _keeps = &last;
            S_FALSE
        });
        reference(&object)
    });
    std::fs::write(file, bytes).unwrap();
    println!("{READY}");
    is_gone.recv_timeout(HANG).expect("the client lets go");
    // The client's end of it closes when its calls have returned.
    assert_eq!(std::io::stdin().read(&mut [0]).unwrap(), 0);
    room.close();
}

fn start(kind: &str, file: &Path) -> Child {
    let exe = std::env::current_exe().unwrap();
    let mut server = Command::new(exe)
        .args(["--exact", "processes::two_processes_call_each_other", "--nocapture"])
        .envs([(FILE, file.as_os_str()), (KIND, kind.as_ref())])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(READY)), "the server ends before it serves");
    // It would wait for somebody to read what else it has to say.
    std::thread::spawn(move || lines.for_each(drop));
    server
}

fn call(room: &Room, file: PathBuf) {
    let here = room.thread;
    room.run(move || unsafe {
        let stream = stream(&std::fs::read(file).unwrap());
        let mut raw = null_mut();
        assert_eq!(CoUnmarshalInterface(stream.as_raw(), &IProbe::IID, &mut raw), S_OK);
        let far = IProbe::from_raw(raw);
        assert_ne!(thread_of(&far), here);
        assert_eq!(far.Do(1), S_FALSE);
        // Back into this process while it waits.
        let mine = probe_that(&Lives::default(), |what| if what == 5 { E_FAIL } else { S_OK });
        assert_eq!(far.Forward(Ref::from(&mine), 5), E_FAIL);
    });
}

#[test]
fn two_processes_call_each_other() {
    if let Some(file) = std::env::var_os(FILE) {
        return on_own_threads(move |world| serve(world, file.as_ref()));
    }
    if backend::current() == Backend::Emulation {
        return println!("the emulation's processes are not the system's");
    }
    on_own_threads(|world| {
        for (kind, make) in [("sta", World::mta as fn(&World) -> Room), ("mta", World::sta), ("sta", World::sta)] {
            let file = std::env::temp_dir().join(format!("oleander-{}-{kind}", std::process::id()));
            let mut server = start(kind, &file);
            let room = make(world);
            call(&room, file.clone());
            // Closes the server's input first.
            assert!(server.wait().unwrap().success(), "the server's own checks");
            room.close();
            std::fs::remove_file(file).unwrap();
        }
    });
}
