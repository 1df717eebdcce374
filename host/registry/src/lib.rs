//! The address service: for a receiver and a process, which service, which document types, which certificate.
//!
//! [`model`] is what goes over the wire; [`registers`] are the outside registers, one trait each; [`data`] is what the address
//! service keeps itself, [`store`] keeps it; [`api`] is what clients and operators call. Spec: service registry.
#![forbid(unsafe_code)]

pub mod api;
pub mod caller;
pub mod config;
pub mod data;
pub mod model;
pub mod registers;
pub mod store;
