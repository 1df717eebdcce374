//! The configuration file: the example shows all of it, and what is wrong with one is said by file, line and key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod check;
mod coverage;
mod embedded;
mod example;
mod installation;
mod problems;
mod registry_example;
