//! What a Rust adapter is written with.
//!
//! An adapter is a struct that implements [`Adapter`] and is handed to [`export!`]. Everything else here makes that
//! shorter: [`http`] streams documents to and from a service without their bytes passing through the adapter,
//! [`Failure`] says what can be tried again, [`settings`] reads the operator's TOML with errors that name the key.
//!
//! [`arkivmelding`] reads and writes `arkivmelding.xml`, [`cache`] keeps what can be asked for again, [`privacy`] hides persons.
//!
//! The parts without host calls ([`http::classify`], [`settings::Settings`], [`Failure`]) run natively, so that an
//! adapter's logic can be tested with `cargo test`. Calling the host natively panics: keep host calls behind a trait.

pub mod arkivmelding;
pub mod bindings;
pub mod cache;
pub mod clock;
mod copy;
mod failure;
pub mod http;
pub mod log;
pub mod privacy;
pub mod random;
pub mod settings;

/// Makes a type that implements [`Adapter`] the component's `messaging` export:
/// `budstikke_sdk::export!(MyAdapter with_types_in budstikke_sdk::bindings);`
pub use bindings::export;

pub use copy::copy;

pub use bindings::budstikke::plugin::documents::{Document, Spool};
pub use bindings::budstikke::plugin::exchange::{self, Delivery, Draft, OutgoingMessage, SentMessage};
pub use bindings::budstikke::plugin::packaging::{self, SealScheme};
pub use bindings::budstikke::plugin::types::{Failure, Pair, PermanentFailure, StatusReport, TemporaryFailure};
pub use bindings::budstikke::plugin::{identity, queue_key, registry, state};
pub use bindings::exports::budstikke::plugin::messaging::{
    Description, Guest as Adapter, Progress, Received, Sent, Service, ServiceRule,
};
