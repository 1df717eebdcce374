//! SIGKILL at every place that matters, and at places that nobody chose. Nothing is lost, nothing comes twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "kills/anywhere.rs"]
mod anywhere;
#[path = "kills/points.rs"]
mod points;
#[path = "kills/services.rs"]
mod services;
#[path = "kills/told.rs"]
mod told;
