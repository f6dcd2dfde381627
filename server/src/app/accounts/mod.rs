//! People: their accounts, how they sign in, and the very first of them.

mod links;
mod password;
mod sessions;
mod setup;
mod sign_in;

use muster_domain::access::Role;
use muster_domain::{Timestamp, UserId};
use muster_store::Tx;
use muster_store::users::UserRow;
use serde_json::json;

use super::events::ACCESS_CHANGED;
use super::{App, Caller, Ctx, Error};

pub use password::Passwords;
pub(super) use sessions::IDLE;
pub use sessions::Session;

/// Longest name, in characters.
const LONGEST_NAME: usize = 64;

/// An account as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The name to sign in with.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it can sign in with a password; otherwise by a link only.
    pub has_password: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last signed in.
    pub signed_in_at: Option<Timestamp>,
}

/// What a new account is to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The name to sign in with.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Its password; without one it signs in by a link.
    pub password: Option<String>,
}

/// What is to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// A new name.
    pub name: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// A new password. Ends all sessions of the account.
    pub password: Option<String>,
}

impl App {
    /// All accounts, oldest first.
    pub async fn users(&self, ctx: &Ctx) -> Result<Vec<User>, Error> {
        ctx.require(Role::Admin)?;
        self.store.read().await?.users().await?.into_iter().map(user).collect()
    }

    /// The account of that name, without regard to case.
    pub async fn user_by_name(&self, ctx: &Ctx, name: &str) -> Result<User, Error> {
        ctx.require(Role::Admin)?;
        let row = self.store.read().await?.user_by_name(name).await?;
        user(row.ok_or_else(|| missing(name))?)
    }

    /// Adds an account.
    pub async fn add_user(&self, ctx: &Ctx, new: NewUser) -> Result<User, Error> {
        ctx.require(Role::Admin)?;
        let row = self.new_row(&new).await?;
        let stored: Result<(), Error> = muster_store::write!(self.store, tx => {
            if !tx.add_user(&row).await? {
                return Err(name_taken(&row.name));
            }
            let detail = json!({ "role": row.role });
            ctx.audit(self, tx, "user.add", ("user", Some(row.id), &row.name), detail).await?;
            Ok(())
        });
        stored?;
        user(row)
    }

    /// Changes an account. Everybody may set their own password; the rest is for admins. The last admin stays one.
    pub async fn change_user(&self, ctx: &Ctx, id: UserId, change: UserChange) -> Result<User, Error> {
        let own_password = is_own(ctx, id) && change.name.is_none() && change.role.is_none();
        if !own_password {
            ctx.require(Role::Admin)?;
        }
        let name = change.name.as_deref().map(checked_name).transpose()?;
        let hash = match &change.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let changed: Result<UserRow, Error> = muster_store::write!(self.store, tx => {
            let before = tx.user(id).await?.ok_or_else(|| missing(&id.to_string()))?;
            let after = UserRow {
                name: name.map_or_else(|| before.name.clone(), str::to_owned),
                role: change.role.map_or_else(|| before.role.clone(), |role| role.as_str().to_owned()),
                password_hash: hash.clone().or_else(|| before.password_hash.clone()),
                ..before.clone()
            };
            if tx.user_by_name(&after.name).await?.is_some_and(|other| other.id != after.id) {
                return Err(name_taken(&after.name));
            }
            if after.role != Role::Admin.as_str() {
                keep_an_admin(tx, id).await?;
            }
            tx.update_user(&after).await?;
            if hash.is_some() {
                tx.sign_out_everywhere(id).await?;
            }
            let detail = json!({
                "name_before": before.name,
                "role_before": before.role,
                "role": after.role,
                "password": hash.is_some(),
            });
            ctx.audit(self, tx, "user.change", ("user", Some(id.0), &after.name), detail).await?;
            tx.publish(self.clock.now(), ACCESS_CHANGED, None, serde_json::Value::Null).await?;
            tx.publish(self.clock.now(), ACCESS_CHANGED, None, serde_json::Value::Null).await?;
            Ok(after)
        });
        user(changed?)
    }

    /// Removes an account with its sessions and tokens. The last admin stays.
    pub async fn remove_user(&self, ctx: &Ctx, id: UserId) -> Result<(), Error> {
        ctx.require(Role::Admin)?;
        muster_store::write!(self.store, tx => {
            let row = tx.user(id).await?.ok_or_else(|| missing(&id.to_string()))?;
            keep_an_admin(tx, id).await?;
            tx.delete_user(id).await?;
            ctx.audit(self, tx, "user.remove", ("user", Some(id.0), &row.name), json!({ "role": row.role })).await?;
            tx.publish(self.clock.now(), ACCESS_CHANGED, None, serde_json::Value::Null).await?;
            Ok(())
        })
    }

    async fn new_row(&self, new: &NewUser) -> Result<UserRow, Error> {
        let name = checked_name(&new.name)?;
        let password_hash = match &new.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        Ok(UserRow {
            id: self.ids.next(),
            name: name.to_owned(),
            role: new.role.as_str().to_owned(),
            password_hash,
            created_at: self.clock.now().as_micros(),
            signed_in_at: None,
        })
    }
}

/// Refuses when nobody but `leaving` is an admin.
async fn keep_an_admin(tx: &mut Tx, leaving: UserId) -> Result<(), Error> {
    let others = tx
        .users()
        .await?
        .into_iter()
        .any(|user| user.id != leaving.0 && user.role == Role::Admin.as_str());
    let was_admin = tx
        .user(leaving)
        .await?
        .is_some_and(|user| user.role == Role::Admin.as_str());
    if was_admin && !others {
        return Err(Error::Conflict {
            code: "last_admin",
            detail: "this is the last admin: make somebody else an admin first".to_owned(),
        });
    }
    Ok(())
}

fn is_own(ctx: &Ctx, id: UserId) -> bool {
    matches!(&ctx.caller, Caller::User { id: own, .. } if *own == id)
}

fn checked_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "/name",
            format!("choose a name of 1 to {LONGEST_NAME} characters"),
        ));
    }
    Ok(name)
}

fn name_taken(name: &str) -> Error {
    Error::Conflict {
        code: "name_taken",
        detail: format!("there is a user \"{name}\" already: choose another name"),
    }
}

fn missing(id: &str) -> Error {
    Error::NotFound {
        kind: "user",
        id: id.to_owned(),
    }
}

fn user(row: UserRow) -> Result<User, Error> {
    Ok(User {
        id: UserId(row.id),
        role: super::role(&row.role)?,
        name: row.name,
        has_password: row.password_hash.is_some(),
        created_at: Timestamp::from_micros(row.created_at),
        signed_in_at: row.signed_in_at.map(Timestamp::from_micros),
    })
}
