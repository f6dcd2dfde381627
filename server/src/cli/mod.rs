//! The command line.

mod backup;
mod doctor;
mod key;
mod password;
mod token;
mod user;

use clap::{Parser, Subcommand};
use muster_domain::RequestId;
use muster_domain::access::Role;

use crate::app::{App, Caller, Ctx};
use crate::boot;
use crate::config::{Config, ConfigArgs};
use crate::telemetry;

/// One server that keeps every guest of your Proxmox clusters up to date.
///
/// First start: `muster key init`, then `muster serve`; it prints a link to set it up in the browser.
#[derive(Debug, Parser)]
#[command(name = "muster", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Configuration given as flags.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve,
    /// Create or update the tables of the database, and end. `serve` does this too.
    Migrate,
    /// Write the database to one file, while the server runs or not. The key is not in it.
    Backup(backup::BackupArgs),
    /// Fill an empty database from such a file. Stop the server first.
    Restore(backup::RestoreArgs),
    /// People's accounts.
    #[command(subcommand)]
    User(user::UserCommand),
    /// API tokens for scripts.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// The key that seals secrets.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Look for what is wrong, and say what to do about it.
    Doctor(doctor::DoctorArgs),
    /// Print the API's description (OpenAPI, YAML).
    Openapi,
}

/// Runs one command.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    if let Command::Openapi = cli.command {
        print!("{}", crate::http::describe().to_yaml()?);
        return Ok(());
    }
    let config = Config::load(&cli.config)?;
    match cli.command {
        Command::Serve => {
            telemetry::start(&config.log, config.log_format)?;
            boot::serve(config).await
        }
        Command::Migrate => {
            boot::open_store(&config).await?.close().await;
            println!("the tables of {} are up to date", config.database);
            Ok(())
        }
        Command::Backup(args) => backup::back_up(args, config).await,
        Command::Restore(args) => backup::restore(args, config).await,
        Command::Doctor(args) => doctor::run(args, config).await,
        Command::Key(command) => key::run(command, config).await,
        Command::User(command) => {
            let app = boot::open(config).await?;
            let done = user::run(command, &app, &shell(&app)).await;
            app.store.close().await;
            done
        }
        Command::Token(command) => {
            let app = boot::open(config).await?;
            let done = token::run(command, &app, &shell(&app)).await;
            app.store.close().await;
            done
        }
        Command::Openapi => Ok(()),
    }
}

/// The context of a command: whoever has a shell here and can read the key file may do everything.
fn shell(app: &App) -> Ctx {
    Ctx {
        caller: Caller::CommandLine,
        request: RequestId(app.ids.next()),
    }
}

fn role(name: &str) -> Result<Role, String> {
    Role::parse(name).ok_or_else(|| "use viewer, operator or admin".to_owned())
}
