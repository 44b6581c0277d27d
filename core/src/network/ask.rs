//! Work that the machinery has done in an apartment of another process: queries, the consequences of counting.
//!
//! The work is made of plain data on both ends. The one who hears of the end is in a slot from which the answer or the
//! failure takes him, whoever comes first.

use super::{Fate, Parcel, Waiting};
use crate::abi::hresult::{RPC_S_CALL_FAILED_HR, RPC_S_SERVER_UNAVAILABLE_HR, RPC_S_UNKNOWN_IF_HR};
use crate::apartment::{Apartment, post_here};
use crate::platform::ObjectKind;
use crate::process::Process;
use parking_lot::Mutex;
use std::sync::Arc;
use windows_core::HRESULT;

/// What a question and its answer are on the wire, about.
const LEN: usize = 64;

/// Has `job` run in an apartment of another process, and `then` hear of its end, on whatever thread: the result, or why there
/// is none. Waits for nothing. Gives `then` back when the process cannot be reached.
pub(crate) fn ask<R, T>(
    there: &Arc<Apartment>,
    job: impl FnOnce() -> R + Send + 'static,
    then: T,
) -> Result<(), (HRESULT, T)>
where
    R: Send + 'static,
    T: FnOnce(Result<R, HRESULT>) + Send + 'static,
{
    let client = Process::current();
    let Some(server) = there.process.upgrade() else { return Err((RPC_S_SERVER_UNAVAILABLE_HR, then)) };
    let wire = match client.reach(&server) {
        Ok(wire) => wire,
        Err(hr) => return Err((hr, then)),
    };
    let number = client.new_object(ObjectKind::Call).id;
    let slot = Arc::new(Mutex::new(Some(then)));
    let tell = move |slot: &Mutex<Option<T>>, result| {
        let then = slot.lock().take();
        if let Some(then) = then {
            then(result);
        }
    };
    let failing = slot.clone();
    client.peers.expect(number, server.id(), Waiting::Ask(Box::new(move |hr| tell(&failing, Err(hr)))));
    let (there, asking, answering) = (there.clone(), client.clone(), server.clone());
    let parcel = Parcel::new(LEN, move |fate| {
        if fate == Fate::Lost {
            return fail(&asking, number, RPC_S_CALL_FAILED_HR);
        }
        let answer = move |result: Result<R, HRESULT>| {
            let Ok(wire) = answering.reach(&asking) else { return };
            let client = asking.clone();
            let back = Parcel::new(LEN, move |fate| match fate {
                Fate::Lost => fail(&client, number, RPC_S_CALL_FAILED_HR),
                Fate::Arrived => {
                    if client.peers.take(number).is_some() {
                        tell(&slot, result);
                    }
                }
            });
            wire.carry(&answering, &asking, back);
        };
        if let Err(answer) = post_here(&there, job, answer) {
            answer(Err(RPC_S_UNKNOWN_IF_HR));
        }
    });
    wire.carry(&client, &server, parcel);
    Ok(())
}

/// Whoever waits for this answer gets a failure.
fn fail(client: &Arc<Process>, number: u64, hr: HRESULT) {
    if let Some(waiting) = client.peers.take(number) {
        waiting.fail(client, hr);
    }
}
