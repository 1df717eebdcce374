//! The sandbox as the server sees it: real components, an in-memory house, a real network on the loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod calls;
mod fixture;
mod folder;
mod house;
mod limits;
mod loading;
mod network;
mod restarts;
mod service;
