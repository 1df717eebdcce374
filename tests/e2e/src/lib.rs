//! The whole program from outside, as a fagsystem and an operator see it: real processes, real HTTP, real files.
//!
//! [`World`] is Altinn's stand-ins and a few organisations; [`Installation`] one running integrasjonspunkt;
//! [`Fagsystem`] its client; [`Subscriber`] is told what happens there.
#![forbid(unsafe_code)]

mod fagsystem;
mod installation;
mod letter;
mod pair;
mod programs;
mod subscriber;
mod together;
mod world;

pub use fagsystem::{Answer, Fagsystem, File, message_id};
pub use installation::Installation;
pub use letter::{AT_RECEIVER, AT_SENDER, Letter, PATIENCE, Reader, SEVERAL_POLLS, nothing_more_comes};
pub use pair::Pair;
pub use programs::{Profile, Programs, newer_build, python};
pub use subscriber::Subscriber;
pub use together::together;
pub use world::{Organisation, World};
