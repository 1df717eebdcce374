//! The doubles as a client over HTTP meets them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod broker;
mod caller;
mod correspondence;
mod faults;
mod identities;
mod ks;
mod maskinporten;
mod program;
mod registers;
mod uploads;
