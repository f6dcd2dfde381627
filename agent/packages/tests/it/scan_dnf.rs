//! The scan of dnf 4 systems, by the real dnf.

use anyhow::{Context, Result};
use muster_packages::scan::RefreshTrouble;

use crate::manager_root::{ManagerRoot, lines};
use crate::{rpm_lab, shell};

const REPOSITORIES: &str =
    "[lab]\nname=lab\nbaseurl=file:///srv/repo\n[silent]\nname=silent\nbaseurl=file:///srv/silent\n";

fn lab(test: &str) -> Result<Option<ManagerRoot>> {
    if !shell::has("dnf", test) || !shell::has("rpmbuild", test) || !shell::has("createrepo_c", test) {
        return Ok(None);
    }
    let root = ManagerRoot::new("fedora")?;
    root.write("etc/dnf/dnf.conf", "[main]\ngpgcheck=0\nexcludepkgs=held\n")?;
    root.write("etc/yum.repos.d/lab.repo", REPOSITORIES)?;
    rpm_lab::fill(&root)?;
    Ok(Some(root))
}

#[test]
fn every_shell_reads_a_real_dnf_system() -> Result<()> {
    let Some(root) = lab("every_shell_reads_a_real_dnf_system")? else {
        return Ok(());
    };
    let report = root.scan_by_every_shell()?;
    assert_eq!(
        lines(&report),
        [
            "a-package-with-a-name-that-is-really-too-long-for-a-column-of-a-table noarch 1.0-1 -> 1.1-1 from lab",
            "between noarch 1.0-1 -> 1.2-1 from lab security [LAB-2026-0002 (critical)]",
            "epoch noarch 1:1.0-1 -> 2:0.9-1 from lab",
            "fixed noarch 1.0-1 -> 1.0-2 from lab security [LAB-2026-0001 (important)] fixes CVE-2026-0001 CVE-2026-0002",
            "held noarch 1.0-1 -> 1.1-1 from lab held",
            "kept noarch 1.0-1 -> 2.0-1 from lab kept-back",
            "plain noarch 1.0-1 -> 1.1-1 from lab",
            "quiet noarch 1.0-1 -> 1.1-1 from silent security-unknown",
        ]
    );
    assert!(
        report
            .updates
            .iter()
            .all(|update| update.size.is_some_and(|size| size > 1000))
    );
    let installs: Vec<&str> = report.installs.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(installs, ["new-thing", "brought"]);
    assert_eq!(report.removes[0].name, "old-thing");
    assert!(report.refreshed && !report.reboot_required);
    // A system that has what it was offered is up to date.
    root.replace("etc/dnf/dnf.conf", "excludepkgs=held", "")?;
    root.sh("rpm -U --replacepkgs --nodeps --justdb /srv/repo/noarch/*.rpm /srv/silent/noarch/*.rpm")?;
    assert_eq!(lines(&root.scan()?), Vec::<String>::new());
    Ok(())
}

#[test]
fn trouble_of_dnf_has_its_codes() -> Result<()> {
    let Some(root) = lab("trouble_of_dnf_has_its_codes")? else {
        return Ok(());
    };
    // A lock is the number of a process that lives.
    root.write("var/cache/dnf/metadata_lock.pid", "1")?;
    assert_eq!(root.failure()?, "locked");
    std::fs::remove_file(root.path("var/cache/dnf/metadata_lock.pid"))?;

    root.replace(
        "etc/yum.repos.d/lab.repo",
        "file:///srv/repo",
        "http://127.0.0.1:1/repo",
    )?;
    root.replace(
        "etc/yum.repos.d/lab.repo",
        "file:///srv/silent",
        "http://127.0.0.1:1/silent",
    )?;
    assert_eq!(root.failure()?, "no_lists");

    root.write("etc/yum.repos.d/lab.repo", REPOSITORIES)?;
    assert_eq!(root.scan()?.updates.len(), 8);
    // One repository dies: what was known of it and of the other one is still told.
    std::fs::rename(root.path("srv/silent"), root.path("srv/elsewhere"))?;
    let report = root.scan()?;
    assert_eq!((report.updates.len(), report.refreshed), (8, false));
    assert_eq!(
        report.refresh_trouble,
        Some(RefreshTrouble::Mirror),
        "{:?}",
        report.refresh_error
    );
    report.refresh_error.context("says why")?;
    Ok(())
}
