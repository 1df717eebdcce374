//! Lines in the host's log, with the adapter's name added by the host. Never a token, a person number or message content.

use crate::bindings::wasi::logging::logging::{self, Level};

/// For those who look for a fault in the adapter.
pub fn debug(context: &str, message: &str) {
    logging::log(Level::Debug, context, message);
}

/// What an operator may want to know afterwards.
pub fn info(context: &str, message: &str) {
    logging::log(Level::Info, context, message);
}

/// Something is odd, and the adapter goes on.
pub fn warn(context: &str, message: &str) {
    logging::log(Level::Warn, context, message);
}

/// Something failed for good.
pub fn error(context: &str, message: &str) {
    logging::log(Level::Error, context, message);
}
