//! From a blocking thread to the runtime and back.

use std::io;
use std::sync::mpsc::{Receiver, sync_channel};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// Work that goes on while its owner does something else. Dropped, it is given up.
///
/// Not `Handle::block_on`: that panics when the runtime is going down, and on the runtime's own threads.
pub(super) struct Pending<T> {
    answered: Receiver<T>,
    task: AbortHandle,
}

impl<T: Send + 'static> Pending<T> {
    pub(super) fn start(runtime: &Handle, work: impl Future<Output = T> + Send + 'static) -> Self {
        let (answer, answered) = sync_channel(1);
        let task = runtime.spawn(async move {
            // Nobody listens any more when it was given up.
            let _unheard = answer.send(work.await);
        });
        Self {
            answered,
            task: task.abort_handle(),
        }
    }

    /// Blocks until the work is done.
    pub(super) fn wait(self) -> io::Result<T> {
        self.answered
            .recv()
            .map_err(|_| io::Error::other("a request to the bucket was given up: the program is stopping"))
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
