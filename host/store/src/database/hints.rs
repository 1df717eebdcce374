//! Hears from other nodes that there is work. Nothing depends on it: everybody looks again and again anyway.

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use super::DatabaseError;
use super::postgres::WORK;

/// An ear at the database.
pub struct Hints(PgListener);

impl Hints {
    pub(crate) async fn of(options: PgConnectOptions) -> Result<Self, DatabaseError> {
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(WORK).await?;
        Ok(Self(listener))
    }

    /// Waits for the next hint. An error: the connection is gone, and hints may have been missed.
    pub async fn next(&mut self) -> Result<(), DatabaseError> {
        Ok(self.0.recv().await.map(drop)?)
    }
}
