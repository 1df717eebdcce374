//! Altinn and Maskinporten misbehave in every way that the stand-ins know. A message arrives once in the end, or fails
//! with a reason where trying again would not help.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "faults/broken_packages.rs"]
mod broken_packages;
#[path = "faults/final_ones.rs"]
mod final_ones;
#[path = "faults/passing.rs"]
mod passing;
