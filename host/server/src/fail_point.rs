//! Places where tests stop the process, to kill it there. Off in release builds.
//!
//! With `BUDSTIKKE_FAIL_POINT=<name>` and `BUDSTIKKE_FAIL_FILE=<path>` in the environment, the first thread that reaches the
//! place writes its name to the file and stands still; whoever watches the file then kills the process.

/// The places in the road out and the road in, in the order a message passes them.
pub const NAMES: &[&str] = &[
    "create.before-commit",
    "create.after-commit",
    "upload.before-commit",
    "upload.after-commit",
    "queue.after-commit",
    "send.after-claim",
    "send.after-keep",
    "send.after-checkpoint",
    "send.before-finish",
    "send.after-finish",
    "receive.before-deliver",
    "receive.after-package",
    "receive.after-commit",
    "take.before-commit",
    "take.after-commit",
    "webhook.after-post",
];

/// Marks a place.
#[inline]
pub fn reached(name: &str) {
    #[cfg(debug_assertions)]
    {
        debug_assert!(NAMES.contains(&name), "{name} is not in the list of fail points");
        if std::env::var("BUDSTIKKE_FAIL_POINT").is_ok_and(|wanted| wanted == name) {
            stand_still(name);
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
fn stand_still(name: &str) {
    if let Ok(path) = std::env::var("BUDSTIKKE_FAIL_FILE")
        && let Err(error) = std::fs::write(&path, name)
    {
        tracing::error!(%error, path, "the fail point's file cannot be written");
    }
    loop {
        std::thread::park();
    }
}
