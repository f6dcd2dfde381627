//! API tokens: `mst_<id>_<secret>`, both in hexadecimal. Only the SHA-256 of the secret is kept.

use std::time::Duration;

use muster_domain::access::Role;
use muster_domain::{Timestamp, TokenId, UserId};
use muster_store::tokens::TokenRow;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::events::ACCESS_CHANGED;
use super::{App, Caller, Ctx, Error, role};

/// The use of a token is written down at most this often.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);
/// Longest name of a token, in characters.
const LONGEST_NAME: usize = 100;

/// A token as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do at most; its owner's role is the other limit.
    pub role: Role,
    /// Its owner's name; `None` when it was made on the command line.
    pub owner: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// Whose it is to be, when somebody with a shell on the server makes it for them. Others make their own.
    pub owner: Option<UserId>,
}

impl App {
    /// Makes a token for the caller. Its text is in the answer and can never be read again.
    pub async fn create_token(&self, ctx: &Ctx, new: NewToken) -> Result<(Token, Zeroizing<String>), Error> {
        let name = checked_name(&new.name)?;
        ctx.require(new.role)?;
        let owner = owner(ctx)?.or(new.owner.filter(|_| ctx.caller == Caller::CommandLine));
        let now = self.clock.now();
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::invalid(
                "/expires_at",
                "the end lies in the past: choose a later moment, or none",
            ));
        }
        let id = TokenId(self.ids.next());
        let secret = Zeroizing::new(self.ids.secret());
        let row = TokenRow {
            id: id.0,
            name: name.to_owned(),
            role: new.role.as_str().to_owned(),
            user_id: owner.map(|id| id.0),
            user_name: None,
            user_role: None,
            hash: Sha256::digest(secret.as_slice()).to_vec(),
            created_at: now.as_micros(),
            expires_at: new.expires_at.map(Timestamp::as_micros),
            last_used_at: None,
        };
        let detail = serde_json::json!({ "role": new.role, "expires_at": new.expires_at });
        let stored: Result<TokenRow, Error> = muster_store::write!(self.store, tx => {
            tx.add_token(&row).await?;
            ctx.audit(self, tx, "token.create", ("token", Some(id.0), name), detail.clone()).await?;
            Ok(tx.token(id).await?.unwrap_or_else(|| row.clone()))
        });
        let text = Zeroizing::new(format!(
            "mst_{}_{}",
            id.0.simple(),
            *Zeroizing::new(hex::encode(secret.as_slice()))
        ));
        Ok((token(stored?)?, text))
    }

    /// All tokens for an admin; their own for others. Oldest first.
    pub async fn tokens(&self, ctx: &Ctx) -> Result<Vec<Token>, Error> {
        let only = if ctx.require(Role::Admin).is_ok() {
            None
        } else {
            owner(ctx)?
        };
        let mut tx = self.store.read().await?;
        tx.tokens(only).await?.into_iter().map(token).collect()
    }

    /// Ends a token at once. Admins end any, others their own.
    pub async fn revoke_token(&self, ctx: &Ctx, id: TokenId) -> Result<(), Error> {
        let missing = || Error::NotFound {
            kind: "token",
            id: id.to_string(),
        };
        muster_store::write!(self.store, tx => {
            let row = tx.token(id).await?.ok_or_else(missing)?;
            if ctx.require(Role::Admin).is_err() && owner(ctx)?.map(|id| id.0) != row.user_id {
                return Err(missing());
            }
            tx.delete_token(id).await?;
            ctx.audit(self, tx, "token.revoke", ("token", Some(id.0), &row.name), serde_json::Value::Null).await?;
            tx.publish(self.clock.now(), ACCESS_CHANGED, None, serde_json::Value::Null).await?;
            Ok(())
        })
    }

    /// Who calls with this token. `None` when there is no such token or it has ended.
    pub async fn caller_of_token(&self, text: &str) -> Result<Option<Caller>, Error> {
        let Some((id, secret)) = parse(text) else {
            return Ok(None);
        };
        let row = self.store.read().await?.token(id).await?;
        let Some(row) = row.filter(|row| {
            matches(row, secret.as_slice()) && row.expires_at.is_none_or(|end| end > self.clock.now().as_micros())
        }) else {
            return Ok(None);
        };
        self.note_use(id, row.last_used_at).await?;
        let name = row.name.clone();
        let role = effective_role(&row)?;
        Ok(Some(Caller::Token { id, name, role }))
    }

    async fn note_use(&self, id: TokenId, last: Option<i64>) -> Result<(), Error> {
        let now = self.clock.now();
        if last.is_some_and(|last| now.since(Timestamp::from_micros(last)) < USE_NOTED_EVERY) {
            return Ok(());
        }
        muster_store::write!(self.store, tx => { tx.token_used(id, now).await.map_err(Error::from) })
    }
}

/// The user a new token will belong to. Tokens make no tokens: who revokes one wants its reach to end there.
fn owner(ctx: &Ctx) -> Result<Option<UserId>, Error> {
    match &ctx.caller {
        Caller::User { id, .. } => Ok(Some(*id)),
        Caller::System | Caller::CommandLine => Ok(None),
        Caller::Token { .. } | Caller::Agent { .. } => Err(Error::Conflict {
            code: "needs_a_person",
            detail: "tokens are managed by people: sign in with a name and password, or use `muster token`".to_owned(),
        }),
    }
}

fn checked_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Error::invalid(
            "/name",
            format!("give the token a name of 1 to {LONGEST_NAME} characters"),
        ));
    }
    Ok(name)
}

fn parse(text: &str) -> Option<(TokenId, Zeroizing<[u8; 32]>)> {
    let (id, secret) = text.strip_prefix("mst_")?.split_once('_')?;
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(secret, bytes.as_mut_slice()).ok()?;
    Some((TokenId(Uuid::try_parse(id).ok()?), bytes))
}

fn matches(row: &TokenRow, secret: &[u8]) -> bool {
    Sha256::digest(secret).as_slice().ct_eq(&row.hash).into()
}

fn effective_role(row: &TokenRow) -> Result<Role, Error> {
    let own = role(&row.role)?;
    match &row.user_role {
        Some(owners) => Ok(own.min(role(owners)?)),
        None => Ok(own),
    }
}

fn token(row: TokenRow) -> Result<Token, Error> {
    Ok(Token {
        id: TokenId(row.id),
        role: role(&row.role)?,
        name: row.name,
        owner: row.user_name,
        created_at: Timestamp::from_micros(row.created_at),
        expires_at: row.expires_at.map(Timestamp::from_micros),
        last_used_at: row.last_used_at.map(Timestamp::from_micros),
    })
}
