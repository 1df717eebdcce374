//! The targets, in the order in which they are run.

mod arkivmelding;
mod asic;
mod configuration;
mod container;
mod dates;
mod disposition;
mod envelope;
mod form;
mod identifiers;
mod identity;
mod keystore;
mod query;
mod sbd;
mod signature;
mod zip;

use crate::Target;

const fn target(name: &'static str, check: fn(&[u8]), memory_kib: usize, memory_per_byte: usize) -> Target {
    Target {
        name,
        check,
        memory_kib,
        memory_per_byte,
    }
}

/// Name, check, memory in KiB, and in bytes for each byte of input.
#[rustfmt::skip]
pub const TARGETS: [Target; 14] = [
    target("sbd",           sbd::check,           1024, 1024),
    target("arkivmelding",  arkivmelding::check,  1024,  256),
    target("form",          form::check,          1024,   64),
    target("disposition",   disposition::check,   1024,   64),
    target("query",         query::check,         1024,  128),
    target("dates",         dates::check,         1024,   16),
    target("identifiers",   identifiers::check,   1024,   64),
    target("configuration", configuration::check, 1024, 4096),
    target("zip",           zip::check,           2048,  128),
    target("asic",          asic::check,         32768,   64),
    target("container",     container::check,     2048,  128),
    target("envelope",      envelope::check,      2048,   32),
    target("signature",     signature::check,     1024,   64),
    target("keystore",      keystore::check,      2048,   64),
];
