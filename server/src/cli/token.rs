//! `muster token`: API tokens for scripts.

use std::time::Duration;

use clap::Subcommand;
use muster_domain::TokenId;
use muster_domain::access::Role;

use super::role;
use crate::app::tokens::NewToken;
use crate::app::{App, Ctx};

/// API tokens for scripts. They act without a person; each has a role of its own.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it. It is shown this once.
    Create {
        /// What it is for, such as "backup script".
        name: String,
        /// What it may do: viewer, operator or admin.
        #[arg(long, default_value = "viewer", value_parser = role)]
        role: Role,
        /// Whose it is: it then may do at most what they may, and goes with their account.
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Days until it ends; without it, it does not end.
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        /// Print the token and nothing else.
        #[arg(long)]
        quiet: bool,
    },
    /// List tokens, without their secrets.
    List,
    /// End a token at once.
    Revoke {
        /// Its id, from `muster token list`.
        id: TokenId,
    },
}

pub(super) async fn run(command: TokenCommand, app: &App, ctx: &Ctx) -> anyhow::Result<()> {
    match command {
        TokenCommand::Create {
            name,
            role,
            user,
            days,
            quiet,
        } => {
            let owner = match user {
                Some(name) => Some(app.user_by_name(ctx, &name).await?.id),
                None => None,
            };
            let new = NewToken {
                name,
                role,
                expires_at: days.map(|days| app.clock.now() + Duration::from_secs(u64::from(days) * 24 * 3600)),
                owner,
            };
            let (token, text) = app.create_token(ctx, new).await?;
            println!("{}", *text);
            if !quiet {
                println!(
                    "This is shown once. Send it as `Authorization: Bearer …`; end it with `muster token revoke {}`.",
                    token.id
                );
            }
        }
        TokenCommand::List => {
            for token in app.tokens(ctx).await? {
                let ends = token.expires_at.map_or("never".to_owned(), |end| end.to_string());
                let used = token.last_used_at.map_or("never".to_owned(), |at| at.to_string());
                let owner = token.owner.unwrap_or_else(|| "-".to_owned());
                println!(
                    "{}  {:8}  owner {owner}  ends {ends}  used {used}  {}",
                    token.id,
                    token.role.as_str(),
                    token.name
                );
            }
        }
        TokenCommand::Revoke { id } => {
            app.revoke_token(ctx, id).await?;
            println!("revoked {id}");
        }
    }
    Ok(())
}
