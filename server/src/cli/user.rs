//! `muster user`: accounts, also for who has locked themselves out.

use clap::Subcommand;
use muster_domain::access::Role;

use super::{password, role};
use crate::app::accounts::{NewUser, UserChange};
use crate::app::{App, Ctx};

/// People's accounts. Works while the server runs.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add an account; asks for its password, or reads it as one line from a pipe.
    Add {
        /// The name to sign in with.
        name: String,
        /// What they may do: viewer looks, operator also scans and installs, admin does everything.
        #[arg(long, default_value = "viewer", value_parser = role)]
        role: Role,
        /// Ask for no password: they sign in by a link from `muster user link`.
        #[arg(long)]
        no_password: bool,
    },
    /// List accounts.
    List,
    /// Set a new password. It ends all sessions of the account.
    Password {
        /// The account's name.
        name: String,
    },
    /// Change what somebody may do.
    Role {
        /// The account's name.
        name: String,
        /// viewer, operator or admin.
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Remove an account with its sessions and tokens. The last admin stays.
    Remove {
        /// The account's name.
        name: String,
    },
    /// Print a link that signs somebody in, once, within a day.
    Link {
        /// The account's name.
        name: String,
    },
}

pub(super) async fn run(command: UserCommand, app: &App, ctx: &Ctx) -> anyhow::Result<()> {
    match command {
        UserCommand::Add {
            name,
            role,
            no_password,
        } => {
            let password = if no_password {
                None
            } else {
                Some(password::read()?.to_string())
            };
            let user = app.add_user(ctx, NewUser { name, role, password }).await?;
            println!("added {} ({})", user.name, user.role.as_str());
        }
        UserCommand::List => {
            for user in app.users(ctx).await? {
                let seen = user.signed_in_at.map_or("never".to_owned(), |at| at.to_string());
                println!("{:8}  signed in {seen}  {}", user.role.as_str(), user.name);
            }
        }
        UserCommand::Password { name } => {
            let user = app.user_by_name(ctx, &name).await?;
            let change = UserChange {
                password: Some(password::read()?.to_string()),
                ..UserChange::default()
            };
            app.change_user(ctx, user.id, change).await?;
            println!("{} has a new password and is signed out everywhere", user.name);
        }
        UserCommand::Role { name, role } => {
            let user = app.user_by_name(ctx, &name).await?;
            let change = UserChange {
                role: Some(role),
                ..UserChange::default()
            };
            app.change_user(ctx, user.id, change).await?;
            println!("{} is {} now", user.name, role.as_str());
        }
        UserCommand::Remove { name } => {
            let user = app.user_by_name(ctx, &name).await?;
            app.remove_user(ctx, user.id).await?;
            println!("removed {}", user.name);
        }
        UserCommand::Link { name } => {
            let user = app.user_by_name(ctx, &name).await?;
            println!("{}", *app.sign_in_link(ctx, user.id).await?);
        }
    }
    Ok(())
}
