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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::both;
    use crate::users::UserRow;

    both! {
        async fn a_token_knows_its_owners_role_and_goes_with_them(store: &Store) {
            let (user, id) = (UserId(Uuid::from_u128(1)), TokenId(Uuid::from_u128(2)));
            let mut tx = store.begin().await.expect("begins");
            let owner = UserRow {
                id: user.0,
                name: "ada".to_owned(),
                role: "viewer".to_owned(),
                password_hash: None,
                created_at: 1,
                signed_in_at: None,
            };
            tx.add_user(&owner).await.expect("adds");
            let token = TokenRow {
                id: id.0,
                name: "backup".to_owned(),
                role: "admin".to_owned(),
                user_id: Some(user.0),
                user_name: Some("ada".to_owned()),
                user_role: Some("viewer".to_owned()),
                hash: vec![1, 2],
                created_at: 1,
                expires_at: Some(9),
                last_used_at: None,
            };
            let other = TokenRow {
                id: Uuid::from_u128(3), user_id: None, user_name: None, user_role: None, expires_at: None, ..token.clone()
            };
            tx.add_token(&token).await.expect("adds");
            tx.add_token(&other).await.expect("adds");
            tx.token_used(id, Timestamp::from_micros(4)).await.expect("notes");
            let used = TokenRow { last_used_at: Some(4), ..token };
            assert_eq!(tx.token(id).await.expect("finds"), Some(used.clone()));
            assert_eq!(tx.tokens(Some(user)).await.expect("lists"), std::slice::from_ref(&used));
            assert_eq!(tx.tokens(None).await.expect("lists"), [used, other.clone()]);
            tx.delete_user(user).await.expect("deletes");
            assert_eq!(tx.tokens(None).await.expect("lists"), std::slice::from_ref(&other));
            assert!(tx.delete_token(TokenId(other.id)).await.expect("deletes"));
            assert!(!tx.delete_token(TokenId(other.id)).await.expect("is gone"));
        }
    }
}
