//! The clients of the outside registers, against stand-ins over real HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, missing_docs, reason = "a test program has no outside")]

mod brreg;
mod caches;
mod elma;
mod faults;
mod fiks;
mod freg;
mod krr;
mod nhn;
mod settings;
mod svarut;
mod virksert;
mod world;
