//! Scenes that mostly wait, played at the same time.

use std::fmt::Write as _;

use anyhow::bail;
use futures::future::join_all;

/// Plays all of them to their end. The error names those that failed, each with its own error.
pub async fn together<S>(scenes: impl IntoIterator<Item = (String, S)>) -> anyhow::Result<()>
where
    S: Future<Output = anyhow::Result<()>>,
{
    let played = scenes
        .into_iter()
        .map(async |(name, scene): (String, S)| (name, scene.await));
    let mut failed = String::new();
    for (name, result) in join_all(played).await {
        match result {
            Ok(()) => println!("{name}: ok"),
            Err(error) => drop(write!(failed, "\n=== {name}: {error:?}\n")),
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("{failed}")
}
