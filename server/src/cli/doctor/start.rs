//! What `muster serve` needs: key, database, secrets that open, an account, the agents' programs.

use std::sync::Arc;

use muster_store::Store;

use super::Finding;
use crate::agents::Programs;
use crate::app::settings::Settings;
use crate::app::{App, Seal};
use crate::boot;
use crate::clock::{SystemClock, SystemIds};
use crate::config::Config;

/// Looks at everything that can be looked at; what needs a part that is missing is left out.
pub(super) async fn look(config: Config) -> Vec<Finding> {
    let mut findings = vec![programs(&config), tls(&config)];
    let seal = match Seal::read(&config.key_file) {
        Ok(seal) => {
            let text = format!(
                "the key file {} is private; key {} seals",
                config.key_file.display(),
                seal.key_id()
            );
            findings.push(Finding::fine(text));
            Some(seal)
        }
        Err(error) => {
            findings.push(Finding::wrong(error.to_string()));
            None
        }
    };
    let store = match boot::open_store(&config).await {
        Ok(store) => {
            findings.push(Finding::fine(format!(
                "the database {} answers and its tables are up to date",
                config.database
            )));
            Some(store)
        }
        Err(error) => {
            findings.push(Finding::wrong(format!("{error:#}")));
            None
        }
    };
    if let (Some(seal), Some(store)) = (seal, store) {
        findings.extend(inside(config, seal, store).await);
    }
    findings
}

async fn inside(config: Config, seal: Seal, store: Store) -> Vec<Finding> {
    let app = App::new(store, Arc::new(SystemClock), Arc::new(SystemIds), seal, config);
    let mut findings = Vec::new();
    let looked = [
        secrets(&app).await,
        accounts(&app).await,
        settings(&app).await,
        active(&app).await,
    ];
    for finding in looked {
        findings.push(finding.unwrap_or_else(|error| Finding::wrong(format!("{error:#}"))));
    }
    match super::clusters::look(&app).await {
        Ok(told) => findings.extend(told),
        Err(error) => findings.push(Finding::wrong(format!("{error:#}"))),
    }
    app.store.close().await;
    findings
}

async fn secrets(app: &App) -> anyhow::Result<Finding> {
    let rows = app.store.read().await?.secrets().await?;
    let opened = |row: &&muster_store::secrets::SecretRow| {
        app.seal.open(row.owner, &row.purpose, &row.key_id, &row.sealed).is_ok()
    };
    let open = rows.iter().filter(opened).count();
    Ok(match rows.len() - open {
        0 => Finding::fine(format!("all {open} sealed secrets open")),
        shut => Finding::wrong(format!(
            "{shut} of {} sealed secrets do not open with this key file: put the key file back that belongs to this \
             database, or enter these secrets again",
            rows.len()
        )),
    })
}

async fn accounts(app: &App) -> anyhow::Result<Finding> {
    Ok(if app.setup_needed().await? {
        Finding::remark("nobody has an account yet: `muster serve` prints a link that makes the first one")
    } else {
        Finding::fine("there are accounts to sign in with")
    })
}

async fn settings(app: &App) -> anyhow::Result<Finding> {
    let settings = Settings::read(&mut app.store.read().await?).await?;
    Ok(match settings.agent_url {
        Some(url) => Finding::fine(format!("agents reach Muster at {url}")),
        None => Finding::remark(
            "the address under which agents reach Muster is not set: set it in the settings before installing agents",
        ),
    })
}

async fn active(app: &App) -> anyhow::Result<Finding> {
    Ok(match app.active_server().await? {
        Some(server) => Finding::fine(format!("a server is active: {}", server.host)),
        None => Finding::remark("no server is active on this database"),
    })
}

fn programs(config: &Config) -> Finding {
    let place = match &config.agent_dir {
        Some(folder) => folder.display().to_string(),
        None => "this program".to_owned(),
    };
    match Programs::new(config.agent_dir.clone()).architectures().as_slice() {
        [] => Finding::remark(format!(
            "{place} holds no agent: guests can be watched, but not scanned from inside"
        )),
        found => Finding::fine(format!("{place} holds agents for {}", found.join(" and "))),
    }
}

fn tls(config: &Config) -> Finding {
    let local = config.listen.ip().is_loopback();
    if config.tls_cert.is_some() {
        return match crate::http::tls::check(config) {
            Ok(()) => Finding::fine("the certificate and its key can be used"),
            Err(error) => Finding::wrong(format!("{error:#}")),
        };
    }
    match (local, config.trusted_proxies.is_empty()) {
        (true, _) => Finding::fine(format!("{} is reached from this machine only", config.listen)),
        (false, false) => Finding::fine("a proxy with TLS is expected in front"),
        (false, true) => Finding::remark(
            "passwords travel unencrypted: give a certificate (--tls-cert, --tls-key), or put a proxy with TLS in front and \
             name it (--trusted-proxies)",
        ),
    }
}
