//! The store's key in the database, where every node finds it.

use budstikke_message::keystore::Identity;

use crate::database::params;
use crate::files::{KeyError, StoreKey};
use crate::{Store, StoreError};

/// Why the store's key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    /// The database does not give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be made or opened.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Store {
    /// The store's key, sealed to the organisation; made when there is none. When it was sealed to one of the `former` keys of the
    /// organisation, it is sealed to the present one from now on.
    pub async fn key(&self, owner: &Identity, former: &[Identity]) -> Result<StoreKey, NoKey> {
        let sealed = match self.sealed_key().await? {
            Some(sealed) => sealed,
            None => self.put_key(StoreKey::generate()?.seal_to(owner)?).await?,
        };
        let error = match StoreKey::open(&sealed, owner) {
            Ok(key) => return Ok(key),
            Err(error) => error,
        };
        for older in former {
            if let Ok(key) = StoreKey::open(&sealed, older) {
                let resealed = key.seal_to(owner)?;
                self.write(move |connection| {
                    connection.execute("UPDATE store_key SET sealed = ?1", params![resealed])?;
                    Ok(())
                })
                .await?;
                tracing::info!("the store key is sealed to the organisation's new key from now on");
                return Ok(key);
            }
        }
        Err(error.into())
    }

    /// As it stands in the database.
    pub async fn sealed_key(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| Ok(connection.maybe("SELECT sealed FROM store_key", &[], |row| row.get(0))?))
            .await
    }

    /// Puts a key there, unless another node was first; returns the one that is there.
    async fn put_key(&self, sealed: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        self.write(move |connection| {
            connection.execute(
                "INSERT INTO store_key (id, sealed) VALUES (1, ?1) ON CONFLICT DO NOTHING",
                params![sealed],
            )?;
            Ok(connection.one("SELECT sealed FROM store_key", &[], |row| row.get(0))?)
        })
        .await
    }
}
