//! Every reader of foreign bytes, with what must hold for any input.
//!
//! A target is a function that takes bytes and panics when something does not hold: what is written must be read back the
//! same, what is accepted must be accepted again, limits must hold. [`Target::run`] also bounds the memory that a target takes.
//! `cargo xtask fuzz` runs the targets under libFuzzer; `tests/seeds.rs` runs the seeds in every test run.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a target tells what does not hold by panicking"
)]

mod bytes;
mod target;
mod targets;

pub use target::{MEMORY, Target};
pub use targets::TARGETS;
