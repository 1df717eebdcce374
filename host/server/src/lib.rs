//! The integrasjonspunkt: one API through which a fagsystem sends and receives messages over any meldingstjeneste.
//!
//! A message's way out: [`api`] parses and checks it, [`registry`] says which services reach the receiver and [`routing`]
//! chooses one of them, the store
//! ([`budstikke_store`]) keeps it, [`delivery`] hands it to the service's adapter, which asks for what it needs through
//! [`abilities`]. The way in is the same, backwards: an adapter's `receive` hands messages to [`delivery`], the fagsystem
//! takes them from [`api`]. On both ways [`webhooks`] tells those who asked for it. [`front`] stands before the API: it asks who
//! calls, and limits what a caller may take.

pub mod abilities;
pub mod adapters;
pub mod api;
pub mod certificates;
pub mod cli;
pub mod config;
pub mod delivery;
pub mod fail_point;
pub mod front;
pub mod node;
pub mod pages;
pub mod presence;
pub mod registry;
pub mod routing;
pub mod sealed_sbd;
pub mod webhooks;
