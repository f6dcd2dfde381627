//! The flags that every command takes. Their help is the documentation of the configuration keys.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::telemetry::LogFormat;

/// Configuration as flags. Each flag is also a key of the configuration file (with `_` for `-`) and a variable
/// (`--key-file` is `MUSTER_KEY_FILE`). A flag wins over a variable, a variable over the file.
#[derive(Debug, Clone, Default, PartialEq, Args, Serialize)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Configuration file (TOML). Without it /etc/muster/muster.toml is read if it exists.
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Where the web interface and the API listen. Use 0.0.0.0:8080 to be reached from other machines; agents need that.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,

    /// The database: sqlite:<file>, or postgres://<user>:<password>@<host>/<database>. Give a password in the file or the
    /// variable; flags can be seen by other users of the machine.
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,

    /// The file with the key that seals secrets such as Proxmox tokens; `muster key init` creates it. Keep a copy of it
    /// apart from the database's backups. Under systemd the credential muster-key is used when there is one.
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,

    /// The address people type into their browser, such as https://muster.example.org. Used for the links that Muster prints.
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,

    /// Folder with agents for guests, muster-agent-x86_64 and muster-agent-aarch64, in place of those built in.
    #[arg(long, global = true, value_name = "FOLDER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_dir: Option<PathBuf>,

    /// Addresses or networks of proxies in front of Muster, separated by commas. Only from them the headers X-Forwarded-For
    /// and X-Forwarded-Proto are believed.
    #[arg(long, global = true, value_name = "NETWORKS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<String>,

    /// Certificate chain (PEM), to serve https without a proxy. Needs --tls-key.
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM).
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,

    /// Seconds that one exchange with a node of Proxmox VE may take. More than the 30 after which Proxmox VE itself gives up on
    /// a node, so that its own words arrive.
    #[arg(long, global = true, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pve_timeout_seconds: Option<u64>,

    /// What is logged: a level (error, warn, info, debug), or a list like info,muster=debug.
    #[arg(long, global = true, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,

    /// How log lines look.
    #[arg(long, global = true, value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,

    /// Tell people that the clusters are simulated. Set by `make demo`.
    #[arg(long, global = true, hide = true)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
}
