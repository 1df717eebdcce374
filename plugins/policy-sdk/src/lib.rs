//! What a Rust update policy is written with.
//!
//! A policy is a type that implements [`Policy`] and is handed to [`export!`]. It gets a [`Situation`], plain data, and a
//! [`Calendar`]; so the same code runs in the host and in `cargo test`, with the calendars of [`testing`].
//!
//! - [`settings()`]: what the operator wrote, with errors that name the key.
//! - [`version`]: versions as vendors write them, compared.
//! - [`time`]: moments, days, and how to say them.
//!
//! A crate of its own, beside `budstikke-sdk`: bindings of two worlds in one module would make it import both.

pub mod bindings;
mod decision;
mod policy;
mod settings;
mod situation;
pub mod testing;
pub mod time;
pub mod version;

/// Makes a type that implements [`Policy`] the component's `policy` export:
/// `budstikke_policy_sdk::export!(MyPolicy with_types_in budstikke_policy_sdk::bindings);`
pub use bindings::export;

pub use bindings::budstikke::plugin::situation::{Attempt, Blocked, Cause, Choice, Civil, Decision, Outcome};
pub use policy::Policy;
pub use settings::settings;
pub use situation::{Candidate, EARLY_BIRD, LATEST, ON_DISK, Situation};
pub use time::Calendar;
