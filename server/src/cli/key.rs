//! `muster key`: the file that seals secrets.

use anyhow::bail;
use clap::Subcommand;
use zeroize::Zeroizing;

use crate::app::Seal;
use crate::boot;
use crate::clock::{Ids as _, SystemIds};
use crate::config::Config;

/// The key that seals Proxmox tokens and other secrets before they reach the database.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Create the key file. Never replaces one.
    ///
    /// Keep a copy of it apart from the backups of the database: without the key the secrets in a restored database do not
    /// open, and must be entered again.
    Init,
    /// Seal every secret anew under a fresh key, and drop the old one from the key file.
    ///
    /// Stop the server first. Replace your copy of the key file afterwards.
    Rotate,
}

pub(super) async fn run(command: KeyCommand, config: Config) -> anyhow::Result<()> {
    let key = Zeroizing::new(SystemIds.secret());
    match command {
        KeyCommand::Init => {
            Seal::create(&config.key_file, key)?;
            println!(
                "created {}: keep a copy of it apart from the database's backups",
                config.key_file.display()
            );
        }
        KeyCommand::Rotate => {
            let path = config.key_file.clone();
            let app = boot::open(config).await?;
            if let Some(server) = app.active_server().await? {
                bail!(
                    "a server is active ({}) and would go on with the old key: stop it first",
                    server.host
                );
            }
            let count = Seal::rotate(&path, key, &app.store).await?;
            app.store.close().await;
            println!("sealed {count} secrets anew; replace your copy of {}", path.display());
        }
    }
    Ok(())
}
