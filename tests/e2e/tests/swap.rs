//! Components come, go and misbehave while messages flow.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "swap/files.rs"]
mod files;
#[path = "swap/hostile.rs"]
mod hostile;
