//! Places where tests stop the supervisor, to kill it there. Off in release builds.
//!
//! With `BUDSTIKKE_FAIL_POINT=<name>` and `BUDSTIKKE_FAIL_FILE=<path>` in the environment, whoever reaches the place writes its name to
//! the file and stands still; whoever watches the file then kills the process.

/// The places, in the order in which an update passes them; the last ones are those of going back.
pub const NAMES: &[&str] = &[
    "decided",
    "fetched",
    "verified",
    "stopping",
    "stopped",
    "backed-up",
    "before-spawn",
    "after-spawn",
    "spawn-noted",
    "ready",
    "soaking",
    "committed",
    "going-back",
    "gone-back",
];

/// Marks a place.
#[inline]
pub fn reached(name: &str) {
    #[cfg(debug_assertions)]
    {
        debug_assert!(NAMES.contains(&name), "{name} is not in the list of fail points");
        if std::env::var("BUDSTIKKE_FAIL_POINT").is_ok_and(|wanted| wanted == name) {
            if let Ok(path) = std::env::var("BUDSTIKKE_FAIL_FILE")
                && let Err(error) = std::fs::write(&path, name)
            {
                tracing::error!(%error, path, "the fail point's file cannot be written");
            }
            loop {
                std::thread::park();
            }
        }
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
