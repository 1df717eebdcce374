//! `wasi:logging`, and what a guest prints: lines in our log, labelled with the adapter, within a budget per call.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use crate::bindings::wasi::logging::logging::{self, Level};
use crate::call_state::CallState;
use crate::host::cut;
use crate::limits::Limits;

/// Bytes of one line.
const LINE: usize = 4 << 10;

/// The log of one call.
pub(crate) struct CallLog {
    plugin: Arc<str>,
    bytes_left: usize,
    lines_left: usize,
    dropped: u64,
}

/// A log that the guest's `stdout` and `wasi:logging` share.
pub(crate) type SharedLog = Arc<Mutex<CallLog>>;

impl CallLog {
    pub(crate) fn new(plugin: Arc<str>, limits: &Limits) -> Self {
        Self {
            plugin,
            bytes_left: limits.log_bytes_per_call,
            lines_left: limits.log_lines_per_call,
            dropped: 0,
        }
    }

    /// Lines that were not written because the call's budget was used up.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Writes one line, if there is budget left. Control characters become spaces: a guest cannot forge lines.
    pub(crate) fn write(&mut self, level: Level, context: &str, message: &str) {
        let size = context.len().saturating_add(message.len()).max(1);
        if self.lines_left == 0 || self.bytes_left < size.min(LINE) {
            if self.dropped == 0 {
                tracing::warn!(
                    plugin = &*self.plugin,
                    "the log budget of this call is used up, the rest is dropped"
                );
            }
            self.dropped += 1;
            return;
        }
        self.lines_left -= 1;
        self.bytes_left = self.bytes_left.saturating_sub(size.min(LINE));
        let (context, message) = (tidy(context, 200), tidy(message, LINE));
        let plugin = &*self.plugin;
        match level {
            Level::Trace => tracing::trace!(target: "plugin", plugin, context, "{message}"),
            Level::Debug => tracing::debug!(target: "plugin", plugin, context, "{message}"),
            Level::Info => tracing::info!(target: "plugin", plugin, context, "{message}"),
            Level::Warn => tracing::warn!(target: "plugin", plugin, context, "{message}"),
            Level::Error | Level::Critical => tracing::error!(target: "plugin", plugin, context, "{message}"),
        }
    }
}

fn tidy(text: &str, limit: usize) -> String {
    let short = &text[..text.floor_char_boundary(limit)];
    short.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl logging::Host for CallState {
    fn log(&mut self, level: Level, context: String, message: String) -> wasmtime::Result<()> {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(level, &context, &message);
        Ok(())
    }
}

/// A guest's `stdout` or `stderr`: whole lines go to the log.
pub(crate) struct Printed {
    log: SharedLog,
    level: Level,
    context: &'static str,
    line: Arc<Mutex<Vec<u8>>>,
}

impl Printed {
    pub(crate) fn stdout(log: SharedLog) -> Self {
        Self {
            log,
            level: Level::Info,
            context: "stdout",
            line: Arc::default(),
        }
    }

    pub(crate) fn stderr(log: SharedLog) -> Self {
        Self {
            log,
            level: Level::Warn,
            context: "stderr",
            line: Arc::default(),
        }
    }

    fn print(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if *byte == b'\n' || line.len() >= LINE {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
                log.write(self.level, self.context, &cut(text, LINE));
            }
            if *byte != b'\n' {
                line.push(*byte);
            }
        }
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Self {
            log: self.log.clone(),
            level: self.level,
            context: self.context,
            line: self.line.clone(),
        })
    }
}

impl AsyncWrite for Printed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(limits: &Limits) -> CallLog {
        CallLog::new("dpo".into(), limits)
    }

    #[test]
    fn lines_over_the_budget_are_dropped_and_counted() {
        let mut log = log(&Limits {
            log_lines_per_call: 2,
            ..Limits::default()
        });
        for _ in 0..5 {
            log.write(Level::Info, "", "line");
        }
        assert_eq!(log.dropped(), 3);
    }

    #[test]
    fn bytes_over_the_budget_are_dropped_and_counted() {
        let mut log = log(&Limits {
            log_bytes_per_call: 100,
            ..Limits::default()
        });
        log.write(Level::Info, "", &"x".repeat(90));
        log.write(Level::Info, "", &"x".repeat(20));
        assert_eq!(log.dropped(), 1);
    }

    #[test]
    fn a_guest_cannot_forge_a_line() {
        assert_eq!(
            tidy("harmless\nERROR the house burns\u{1b}[0m", 100),
            "harmless ERROR the house burns [0m"
        );
    }

    #[test]
    fn what_is_printed_is_logged_line_by_line() {
        let shared: SharedLog = Arc::new(Mutex::new(log(&Limits {
            log_lines_per_call: 1,
            ..Limits::default()
        })));
        let out = Printed::stdout(shared.clone());
        out.print(b"half ");
        out.print(b"line\nsecond\n");
        assert_eq!(shared.lock().unwrap().dropped(), 1);
    }
}
