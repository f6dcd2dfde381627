//! What admins set at run time.

use std::time::Duration;

use muster_domain::access::Role;
use muster_store::Tx;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::{App, Ctx, Error, FieldError};

/// Name of the row that holds them.
const NAME: &str = "settings";
/// Most days anything is kept: ten years.
const MOST_DAYS: u32 = 3650;
/// Longest time between two scans: a week.
const MOST_MINUTES: u32 = 7 * 24 * 60;

/// All settings. What a stored row lacks has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The address under which agents in guests reach Muster.
    pub agent_url: Option<Url>,
    /// Minutes after which guests with an agent online are scanned again.
    pub scan_every_minutes: u32,
    /// How long things are kept.
    pub retention: Retention,
}

impl Default for Settings {
    /// Archives publish a few times a day.
    fn default() -> Self {
        Settings {
            agent_url: None,
            scan_every_minutes: 360,
            retention: Retention::default(),
        }
    }
}

/// How many days things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Ended jobs.
    #[schema(minimum = 1, maximum = 3650)]
    pub jobs_days: u32,
    /// Lines of job logs.
    #[schema(minimum = 1, maximum = 3650)]
    pub log_days: u32,
    /// Audit entries.
    #[schema(minimum = 1, maximum = 3650)]
    pub audit_days: u32,
    /// Discoveries.
    #[schema(minimum = 1, maximum = 3650)]
    pub discovery_days: u32,
}

impl Default for Retention {
    /// Audit for a year, since its questions come late; the rest as long as somebody may wonder what happened.
    fn default() -> Self {
        Retention {
            jobs_days: 90,
            log_days: 30,
            audit_days: 365,
            discovery_days: 30,
        }
    }
}

/// What is to change; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct SettingsChange {
    /// The agents' address; `Some(None)` takes it away.
    pub agent_url: Option<Option<String>>,
    /// Minutes after which guests are scanned again.
    pub scan_every_minutes: Option<u32>,
    /// How long things are kept.
    pub retention: Option<Retention>,
}

impl Settings {
    /// Reads them in any transaction.
    pub async fn read(tx: &mut Tx) -> Result<Settings, Error> {
        match tx.setting(NAME).await? {
            None => Ok(Settings::default()),
            Some(stored) => serde_json::from_value(stored)
                .map_err(|error| Error::Internal(format!("the stored settings mean nothing: {error}"))),
        }
    }
}

impl App {
    /// The settings.
    pub async fn settings(&self, ctx: &Ctx) -> Result<Settings, Error> {
        ctx.require(Role::Viewer)?;
        Settings::read(&mut self.store.read().await?).await
    }

    /// Changes settings.
    pub async fn change_settings(&self, ctx: &Ctx, change: SettingsChange) -> Result<Settings, Error> {
        ctx.require(Role::Admin)?;
        let agent_url = change
            .agent_url
            .map(|url| url.as_deref().map(agent_url).transpose())
            .transpose()?;
        if let Some(retention) = &change.retention {
            retention.check()?;
        }
        if let Some(minutes) = change.scan_every_minutes
            && !(1..=MOST_MINUTES).contains(&minutes)
        {
            let detail = format!("choose 1 to {MOST_MINUTES} minutes");
            return Err(Error::invalid("/scan_every_minutes", detail));
        }
        muster_store::write!(self.store, tx => {
            let before = Settings::read(tx).await?;
            let after = Settings {
                agent_url: agent_url.clone().unwrap_or_else(|| before.agent_url.clone()),
                scan_every_minutes: change.scan_every_minutes.unwrap_or(before.scan_every_minutes),
                retention: change.retention.unwrap_or(before.retention),
            };
            let value = serde_json::to_value(&after)
                .map_err(|error| Error::Internal(format!("settings do not serialize: {error}")))?;
            tx.put_setting(NAME, &value).await?;
            let detail = serde_json::json!({ "before": before, "after": after });
            ctx.audit(self, tx, "settings.change", ("settings", None, "settings"), detail).await?;
            Ok(after)
        })
    }
}

impl Retention {
    /// Days as a span of time.
    pub fn days(days: u32) -> Duration {
        Duration::from_secs(u64::from(days) * 24 * 3600)
    }

    fn check(&self) -> Result<(), Error> {
        let fields = [
            ("jobs_days", self.jobs_days),
            ("log_days", self.log_days),
            ("audit_days", self.audit_days),
            ("discovery_days", self.discovery_days),
        ];
        let wrong: Vec<FieldError> = fields
            .into_iter()
            .filter(|(_, days)| !(1..=MOST_DAYS).contains(days))
            .map(|(name, _)| FieldError {
                pointer: format!("/retention/{name}"),
                detail: format!("choose 1 to {MOST_DAYS} days"),
            })
            .collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(wrong))
        }
    }
}

/// An address agents can be given: an origin, not this machine's own name for itself.
fn agent_url(text: &str) -> Result<Url, Error> {
    let wrong = |why: &str| {
        Error::invalid(
            "/agent_url",
            format!("{why}; write an address like http://192.168.1.5:8080 or https://muster.example.org"),
        )
    };
    let url = Url::parse(text.trim()).map_err(|_| wrong("this is no address"))?;
    if !matches!(url.scheme(), "http" | "https")
        || url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("the address must be http or https, without a path"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("the address must hold no name or password"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_address_is_an_origin() {
        for good in [
            "http://192.168.1.5:8080",
            "https://muster.example.org/",
            " http://[fd00::1]:80 ",
        ] {
            assert!(agent_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "muster",
            "ftp://x",
            "http://x/path",
            "http://x/?q",
            "http://u:p@x",
            "http://x/#f",
        ] {
            assert!(agent_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_stored_row_lacks_has_its_default() -> anyhow::Result<()> {
        let stored: Settings = serde_json::from_value(serde_json::json!({ "retention": { "jobs_days": 7 } }))?;
        assert_eq!((stored.retention.jobs_days, stored.retention.audit_days), (7, 365));
        Ok(())
    }
}
