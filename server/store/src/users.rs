//! People's accounts.

use muster_domain::{Timestamp, UserId};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const ADD: &str = "INSERT INTO users (id, name, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT id, name, role, password_hash, created_at, signed_in_at FROM users WHERE id = $1";
const FIND_BY_NAME: &str =
    "SELECT id, name, role, password_hash, created_at, signed_in_at FROM users WHERE lower(name) = lower($1)";
const ALL: &str = "SELECT id, name, role, password_hash, created_at, signed_in_at FROM users ORDER BY id";
const COUNT: &str = "SELECT COUNT(*) FROM users";
const UPDATE: &str = "UPDATE users SET name = $2, role = $3, password_hash = $4 WHERE id = $1";
const SIGNED_IN: &str = "UPDATE users SET signed_in_at = $2 WHERE id = $1";
const DELETE: &str = "DELETE FROM users WHERE id = $1";

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UserRow {
    /// The account's id.
    pub id: Uuid,
    /// The name to sign in with; unique without regard to case.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// Argon2 in PHC form; `None` signs in by link only.
    pub password_hash: Option<String>,
    /// When it was made, microseconds since 1970.
    pub created_at: i64,
    /// When it last signed in.
    pub signed_in_at: Option<i64>,
}

impl Tx {
    /// Adds an account. Returns `false`, and adds nothing, when the name is taken.
    pub async fn add_user(&mut self, user: &UserRow) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(ADD)
            .bind(user.id)
            .bind(&user.name)
            .bind(&user.role)
            .bind(&user.password_hash)
            .bind(user.created_at)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() > 0))
        .during("add a user")
    }

    /// The account of that id.
    pub async fn user(&mut self, id: UserId) -> Result<Option<UserRow>, StoreError> {
        on!(self, conn => sqlx::query_as(FIND).bind(id.0).fetch_optional(conn).await).during("find a user")
    }

    /// The account of that name, without regard to case.
    pub async fn user_by_name(&mut self, name: &str) -> Result<Option<UserRow>, StoreError> {
        on!(self, conn => sqlx::query_as(FIND_BY_NAME).bind(name).fetch_optional(conn).await)
            .during("find a user by name")
    }

    /// All accounts, oldest first.
    pub async fn users(&mut self) -> Result<Vec<UserRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ALL).fetch_all(conn).await).during("list users")
    }

    /// How many accounts there are.
    pub async fn count_users(&mut self) -> Result<i64, StoreError> {
        on!(self, conn => sqlx::query_scalar(COUNT).fetch_one(conn).await).during("count users")
    }

    /// Stores name, role and password of an account. The name must be free.
    pub async fn update_user(&mut self, user: &UserRow) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(UPDATE)
            .bind(user.id)
            .bind(&user.name)
            .bind(&user.role)
            .bind(&user.password_hash)
            .execute(conn)
            .await
            .map(drop))
        .during("change a user")
    }

    /// Notes that somebody signed in.
    pub async fn user_signed_in(&mut self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SIGNED_IN).bind(id.0).bind(at.as_micros()).execute(conn).await.map(drop))
            .during("note a sign-in")
    }

    /// Deletes an account with its sessions, links and tokens.
    pub async fn delete_user(&mut self, id: UserId) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(DELETE).bind(id.0).execute(conn).await.map(drop)).during("delete a user")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::both;

    fn user(id: u128, name: &str) -> UserRow {
        UserRow {
            id: Uuid::from_u128(id),
            name: name.to_owned(),
            role: "admin".to_owned(),
            password_hash: None,
            created_at: 1,
            signed_in_at: None,
        }
    }

    both! {
        async fn a_name_is_taken_in_any_case(store: &Store) {
            let mut tx = store.begin().await.expect("begins");
            assert!(tx.add_user(&user(1, "Ada")).await.expect("adds"));
            assert!(!tx.add_user(&user(2, "aDA")).await.expect("refuses"));
            assert_eq!(tx.user_by_name("ADA").await.expect("finds"), Some(user(1, "Ada")));
            assert_eq!(tx.count_users().await.expect("counts"), 1);
        }

        async fn an_account_changes_and_goes(store: &Store) {
            let mut tx = store.begin().await.expect("begins");
            tx.add_user(&user(1, "ada")).await.expect("adds");
            let changed = UserRow { role: "viewer".to_owned(), password_hash: Some("x".to_owned()), ..user(1, "eva") };
            tx.update_user(&changed).await.expect("changes");
            tx.user_signed_in(UserId(changed.id), Timestamp::from_micros(5)).await.expect("notes");
            let expected = UserRow { signed_in_at: Some(5), ..changed };
            assert_eq!(tx.user(UserId(expected.id)).await.expect("finds"), Some(expected.clone()));
            assert_eq!(tx.users().await.expect("lists"), std::slice::from_ref(&expected));
            tx.delete_user(UserId(expected.id)).await.expect("deletes");
            assert_eq!(tx.count_users().await.expect("counts"), 0);
        }
    }
}
