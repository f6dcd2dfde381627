//! Packages of Alpine guests. No machine but Alpine has apk, so a script stands in its place: it prints what the recordings
//! of apk-tools 2.14 show for the questions of a scan, over a list of packages. It can install nothing.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::scenario::PackageSpec;

const BASE: &[(&str, &str)] = &[
    ("alpine-baselayout", "3.7.0-r0"),
    ("apk-tools", "2.14.9-r2"),
    ("busybox", "1.37.0-r18"),
    ("musl", "1.2.5-r10"),
    ("openssl", "3.5.4-r0"),
    ("zlib", "1.3.1-r2"),
];

/// Writes everything the script reads.
pub(super) fn lay_out(root: &Path, offers: &[PackageSpec]) -> Result<()> {
    for folder in ["etc/apk", "var/cache/apk", "var/cache/muster/secdb"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::write(
        root.join("etc/apk/repositories"),
        "http://mirror.invalid/alpine/v3.22/main\n",
    )?;
    let world = installed(offers).into_iter().map(|(name, _)| name + "\n");
    fs::write(root.join("etc/apk/world"), world.collect::<String>())?;
    write_index(root, offers)
}

/// Writes the index anew, and what Alpine's security database says of it.
pub(super) fn write_index(root: &Path, offers: &[PackageSpec]) -> Result<()> {
    fs::create_dir_all(root.join("srv/mirror"))?;
    let offer = |offer: &PackageSpec| format!("{}\t{}\t{}\n", offer.name, offer.installed, offer.offered);
    fs::write(
        root.join("srv/mirror/index"),
        offers.iter().map(offer).collect::<String>(),
    )?;
    let packages: Vec<serde_json::Value> = offers
        .iter()
        .filter(|offer| offer.security)
        .map(|offer| {
            let fixes = serde_json::json!({ offer.offered.clone(): ["CVE-2099-0001"] });
            serde_json::json!({ "pkg": { "name": offer.name, "secfixes": fixes } })
        })
        .collect();
    let database = serde_json::json!({ "reponame": "main", "distroversion": "v3.22", "packages": packages });
    fs::write(root.join("var/cache/muster/secdb/v3.22-main"), database.to_string())?;
    Ok(())
}

/// What is installed at the first boot.
pub(super) fn installed(offers: &[PackageSpec]) -> Vec<(String, String)> {
    super::with_base(BASE, offers)
}
