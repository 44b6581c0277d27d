//! Two processes on the system's COM. They meet through an object reference in a file; no registry knows of the interface.

use super::meeting::*;
use super::probe::*;
use super::rooms::*;
use oleander::backend::{self, Backend};
use oleander::windows_core::Ref;
use oleander::*;
use std::path::{Path, PathBuf};

/// Says whether the server's object is in an STA or the MTA.
const KIND: &str = "OLEANDER_TEST_KIND";

fn serve(world: &World, file: &Path) {
    let room = if std::env::var(KIND).unwrap() == "sta" { world.sta() } else { world.mta() };
    let (sender, is_gone) = std::sync::mpsc::channel();
    let own = file.to_owned();
    room.run(move || {
        let last = Last(sender);
        let object = probe_that(&Lives::default(), move |_| {
            let _keeps = &last;
            S_FALSE
        });
        write_reference(&object, &own);
    });
    serve_until(&is_gone);
    room.close();
}

fn call(room: &Room, file: PathBuf) {
    let here = room.thread;
    room.run(move || unsafe {
        let far: IProbe = read_reference(&file);
        assert_ne!(thread_of(&far), here);
        assert_eq!(far.Do(1), S_FALSE);
        // Back into this process while it waits.
        let mine = probe_that(&Lives::default(), |what| if what == 5 { E_FAIL } else { S_OK });
        assert_eq!(far.Forward(Ref::from(&mine), 5), E_FAIL);
    });
}

#[test]
fn two_processes_call_each_other() {
    if let Some(file) = is_server() {
        return on_own_threads(move |world| serve(world, &file));
    }
    if backend::current() == Backend::Emulation {
        return println!("the emulation's processes are not the system's");
    }
    on_own_threads(|world| {
        for (kind, make) in [("sta", World::mta as fn(&World) -> Room), ("mta", World::sta), ("sta", World::sta)] {
            let server = Server::start("processes::two_processes_call_each_other", &[(KIND, kind)]);
            let room = make(world);
            call(&room, server.file());
            server.end();
            room.close();
        }
    });
}
