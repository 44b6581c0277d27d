//! How two processes meet: the server's object reference lies in a file, which goes with the client's test, however that ends.
//!
//! Neither ends an apartment as soon as its last object is gone: the call that released it may be on its way back. Wine 8
//! waits for such calls when an interface has no stub any more (`RpcServerUnregisterIf`), and for ever if the last of them
//! returns just then. So the server serves until its object is gone and its input is closed, and the client leaves its own
//! apartment when the server has ended.

use super::rooms::HANG;
use oleander::windows_core::Interface;
use oleander::*;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::ptr::null_mut;
use std::sync::mpsc::{Receiver, Sender};

/// Says that this is the server, and where its object reference goes.
const FILE: &str = "OLEANDER_TEST_FILE";
/// What the server prints when the file is there.
const READY: &str = "the object reference is in the file";

/// Says so when it goes: a part of the server's object.
pub struct Last(pub Sender<()>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

/// The server's process, as its client has it. Both the process and the file end with it.
pub struct Server {
    process: Child,
    file: PathBuf,
}

impl Server {
    /// Starts this program again, for one of its tests, and waits until its object can be reached.
    pub fn start(test: &str, variables: &[(&str, &str)]) -> Self {
        let name = format!("oleander-{}-{}", std::process::id(), test.replace(':', "-"));
        let file = std::env::temp_dir().join(name);
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(FILE, &file)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Self { process, file };
        let mut lines = BufReader::new(server.process.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(READY)), "the server ends before it serves");
        // It would wait for somebody to read what else it has to say.
        std::thread::spawn(move || lines.for_each(drop));
        server
    }

    pub fn file(&self) -> PathBuf {
        self.file.clone()
    }

    /// Closes the server's input, and waits for its end.
    pub fn end(mut self) {
        assert!(self.process.wait().unwrap().success(), "the server's own checks");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of a server that has ended neither is there to be ended; a server that failed may have left no file.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Where this process is to write its reference, if it is the server.
pub fn is_server() -> Option<PathBuf> {
    std::env::var_os(FILE).map(PathBuf::from)
}

/// Serves until the client has let go and closes its end of the input, which it does when its calls have returned.
pub fn serve_until(is_gone: &Receiver<()>) {
    println!("{READY}");
    is_gone.recv_timeout(HANG).expect("the client lets go");
    assert_eq!(std::io::stdin().read(&mut [0]).unwrap(), 0);
}

/// Writes an object's reference for other processes of this machine.
pub fn write_reference<I: Interface>(object: &I, file: &Path) {
    let (stream, mut size) = (memory(), 0);
    unsafe {
        let hr =
            CoMarshalInterface(stream.as_raw(), &I::IID, object.as_raw(), MSHCTX_LOCAL, null_mut(), MSHLFLAGS_NORMAL);
        assert_eq!(hr, S_OK);
        assert_eq!(stream.Seek(0, STREAM_SEEK_CUR, &mut size), S_OK);
    }
    to_start(&stream);
    std::fs::write(file, read(&stream, size as u32)).unwrap();
}

/// The object whose reference another process has written.
pub fn read_reference<I: Interface>(file: &Path) -> I {
    let (stream, bytes) = (memory(), std::fs::read(file).unwrap());
    let mut raw = null_mut();
    write(&stream, &bytes);
    to_start(&stream);
    unsafe {
        assert_eq!(CoUnmarshalInterface(stream.as_raw(), &I::IID, &mut raw), S_OK);
        I::from_raw(raw)
    }
}

/// A stream in memory.
pub fn memory() -> IStream {
    let mut raw = null_mut();
    unsafe {
        assert_eq!(CreateStreamOnHGlobal(HANDLE::NULL, true.into(), &mut raw), S_OK);
        IStream::from_raw(raw)
    }
}

fn to_start(stream: &IStream) {
    assert_eq!(unsafe { stream.Seek(0, STREAM_SEEK_SET, null_mut()) }, S_OK);
}

pub fn write(stream: &IStream, bytes: &[u8]) {
    let mut count = 0;
    assert_eq!(unsafe { stream.Write(bytes.as_ptr().cast(), bytes.len() as u32, &mut count) }, S_OK);
    assert_eq!(count as usize, bytes.len());
}

pub fn read(stream: &IStream, wanted: u32) -> Vec<u8> {
    let (mut bytes, mut count) = (vec![0_u8; wanted as usize], 0);
    assert!(unsafe { stream.Read(bytes.as_mut_ptr().cast(), wanted, &mut count) }.is_ok());
    bytes.truncate(count as usize);
    bytes
}
