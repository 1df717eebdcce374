//! Nodes on a database server and a bucket: either may go away, and so may a node. Nothing is lost, nothing comes twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "nodes/beneath.rs"]
mod beneath;
#[path = "nodes/several.rs"]
mod several;
