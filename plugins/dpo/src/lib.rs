//! DPO: messages between public bodies over Altinn Formidling (the Broker API of Altinn 3).
//!
//! - `settings`: what the operator can write.
//! - `broker`: the calls of the Broker API; `wire`: its JSON.
//! - `send` packs a message, `transfer` brings the package to Altinn once, `track` looks what became of it.
//! - `inbox` finds what waits, `receive` hands it over.
//! - `channel` and `sbd`: the rules for message channels, and the two edits that an SBD may need on its way out.
//! - `host` is what all of them ask of the outside; `live` is the real one.
//!
//! Spec: DPO and DPV, 2.

mod broker;
mod channel;
mod host;
mod inbox;
mod live;
mod moment;
mod receive;
mod sbd;
mod send;
mod settings;
#[cfg(test)]
mod testing;
mod track;
mod transfer;
mod wire;

use budstikke_sdk::{Adapter, Description, Draft, Failure, OutgoingMessage, Progress, Received, Sent, SentMessage};

pub use channel::Channel;
pub use settings::Settings;

/// The name of the one service that this adapter has.
pub(crate) const SERVICE: &str = "DPO";

/// The component.
pub struct Dpo;

impl Adapter for Dpo {
    fn describe() -> Result<Description, Failure> {
        Ok(Settings::load()?.description())
    }

    fn send(message: &OutgoingMessage) -> Result<Sent, Failure> {
        send::send(&live::Live, &Settings::load()?, message)
    }

    fn receive() -> Result<Received, Failure> {
        receive::receive(&live::Live, &Settings::load()?)
    }

    fn track(messages: Vec<SentMessage>) -> Vec<Result<Progress, Failure>> {
        let left: Vec<_> = messages.iter().map(live::left).collect();
        track::track(&live::Live, Settings::load().map_err(Failure::from), &left)
    }

    /// Nobody asks: the service has no rule that says so.
    fn check(_draft: &Draft) -> Result<(), Failure> {
        Ok(())
    }
}

// The names of a component's exports are none that a native linker takes.
#[cfg(target_family = "wasm")]
budstikke_sdk::export!(Dpo with_types_in budstikke_sdk::bindings);
