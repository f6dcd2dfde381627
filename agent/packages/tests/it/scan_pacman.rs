//! The scan of pacman systems, by the real pacman.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use muster_packages::scan::RefreshTrouble;

use crate::manager_root::{ManagerRoot, lines};
use crate::shell;

const CONFIGURATION: &str =
    "[options]\nArchitecture = x86_64\nIgnorePkg = ignored\nSigLevel = Never\n[lab]\nServer = file:///srv/lab\n";

fn lab(test: &str) -> Result<Option<ManagerRoot>> {
    if !shell::has("pacman", test) {
        return Ok(None);
    }
    let root = ManagerRoot::new("arch")?;
    root.write("etc/pacman.conf", CONFIGURATION)?;
    root.write("var/lib/pacman/local/ALPM_DB_VERSION", "9\n")?;
    for (name, version) in [
        ("plain", "1.0-1"),
        ("ignored", "1.0-1"),
        ("same", "1.0-1"),
        ("old-thing", "1.0-1"),
        ("epoch", "2.0-1"),
    ] {
        let fields = format!("%NAME%\n{name}\n\n%VERSION%\n{version}\n\n%BASE%\n{name}\n\n%ARCH%\nany\n\n");
        let folder = format!("var/lib/pacman/local/{name}-{version}");
        root.write(&format!("{folder}/desc"), &fields)?;
        root.write(&format!("{folder}/files"), "%FILES%\n\n")?;
    }
    offer(&root, "plain", "1.1-1", "%DEPENDS%\nbrought\n\n")?;
    offer(&root, "brought", "0.5-1", "")?;
    offer(&root, "ignored", "1.1-1", "")?;
    offer(&root, "same", "1.0-1", "")?;
    offer(
        &root,
        "new-thing",
        "2.0-1",
        "%REPLACES%\nold-thing\n\n%CONFLICTS%\nold-thing\n\n",
    )?;
    offer(&root, "epoch", "1:0.5-1", "")?;
    index(&root)?;
    Ok(Some(root))
}

/// Describes an offered package; [`index`] makes a list of all.
fn offer(root: &ManagerRoot, name: &str, version: &str, fields: &str) -> Result<()> {
    let text = format!(
        "%FILENAME%\n{name}-{version}-any.pkg.tar.zst\n\n%NAME%\n{name}\n\n%BASE%\n{name}\n\n%VERSION%\n{version}\n\n\
         %CSIZE%\n1234\n\n%ISIZE%\n4096\n\n%ARCH%\nany\n\n{fields}"
    );
    root.write(&format!("srv/packages/{name}-{version}/desc"), &text)
}

fn index(root: &ManagerRoot) -> Result<()> {
    let list = root.path("srv/lab/lab.db");
    fs::create_dir_all(root.path("srv/lab"))?;
    let before = fs::metadata(&list).and_then(|list| list.modified());
    root.sh("cd /srv/packages && tar -czf ../lab/lab.db *")?;
    if let Ok(before) = before {
        // pacman takes a list of the same second for the list that it has.
        fs::File::options()
            .write(true)
            .open(list)?
            .set_modified(before + Duration::from_secs(2))?;
    }
    Ok(())
}

#[test]
fn every_shell_reads_a_real_pacman_system() -> Result<()> {
    let Some(root) = lab("every_shell_reads_a_real_pacman_system")? else {
        return Ok(());
    };
    let report = root.scan_by_every_shell()?;
    assert_eq!(
        lines(&report),
        [
            "epoch any 2.0-1 -> 1:0.5-1 from lab security-unknown",
            "ignored any 1.0-1 -> 1.1-1 from lab security-unknown held",
            "plain any 1.0-1 -> 1.1-1 from lab security-unknown",
        ]
    );
    let sizes: Vec<(Option<u64>, Option<u64>)> = report
        .updates
        .iter()
        .map(|update| (update.size, update.installed_size))
        .collect();
    let all = (Some(1234), Some(4096));
    assert_eq!(sizes, [all, (None, Some(4096)), all]);
    let installs: Vec<&str> = report.installs.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(installs, ["brought", "new-thing"]);
    assert_eq!(report.removes[0].name, "old-thing");
    // A list in the system's own folder would make the next installation a partial upgrade.
    assert!(
        !root.path("var/lib/pacman/sync").exists(),
        "the scan changed the system's lists"
    );
    // pacman upgrades everything or nothing.
    offer(&root, "plain", "1.2-1", "%DEPENDS%\nabsent\n\n")?;
    fs::remove_dir_all(root.path("srv/packages/plain-1.1-1"))?;
    index(&root)?;
    let report = root.scan()?;
    assert_eq!(
        lines(&report),
        [
            "epoch any 2.0-1 -> 1:0.5-1 from lab security-unknown kept-back",
            "ignored any 1.0-1 -> 1.1-1 from lab security-unknown held",
            "plain any 1.0-1 -> 1.2-1 from lab security-unknown kept-back",
        ]
    );
    Ok(())
}

#[test]
fn trouble_of_pacman_has_its_codes() -> Result<()> {
    let Some(root) = lab("trouble_of_pacman_has_its_codes")? else {
        return Ok(());
    };
    root.write("var/lib/pacman/db.lck", "")?;
    assert_eq!(root.failure()?, "locked");
    fs::remove_file(root.path("var/lib/pacman/db.lck"))?;

    root.replace("etc/pacman.conf", "file:///srv/lab", "http://127.0.0.1:1/lab")?;
    assert_eq!(root.failure()?, "no_lists");

    root.write("etc/pacman.conf", CONFIGURATION)?;
    assert_eq!(root.scan()?.updates.len(), 3);
    root.replace("etc/pacman.conf", "file:///srv/lab", "http://127.0.0.1:1/lab")?;
    let report = root.scan()?;
    assert_eq!((report.updates.len(), report.refreshed), (3, false));
    assert_eq!(
        report.refresh_trouble,
        Some(RefreshTrouble::Mirror),
        "{:?}",
        report.refresh_error
    );
    // pacman's answer to a damaged list looks like "nothing outdated".
    root.write("etc/pacman.conf", CONFIGURATION)?;
    root.sh("cd /srv/packages && tar -czf ../lab/lab.db ./*")?;
    assert_eq!(root.failure()?, "tool_failed");
    Ok(())
}
