//! What an installation keeps its messages on.

use std::path::Path;
use std::sync::Arc;

use budstikke_e2e::Installation;
use budstikke_store::Place;
use budstikke_test_postgres::{Database, Durability, Server};
use clap::ValueEnum;

use crate::figure::Figure;

/// What kinds there are.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// SQLite, as installed.
    Sqlite,
    /// PostgreSQL with every commit on disk, as installed.
    Postgres,
}

/// Measures the same on each kind.
pub(crate) async fn on_each(
    kinds: &[Kind],
    measure: impl AsyncFn(&Ground) -> anyhow::Result<Vec<Figure>>,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in kinds {
        figures.extend(measure(&Ground::new(*kind).await?).await?);
    }
    Ok(figures)
}

/// One that is there.
pub(crate) enum Ground {
    /// A file in the folder of whoever uses it.
    File,
    /// A server.
    Postgres {
        /// Of the installation.
        database: Arc<Database>,
        /// Goes with the value.
        _server: Server,
    },
}

impl Ground {
    /// Empty. A server is one of its own, on this machine.
    pub(crate) async fn new(kind: Kind) -> anyhow::Result<Self> {
        if kind == Kind::Sqlite {
            return Ok(Self::File);
        }
        let started = tokio::task::spawn_blocking(|| {
            let server = Server::start(Durability::Full)?;
            let database = Arc::new(server.database()?);
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

    /// Where a store is that needs no installation.
    pub(crate) fn place(&self, folder: &Path) -> Place {
        match self {
            Self::File => Place::File(folder.join("budstikke.db")),
            Self::Postgres { database, .. } => Place::Server {
                url: database.url().to_owned(),
                writers: 4,
            },
        }
    }

    /// Bytes in SQL, from hexadecimal.
    pub(crate) fn bytes(&self, hex: &str) -> String {
        match self {
            Self::File => format!("X'{hex}'"),
            Self::Postgres { .. } => format!("'\\x{hex}'::bytea"),
        }
    }

    /// What such a database does by itself some time after many rows came.
    pub(crate) fn settled(&self) -> &'static str {
        match self {
            Self::File => "ANALYZE",
            Self::Postgres { .. } => "VACUUM ANALYZE",
        }
    }

    /// Runs SQL in that store.
    pub(crate) async fn run_sql(&self, folder: &Path, sql: String) -> anyhow::Result<()> {
        match self {
            Self::File => {
                let file = folder.join("budstikke.db");
                let run = move || rusqlite::Connection::open(file)?.execute_batch(&sql);
                tokio::task::spawn_blocking(run).await??;
            }
            Self::Postgres { database, .. } => {
                let database = Arc::clone(database);
                tokio::task::spawn_blocking(move || database.psql(&sql)).await??;
            }
        }
        Ok(())
    }
}
