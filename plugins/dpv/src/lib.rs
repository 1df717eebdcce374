//! DPV: post to businesses and citizens in the inbox of Altinn (Correspondence), behind Digdir's proxy.
//!
//! - `settings`: what the operator can write.
//! - `correspondence`: the calls of the API; `wire`: its JSON.
//! - `message` reads what a fagsystem wrote, `content` makes the texts and files of a letter of it, `notification` what the receiver
//!   is told, `form` the request.
//! - `check` refuses what Altinn would refuse, before the message is accepted; `plain_text` and `files` are the rules.
//! - `send` brings a letter to Altinn once, `track` looks what became of it, `receipt` answers for a receiver who makes no receipts.
//! - `host` is what all of them ask of the outside; `live` is the real one.
//!
//! Spec: DPO and DPV, 4.

mod check;
mod content;
mod correspondence;
mod files;
mod form;
mod host;
mod identifier;
mod live;
mod message;
mod moment;
mod notification;
mod plain_text;
mod receipt;
mod send;
mod settings;
#[cfg(test)]
mod testing;
mod track;
mod wire;

use budstikke_sdk::{Adapter, Description, Draft, Failure, OutgoingMessage, Progress, Received, Sent, SentMessage};

pub use notification::Channel;
pub use settings::Settings;

/// The name of the one service that this adapter has.
pub(crate) const SERVICE: &str = "DPV";

/// The component.
pub struct Dpv;

impl Adapter for Dpv {
    fn describe() -> Result<Description, Failure> {
        Ok(Settings::load()?.description())
    }

    fn send(message: &OutgoingMessage) -> Result<Sent, Failure> {
        send::send(&live::Live, &Settings::load()?, message)
    }

    /// Nothing comes from this service.
    fn receive() -> Result<Received, Failure> {
        Ok(Received {
            handled: 0,
            problems: Vec::new(),
            more: false,
        })
    }

    fn track(messages: Vec<SentMessage>) -> Vec<Result<Progress, Failure>> {
        let left: Vec<_> = messages.iter().map(live::left).collect();
        track::track(&live::Live, Settings::load().map_err(Failure::from), &left)
    }

    fn check(draft: &Draft) -> Result<(), Failure> {
        check::check(&live::Live, &Settings::load()?, draft)
    }
}

// The names of a component's exports are none that a native linker takes.
#[cfg(target_family = "wasm")]
budstikke_sdk::export!(Dpv with_types_in budstikke_sdk::bindings);
