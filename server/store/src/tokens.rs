//! API tokens: what is kept of them is the SHA-256 of their secret.

use muster_domain::{Timestamp, TokenId, UserId};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const ADD: &str = "INSERT INTO tokens (id, name, role, user_id, hash, created_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const FIND: &str = "SELECT t.id, t.name, t.role, t.user_id, u.name AS user_name, u.role AS user_role, t.hash, t.created_at, \
    t.expires_at, t.last_used_at FROM tokens t LEFT JOIN users u ON u.id = t.user_id WHERE t.id = $1";
const ALL: &str = "SELECT t.id, t.name, t.role, t.user_id, u.name AS user_name, u.role AS user_role, t.hash, t.created_at, \
    t.expires_at, t.last_used_at FROM tokens t LEFT JOIN users u ON u.id = t.user_id ORDER BY t.id";
const USED: &str = "UPDATE tokens SET last_used_at = $2 WHERE id = $1";
const DELETE: &str = "DELETE FROM tokens WHERE id = $1";

/// One API token.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TokenRow {
    /// The token's id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// The role it was given.
    pub role: String,
    /// Whose it is; `None` when it was made on the command line.
    pub user_id: Option<Uuid>,
    /// Its owner's name.
    pub user_name: Option<String>,
    /// Its owner's role now.
    pub user_role: Option<String>,
    /// SHA-256 of the secret.
    pub hash: Vec<u8>,
    /// When it was made, microseconds since 1970.
    pub created_at: i64,
    /// When it ends, if it does.
    pub expires_at: Option<i64>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<i64>,
}

impl Tx {
    /// Adds a token. `user_name` and `user_role` of the row are not stored.
    pub async fn add_token(&mut self, token: &TokenRow) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(ADD)
            .bind(token.id)
            .bind(&token.name)
            .bind(&token.role)
            .bind(token.user_id)
            .bind(&token.hash)
            .bind(token.created_at)
            .bind(token.expires_at)
            .execute(conn)
            .await
            .map(drop))
        .during("add a token")
    }

    /// The token of that id.
    pub async fn token(&mut self, id: TokenId) -> Result<Option<TokenRow>, StoreError> {
        on!(self, conn => sqlx::query_as(FIND).bind(id.0).fetch_optional(conn).await).during("find a token")
    }

    /// All tokens, oldest first; with `owner` only theirs.
    pub async fn tokens(&mut self, owner: Option<UserId>) -> Result<Vec<TokenRow>, StoreError> {
        let mut all: Vec<TokenRow> =
            on!(self, conn => sqlx::query_as(ALL).fetch_all(conn).await).during("list tokens")?;
        all.retain(|token| owner.is_none_or(|owner| token.user_id == Some(owner.0)));
        Ok(all)
    }

    /// Notes that a token was used.
    pub async fn token_used(&mut self, id: TokenId, at: Timestamp) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(USED).bind(id.0).bind(at.as_micros()).execute(conn).await.map(drop))
            .during("note the use of a token")
    }

    /// Deletes a token. Returns whether it was there.
    pub async fn delete_token(&mut self, id: TokenId) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(DELETE).bind(id.0).execute(conn).await.map(|done| done.rows_affected() > 0))
            .during("delete a token")
    }
}
