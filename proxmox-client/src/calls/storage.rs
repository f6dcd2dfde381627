//! Calls about storages and what is kept on them.

use serde::Deserialize;

use crate::{Client, GuestKind, Result, catalogue, perl};

/// A configured storage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Storage {
    /// Its name.
    #[serde(deserialize_with = "perl::sure")]
    pub storage: String,
    /// Its kind, such as `dir`, `zfspool`, `lvmthin`, `pbs`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it may hold, joined by commas.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub content: Option<String>,
    /// The nodes that have it, joined by commas; all when missing.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub nodes: Option<String>,
    /// Whether all nodes see the same one.
    #[serde(default, deserialize_with = "perl::flag")]
    pub shared: bool,
    /// Whether it is switched off.
    #[serde(default, deserialize_with = "perl::flag")]
    pub disable: bool,
}

/// A guest that no backup job includes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NotBackedUp {
    /// Its number.
    #[serde(deserialize_with = "perl::sure")]
    pub vmid: u32,
    /// Container or virtual machine.
    #[serde(rename = "type")]
    pub kind: GuestKind,
    /// Its name.
    #[serde(default, deserialize_with = "perl::maybe")]
    pub name: Option<String>,
}

impl Client {
    /// The configured storages that the token has `Datastore.Audit` or `Datastore.AllocateSpace` on.
    pub async fn storages(&self) -> Result<Vec<Storage>> {
        self.fetch_or_default(catalogue::STORAGES.at(&[])?).await
    }

    /// The guests that no backup job includes. Needs `Sys.Audit` on `/`.
    pub async fn not_backed_up(&self) -> Result<Vec<NotBackedUp>> {
        self.fetch_or_default(catalogue::NOT_BACKED_UP.at(&[])?).await
    }
}
