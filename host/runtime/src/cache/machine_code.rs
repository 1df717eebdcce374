//! The one `unsafe` of the host.

use std::path::Path;

use wasmtime::component::Component;

use crate::engine::Engine;

/// Maps compiled code that the cache has just checked.
///
/// The file stays mapped for as long as the component lives, so it must never be written to: the cache only ever
/// replaces files by renaming.
pub(super) fn map(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the bytes were written by this installation's own compiler: the caller has checked the MAC over them, and
    // the directory is writable for nobody else. wasmtime checks version and settings itself.
    unsafe { Component::deserialize_file(&engine.wasm, file) }
}
