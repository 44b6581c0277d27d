//! The two halves of a call on a server's call object: both are logged and run their lines. `Begin_` signals, unless the row
//! holds the call object's ISynchronize back; `Finish_` waits for that.

use super::Player;
use oleander::windows_core::{GUID, HRESULT, Interface, Result};
use oleander::*;
use std::cell::Cell;

/// What a call object keeps.
pub struct Halves {
    player: Player,
    /// What `Begin_` was called with, until `Finish_` is.
    begun: Cell<Option<Option<u32>>>,
}

impl Halves {
    /// `CreateCall` of a server that has these twins: the halves of a new call object, or why there is none.
    pub fn asked(player: &Player, wanted: &GUID, twins: &[GUID]) -> std::result::Result<Self, HRESULT> {
        match player.method("CreateCall", None).hr() {
            S_OK if twins.contains(wanted) => Ok(Self { player: player.clone(), begun: Cell::new(None) }),
            S_OK => Err(E_NOINTERFACE),
            refused => Err(refused),
        }
    }

    /// `Begin_`.
    pub fn begin(&self, sync: Result<ISynchronize>, method: &str, argument: Option<u32>) -> HRESULT {
        if self.begun.get().is_some() {
            return RPC_S_CALLPENDING;
        }
        let Ok(sync) = sync else { return E_UNEXPECTED };
        let inside = self.player.method_of(method, argument, sync.as_raw());
        if inside.hr().is_err() {
            return inside.hr();
        }
        self.begun.set(Some(argument));
        if !inside.held {
            // SAFETY: a live object of this apartment.
            return unsafe { sync.Signal() };
        }
        S_OK
    }

    /// `Finish_`: what `Begin_` was called with, and the result.
    pub fn finish(&self, sync: Result<ISynchronize>, method: &str) -> (Option<u32>, HRESULT) {
        let Some(argument) = self.begun.take() else { return (None, RPC_E_CALL_COMPLETE) };
        let Ok(sync) = sync else { return (None, E_UNEXPECTED) };
        // SAFETY: a live object of this apartment.
        let waited = unsafe { sync.Wait(COWAIT_DEFAULT, INFINITE) };
        if waited != S_OK {
            return (None, waited);
        }
        (argument, self.player.method_of(method, argument, sync.as_raw()).hr())
    }
}
