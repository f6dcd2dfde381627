//! Calls about rights.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::{Client, Result, catalogue};

/// The rights of a token: privileges by the path of PVE's permission tree they were computed for.
///
/// PVE lists the paths that somebody gave rights on, and the roots of the tree. What holds for a path that is not
/// listed follows from its parents; ask [`Client::permissions_on`] rather than computing it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "BTreeMap<String, BTreeMap<String, Value>>")]
#[non_exhaustive]
pub struct Permissions {
    /// Path, such as `/vms/100`, to privileges, such as `VM.Audit`.
    pub by_path: BTreeMap<String, BTreeSet<String>>,
}

impl Permissions {
    /// Whether a privilege is granted at a listed path.
    pub fn has(&self, path: &str, privilege: &str) -> bool {
        self.by_path
            .get(path)
            .is_some_and(|privileges| privileges.contains(privilege))
    }
}

impl From<BTreeMap<String, BTreeMap<String, Value>>> for Permissions {
    /// PVE's value beside a privilege says whether it is inherited below; it is granted at the path either way.
    fn from(paths: BTreeMap<String, BTreeMap<String, Value>>) -> Self {
        Self {
            by_path: paths
                .into_iter()
                .map(|(path, granted)| (path, granted.into_keys().collect()))
                .collect(),
        }
    }
}

impl Client {
    /// All rights of the token. Any valid token may ask.
    pub async fn permissions(&self) -> Result<Permissions> {
        self.fetch_or_default(catalogue::PERMISSIONS.at(&[])?).await
    }

    /// The token's privileges on one path, such as `/vms/100`, inherited ones included.
    pub async fn permissions_on(&self, path: &str) -> Result<BTreeSet<String>> {
        let request = catalogue::PERMISSIONS.at(&[])?.with("path", path);
        let mut permissions: Permissions = self.fetch_or_default(request).await?;
        Ok(permissions.by_path.remove(path).unwrap_or_default())
    }
}
