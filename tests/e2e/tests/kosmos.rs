//! KOSMOS from outside: the real supervisor, real child processes, real HTTP, signatures made by GnuPG and python-tuf, a real mail server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "kosmos/commands.rs"]
mod commands;
#[path = "kosmos/gpg.rs"]
mod gpg;
#[path = "kosmos/kills.rs"]
mod kills;
#[path = "kosmos/life.rs"]
mod life;
#[path = "kosmos/metadata.rs"]
mod metadata;
#[path = "kosmos/own.rs"]
mod own;
#[path = "kosmos/publisher.rs"]
mod publisher;
#[path = "kosmos/scene.rs"]
mod scene;
#[path = "kosmos/signatures.rs"]
mod signatures;
#[path = "kosmos/vectors.rs"]
mod vectors;
