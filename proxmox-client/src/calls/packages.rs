//! Calls about the packages of nodes.

use serde::Deserialize;

use crate::{Client, Result, catalogue, perl};

/// A package that a node could update, as of its last look at the repositories.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AptUpdate {
    /// Its name.
    pub package: String,
    /// The version it would get.
    #[serde(deserialize_with = "perl::sure")]
    pub version: String,
    /// The version it has; missing when it would come in as a new dependency.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub old_version: Option<String>,
    /// One line about it.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub title: Option<String>,
    /// Who offers it, such as `Debian` or `Proxmox`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub origin: Option<String>,
    /// Such as `amd64`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub arch: Option<String>,
    /// Such as `admin`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub section: Option<String>,
    /// Such as `optional`.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub priority: Option<String>,
}

/// One of Proxmox's own packages on a node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct AptVersion {
    /// Its name.
    pub package: String,
    /// The version that the repositories offer; the installed one is [`AptVersion::installed`].
    #[serde(default, deserialize_with = "perl::maybe")]
    pub version: Option<String>,
    /// The installed version, by the name PVE gives it.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub old_version: Option<String>,
    /// `Installed`, `NotInstalled` and other states of dpkg.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub current_state: Option<String>,
    /// The running kernel; with the package proxmox-ve only.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub running_kernel: Option<String>,
}

impl AptVersion {
    /// The installed version, if it is installed.
    pub fn installed(&self) -> Option<&str> {
        self.old_version
            .as_deref()
            .filter(|_| self.current_state.as_deref() == Some("Installed"))
    }
}

impl Client {
    /// The packages that a node could update, from what it last read of its repositories. PVE demands `Sys.Modify` on
    /// `/nodes/{node}` even for looking.
    pub async fn apt_updates(&self, node: &str) -> Result<Vec<AptUpdate>> {
        self.fetch_or_default(catalogue::APT_UPDATES.at(&[node])?).await
    }

    /// The versions of Proxmox's packages on a node. Needs `Sys.Audit` on `/nodes/{node}`; takes PVE most of a second.
    pub async fn apt_versions(&self, node: &str) -> Result<Vec<AptVersion>> {
        self.fetch_or_default(catalogue::APT_VERSIONS.at(&[node])?).await
    }
}
