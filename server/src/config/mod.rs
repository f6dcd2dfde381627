//! Configuration: built-in defaults, then a TOML file, then `MUSTER_…` variables, then flags; the last one wins.
//! This is the only place that reads the environment. What people change at run time is a setting in the database instead.

mod args;
mod database;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

pub use args::ConfigArgs;
pub use database::DatabaseUrl;

use crate::telemetry::LogFormat;

/// Read when no other file is named, if it is there.
pub const USUAL_FILE: &str = "/etc/muster/muster.toml";
/// The name of the systemd credential that may hold the key.
pub const KEY_CREDENTIAL: &str = "muster-key";

/// Everything that is decided before the server starts. [`ConfigArgs`] says what each key means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the web interface and the API listen.
    pub listen: SocketAddr,
    /// The database.
    pub database: DatabaseUrl,
    /// The file with the key that seals secrets.
    pub key_file: PathBuf,
    /// The address people use, for links that Muster prints.
    pub public_url: Option<Url>,
    /// Where the agents for guests lie, if not those built in are meant.
    pub agent_dir: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    #[serde(deserialize_with = "list")]
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate chain for own TLS, PEM.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// Seconds that one exchange with a node of Proxmox VE may take.
    pub pve_timeout_seconds: u64,
    /// What is logged.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Whether this is a demonstration with simulated clusters.
    pub demo: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database: DatabaseUrl::new("sqlite:/var/lib/muster/muster.db"),
            key_file: PathBuf::from("/etc/muster/key"),
            public_url: None,
            agent_dir: None,
            trusted_proxies: Vec::new(),
            tls_cert: None,
            tls_key: None,
            pve_timeout_seconds: 40,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            demo: false,
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is unknown or its value has the wrong form; the source names it and where it stands.
    #[error("the configuration is not valid")]
    Read(#[source] Box<figment::Error>),
    /// A file was named that is not there.
    #[error("there is no configuration file {}: create it, or leave --config out", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Two values do not go together.
    #[error("{0}")]
    Contradiction(&'static str),
}

impl Config {
    /// Reads all four layers.
    pub fn load(args: &ConfigArgs) -> Result<Config, ConfigError> {
        let named = args
            .config
            .clone()
            .or_else(|| Env::var("MUSTER_CONFIG").map(PathBuf::from));
        if let Some(path) = named.as_ref().filter(|path| !path.is_file()) {
            return Err(ConfigError::Missing { path: path.clone() });
        }
        let file = named.or_else(|| Some(PathBuf::from(USUAL_FILE)).filter(|path| path.is_file()));
        let config: Config = Figment::from(Serialized::defaults(Config::default()))
            .merge(key_credential())
            .merge(file.map_or_else(Figment::new, |file| Figment::from(Toml::file_exact(file))))
            .merge(Env::prefixed("MUSTER_").ignore(&["config"]))
            .merge(Serialized::defaults(args))
            .extract()
            .map_err(|error| ConfigError::Read(Box::new(error)))?;
        config.check()?;
        Ok(config)
    }

    /// How long one exchange with a node of Proxmox VE may take.
    pub fn pve_timeout(&self) -> Duration {
        Duration::from_secs(self.pve_timeout_seconds)
    }

    /// The origin people use, without a slash at its end: what was configured, or a guess from where we listen.
    pub fn base(&self) -> String {
        if let Some(url) = &self.public_url {
            return url.origin().ascii_serialization();
        }
        let scheme = if self.tls_cert.is_some() { "https" } else { "http" };
        match self.listen.ip() {
            ip if ip.is_unspecified() => format!("{scheme}://localhost:{}", self.listen.port()),
            _ => format!("{scheme}://{}", self.listen),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::Contradiction(
                "tls_cert and tls_key belong together: give both, or none and put a proxy with TLS in front",
            ));
        }
        if self.pve_timeout_seconds == 0 {
            return Err(ConfigError::Contradiction(
                "pve_timeout_seconds is at least 1; below 31 Muster gives up before Proxmox VE does",
            ));
        }
        let origin = |url: &Url| matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none();
        if !self.public_url.as_ref().is_none_or(origin) {
            return Err(ConfigError::Contradiction(
                "public_url is an origin without a path, such as https://muster.example.org",
            ));
        }
        Ok(())
    }
}

/// Under systemd the key can come as a credential (`LoadCredential=muster-key:…`) that only this service can read.
fn key_credential() -> Figment {
    match Env::var("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(KEY_CREDENTIAL)) {
        Some(path) if path.is_file() => Figment::from(Serialized::default("key_file", path)),
        _ => Figment::new(),
    }
}

/// A list, also written as one text with commas (in a variable or a flag).
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        List(Vec<String>),
    }
    let parts = match Written::deserialize(deserializer)? {
        Written::Text(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
        Written::List(list) => list,
    };
    parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(|part| network(part).map_err(serde::de::Error::custom))
        .collect()
}

/// A network like `10.0.0.0/8`, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| format!("\"{text}\" is neither an address nor a network like 10.0.0.0/8"))
}
