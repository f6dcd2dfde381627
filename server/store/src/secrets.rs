//! Sealed secrets. The store sees ciphertext only; `app::seal` has the key.

use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const PUT: &str = "INSERT INTO secrets (owner, purpose, key_id, sealed) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (owner, purpose) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed";
const FIND: &str = "SELECT owner, purpose, key_id, sealed FROM secrets WHERE owner = $1 AND purpose = $2";
const ALL: &str = "SELECT owner, purpose, key_id, sealed FROM secrets ORDER BY owner, purpose";
const DELETE_ONE: &str = "DELETE FROM secrets WHERE owner = $1 AND purpose = $2";
const DELETE: &str = "DELETE FROM secrets WHERE owner = $1";

/// One sealed secret.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SecretRow {
    /// The row it belongs to, e.g. a cluster's id.
    pub owner: Uuid,
    /// What it is for, e.g. `pve_token`.
    pub purpose: String,
    /// The key it is sealed under.
    pub key_id: String,
    /// Nonce, ciphertext and tag.
    pub sealed: Vec<u8>,
}

impl Tx {
    /// Stores a secret in place of the owner's earlier one for the same purpose.
    pub async fn put_secret(&mut self, secret: &SecretRow) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(PUT)
            .bind(secret.owner)
            .bind(&secret.purpose)
            .bind(&secret.key_id)
            .bind(&secret.sealed)
            .execute(conn)
            .await
            .map(drop))
        .during("store a secret")
    }

    /// The owner's secret for that purpose.
    pub async fn secret(&mut self, owner: Uuid, purpose: &str) -> Result<Option<SecretRow>, StoreError> {
        on!(self, conn => sqlx::query_as(FIND).bind(owner).bind(purpose).fetch_optional(conn).await)
            .during("read a secret")
    }

    /// Every secret, to seal them all anew.
    pub async fn secrets(&mut self) -> Result<Vec<SecretRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ALL).fetch_all(conn).await).during("read all secrets")
    }

    /// Forgets the owner's secret for that purpose.
    pub async fn delete_secret(&mut self, owner: Uuid, purpose: &str) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(DELETE_ONE).bind(owner).bind(purpose).execute(conn).await.map(drop))
            .during("delete a secret")
    }

    /// Forgets all secrets of one owner.
    pub async fn delete_secrets(&mut self, owner: Uuid) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(DELETE).bind(owner).execute(conn).await.map(drop)).during("delete secrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::both;

    fn row(owner: Uuid, purpose: &str, sealed: u8) -> SecretRow {
        SecretRow {
            owner,
            purpose: purpose.to_owned(),
            key_id: "k1".to_owned(),
            sealed: vec![sealed; 3],
        }
    }

    both! {
        async fn a_secret_is_replaced_and_goes_with_its_owner(store: &Store) {
            let owner = Uuid::from_u128(1);
            let kept = row(Uuid::from_u128(2), "x", 9);
            let done: Result<(), StoreError> = crate::write!(store, tx => {
                tx.put_secret(&row(owner, "x", 1)).await?;
                tx.put_secret(&row(owner, "x", 2)).await?;
                tx.put_secret(&kept).await
            });
            done.expect("stores");
            let mut tx = store.begin().await.expect("begins");
            assert_eq!(tx.secret(owner, "x").await.expect("reads"), Some(row(owner, "x", 2)));
            assert_eq!(tx.secret(owner, "y").await.expect("reads"), None);
            tx.put_secret(&row(owner, "y", 3)).await.expect("stores");
            tx.delete_secret(owner, "y").await.expect("deletes");
            assert_eq!(tx.secret(owner, "y").await.expect("reads"), None);
            assert_eq!(tx.secret(owner, "x").await.expect("reads"), Some(row(owner, "x", 2)));
            tx.delete_secrets(owner).await.expect("deletes");
            assert_eq!(tx.secrets().await.expect("reads"), std::slice::from_ref(&kept));
        }
    }
}
