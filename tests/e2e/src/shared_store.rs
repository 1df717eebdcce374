//! A database and a bucket that several nodes share.

use std::fmt::Write as _;

use anyhow::Context as _;
use budstikke_test_bucket::Bucket;
use budstikke_test_line::Line;
use budstikke_test_postgres::{Database, Server};

/// Both go away with the value.
pub struct SharedStore {
    /// The database.
    pub database: Database,
    /// The bucket.
    pub bucket: Bucket,
    /// The server of the database.
    pub server: Server,
}

impl SharedStore {
    /// Empty ones.
    pub async fn new(server: &Server) -> anyhow::Result<Self> {
        let server = server.clone();
        tokio::task::spawn_blocking(move || {
            Ok(Self {
                database: server.database()?,
                bucket: Bucket::start()?,
                server,
            })
        })
        .await?
    }

    /// A line to the server, and the address of the database through it.
    pub fn line(&self) -> anyhow::Result<(Line, String)> {
        let line = Line::to(self.server.address().context("a server of our own")?)?;
        let url = self.database.url_through(line.address())?;
        Ok((line, url))
    }

    /// The beginning of a node's `[store]`, whose rest is its folder, with the tables that belong to it before it.
    pub(crate) fn section(&self, node: &str, url: &str) -> String {
        let bucket = &self.bucket;
        let mut text = format!("[store.postgres]\nurl = \"{url}\"\n\n[store.bucket]\n");
        for (key, value) in [
            ("name", &bucket.name),
            ("endpoint", &bucket.endpoint),
            ("access-key", &bucket.access_key),
            ("secret", &bucket.secret),
        ] {
            let _written = writeln!(text, "{key} = \"{value}\"");
        }
        text + &format!("path-style = true\nallow-http = true\n\n[store]\nnode = \"{node}\"\n")
    }
}
