//! What can be asked for again: kept in `state`, and never in the way. What cannot be kept or read is told to the log.

use crate::log;
use crate::state;

/// A value that was remembered; none when there is none, or it cannot be read now. `context` is that of the lines in the log.
pub fn recall(context: &str, key: &str) -> Option<Vec<u8>> {
    state::get(key).unwrap_or_else(|failure| {
        log::warn(context, &format!("state `{key}` cannot be read: {}", failure.line()));
        None
    })
}

/// Remembers a value for `lifetime` seconds.
pub fn remember(context: &str, key: &str, value: &[u8], lifetime: u64) {
    if let Err(failure) = state::set(key, value, Some(lifetime)) {
        log::warn(context, &format!("state `{key}` cannot be kept: {}", failure.line()));
    }
}

/// Forgets a value.
pub fn forget(context: &str, key: &str) {
    if let Err(failure) = state::remove(key) {
        log::warn(context, &format!("state `{key}` cannot be removed: {}", failure.line()));
    }
}
