//! What an installation keeps its messages on.

use budstikke_e2e::Installation;
use budstikke_test_postgres::{Database, Durability, Server};

/// See the module.
pub(crate) enum Ground {
    /// SQLite, as installed.
    File,
    /// PostgreSQL with every commit on disk, as installed.
    Postgres {
        /// Of the installation.
        database: Database,
        /// Goes with the value.
        _server: Server,
    },
}

impl Ground {
    /// A server of its own, on this machine.
    pub(crate) async fn postgres() -> anyhow::Result<Self> {
        let started = tokio::task::spawn_blocking(|| {
            let server = Server::start(Durability::Full)?;
            let database = server.database()?;
            Ok::<_, budstikke_test_postgres::Error>(Self::Postgres {
                database,
                _server: server,
            })
        });
        Ok(started.await??)
    }

    /// For the names of figures.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::File => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }

    /// Before its start: puts the installation on this ground.
    pub(crate) fn lay(&self, installation: &Installation) -> anyhow::Result<()> {
        let Self::Postgres { database, .. } = self else {
            return Ok(());
        };
        installation.edit(|text| format!("{text}\n[store.postgres]\nurl = \"{}\"\n", database.url()))
    }
}
