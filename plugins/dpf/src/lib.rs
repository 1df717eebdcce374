//! DPF: messages to municipalities over KS SvarUt, and from them over KS SvarInn.
//!
//! - `settings`: what the operator can write.
//! - `check` looks at a message before it is accepted, `send` sends it, `track` asks what became of many.
//! - `forsendelse` is a message as SvarUt is to have it; `svarut` is SvarUt, whichever way it is spoken to: `rest` and `rest_body`, or
//!   `soap`, `soap_body`, `soap_answer` and `fault`.
//! - `receive` fetches what waits; `svarinn` has its calls and its JSON, `incoming` makes a message of a forsendelse, `file_names`
//!   what its files are called.
//! - `sbd`, `codes`, `oslo`, `id`: SBDs, codes, dates and identifiers.
//! - `host` is what all of them ask of the outside; `live` is the real one.
//!
//! Spec: DPF and DPFIO, 1 to 9.

mod check;
mod codes;
mod fault;
mod file_names;
mod forsendelse;
mod host;
mod id;
mod incoming;
mod live;
mod oslo;
mod receive;
mod rest;
mod rest_body;
mod sbd;
mod send;
mod settings;
mod soap;
mod soap_answer;
mod soap_body;
mod svarinn;
mod svarut;
#[cfg(test)]
mod testing;
mod track;

use budstikke_sdk::{Adapter, Description, Draft, Failure, OutgoingMessage, Progress, Received, Sent, SentMessage};

pub use settings::{Account, Incoming, Login, Outgoing, Protocol, Seal, Settings};

/// The name of the one service that this adapter has.
pub(crate) const SERVICE: &str = "DPF";

/// The component.
pub struct Dpf;

impl Adapter for Dpf {
    fn describe() -> Result<Description, Failure> {
        Ok(Settings::load()?.description())
    }

    fn send(message: &OutgoingMessage) -> Result<Sent, Failure> {
        send::send(&live::Live, &Settings::load()?, message)
    }

    fn receive() -> Result<Received, Failure> {
        Ok(receive::receive(&live::Live, &Settings::load()?))
    }

    fn track(messages: Vec<SentMessage>) -> Vec<Result<Progress, Failure>> {
        let left: Vec<_> = messages.iter().map(live::left).collect();
        match Settings::load() {
            Ok(settings) => track::track(&live::Live, &settings, &left),
            Err(error) => left.iter().map(|_| Err(error.clone().into())).collect(),
        }
    }

    fn check(draft: &Draft) -> Result<(), Failure> {
        check::check(&live::Live, &Settings::load()?, &live::draft(draft)?)
    }
}

// The names of a component's exports are none that a native linker takes.
#[cfg(target_family = "wasm")]
budstikke_sdk::export!(Dpf with_types_in budstikke_sdk::bindings);
