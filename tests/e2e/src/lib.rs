//! The whole program from outside, as a fagsystem and an operator see it: real processes, real HTTP, real files.
//!
//! [`World`] is Altinn's stand-ins and a few organisations; [`Installation`] one running integrasjonspunkt;
//! [`Fagsystem`] its client; [`AddressService`] what it asks for receivers; [`Subscriber`] is told what happens there. [`Cluster`] is several nodes on one
//! [`SharedStore`], and [`Traffic`] the messages that must survive whatever happens to all these.
//! Processes end with the test process, also when that is killed.
#![forbid(unsafe_code)]

mod address_service;
mod cluster;
mod fagsystem;
mod fail_points;
mod guard;
mod installation;
mod letter;
mod pair;
mod process;
mod programs;
mod services;
mod shared_store;
mod subscriber;
mod together;
mod traffic;
mod vendor;
mod world;

pub use address_service::{AddressService, organisations, register_but, register_everybody};
pub use cluster::{Cluster, Clusters, Member};
pub use fagsystem::{Answer, Fagsystem, File, is_passing, message_id};
pub use fail_points::fail_points;
pub use installation::Installation;
pub use letter::{AT_RECEIVER, AT_SENDER, Letter, PATIENCE, Reader, SEVERAL_POLLS, nothing_more_comes};
pub use pair::Pair;
pub use programs::{Profile, Programs, component, newer_build, python, target};
pub use shared_store::SharedStore;
pub use subscriber::Subscriber;
pub use together::together;
pub use traffic::{Chance, Counts, Ledger, Side, Traffic, Way, Wrong};
pub use vendor::Vendor;
pub use world::{Organisation, World};
