//! The address service: for a receiver and a process, which service, which document types, which certificate.
//!
//! [`model`] is what goes over the wire; [`registers`] are the outside registers, one trait each; [`data`] is what the address
//! service keeps itself, and [`store`] keeps it; [`rules`] decide; [`lookup`] brings them together; [`api`] is what clients and
//! operators call. Spec: service registry.
#![forbid(unsafe_code)]

pub mod api;
pub mod caller;
pub mod config;
pub mod data;
pub mod lookup;
pub mod model;
mod place;
pub mod registers;
pub mod rules;
pub mod store;
