//! Actors, asked by a thread that blocks. Their runtime has one worker thread, which is pinned as the server.

use super::by_hand::{Pointer, Request, answer};
use crate::Place;
use crate::operations::Contestant;
use kameo::actor::Spawn;
use std::convert::Infallible;
use std::hint::black_box;
use tokio::runtime::{Builder, Runtime};

fn runtime(place: Place) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).on_thread_start(move || place.pin_server());
    builder.enable_time().build().expect("a runtime")
}

struct Doubler;

impl kameo::Actor for Doubler {
    type Args = ();
    type Error = Infallible;

    async fn on_start((): (), _: kameo::actor::ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

struct Double(u32);

impl kameo::message::Message<Double> for Doubler {
    type Reply = u32;

    async fn handle(&mut self, Double(number): Double, _: &mut kameo::message::Context<Self, u32>) -> u32 {
        number * 2
    }
}

/// kameo's `ask`.
pub fn kameo(place: Place) -> Contestant {
    let runtime = runtime(place);
    let actor = {
        let _in = runtime.enter();
        Doubler::spawn(())
    };
    Contestant::new("kameo", 1, move || {
        let _ = &runtime;
        assert_eq!(actor.ask(Double(black_box(21))).blocking_send().expect("it answers"), 42);
    })
}

enum Asked {
    Double(u32, ractor::RpcReplyPort<u32>),
}

impl ractor::Actor for Doubler {
    type Msg = Asked;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ractor::ActorRef<Asked>, (): ()) -> Result<(), ractor::ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ractor::ActorRef<Asked>,
        Asked::Double(number, doubled): Asked,
        (): &mut (),
    ) -> Result<(), ractor::ActorProcessingErr> {
        doubled.send(number * 2)?;
        Ok(())
    }
}

/// ractor's `call`, which is its `ask`.
pub fn ractor(place: Place) -> Contestant {
    let runtime = runtime(place);
    let spawned = runtime.block_on(<Doubler as ractor::Actor>::spawn(None, Doubler, ()));
    let (actor, _) = spawned.expect("an actor");
    Contestant::new("ractor", 1, move || {
        let answer = runtime.block_on(actor.call(|doubled| Asked::Double(black_box(21), doubled), None));
        assert_eq!(answer.expect("it lives").expect("it answers"), 42);
    })
}

/// No actor: a function for rayon's pool of two threads, and a caller that parks.
pub fn rayon(place: Place) -> Contestant {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(2).start_handler(move |_| place.pin_server());
    let pool = builder.build().expect("a pool");
    Contestant::new("rayon", 1, move || {
        let request = Request::new(black_box(21));
        let pointer = Pointer(&request);
        pool.spawn(move || answer(&pointer));
        assert_eq!(request.wait(), 42);
    })
}
