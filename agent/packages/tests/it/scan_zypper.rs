//! The scan of zypper systems, by the real zypper.

use anyhow::Result;
use muster_packages::scan::RefreshTrouble;

use crate::manager_root::{ManagerRoot, lines};
use crate::{rpm_lab, shell};

fn repository(name: &str) -> String {
    format!("[{name}]\nname={name}\nenabled=1\nautorefresh=1\nbaseurl=dir:/srv/{name}\ngpgcheck=0\n")
}

fn lab(test: &str) -> Result<Option<ManagerRoot>> {
    if !shell::has("zypper", test) || !shell::has("rpmbuild", test) || !shell::has("createrepo_c", test) {
        return Ok(None);
    }
    let root = ManagerRoot::new("opensuse-leap")?;
    rpm_lab::fill(&root)?;
    for name in ["repo", "silent"] {
        root.write(&format!("etc/zypp/repos.d/{name}.repo"), &repository(name))?;
    }
    root.sh("zypper --non-interactive addlock 'hel*'")?;
    Ok(Some(root))
}

#[test]
fn every_shell_reads_a_real_zypper_system() -> Result<()> {
    let Some(root) = lab("every_shell_reads_a_real_zypper_system")? else {
        return Ok(());
    };
    let report = root.scan_by_every_shell()?;
    assert_eq!(
        lines(&report),
        [
            "a-package-with-a-name-that-is-really-too-long-for-a-column-of-a-table noarch 1.0-1 -> 1.1-1 from repo",
            "between noarch 1.0-1 -> 1.2-1 from repo security [LAB-2026-0002 (critical)]",
            "epoch noarch 1:1.0-1 -> 2:0.9-1 from repo",
            "fixed noarch 1.0-1 -> 1.0-2 from repo security [LAB-2026-0001 (important)] fixes CVE-2026-0001 CVE-2026-0002",
            "held noarch 1.0-1 -> 1.1-1 from repo held",
            "kept noarch 1.0-1 -> 2.0-1 from repo kept-back",
            "plain noarch 1.0-1 -> 1.1-1 from repo",
            "quiet noarch 1.0-1 -> 1.1-1 from silent security-unknown",
        ]
    );
    let installs: Vec<&str> = report.installs.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(installs, ["brought", "new-thing"]);
    assert_eq!(report.removes[0].name, "old-thing");
    assert!(report.refreshed && !report.reboot_required);
    Ok(())
}

#[test]
fn trouble_of_zypper_has_its_codes() -> Result<()> {
    let Some(root) = lab("trouble_of_zypper_has_its_codes")? else {
        return Ok(());
    };
    // A lock is the number of a process that lives.
    root.write("run/zypp.pid", "1")?;
    assert_eq!(root.failure()?, "locked");
    std::fs::remove_file(root.path("run/zypp.pid"))?;

    for name in ["repo", "silent"] {
        let file = format!("etc/zypp/repos.d/{name}.repo");
        root.replace(&file, "dir:/srv/", "http://127.0.0.1:1/")?;
    }
    assert_eq!(root.failure()?, "no_lists");

    for name in ["repo", "silent"] {
        root.write(&format!("etc/zypp/repos.d/{name}.repo"), &repository(name))?;
    }
    assert_eq!(root.scan()?.updates.len(), 8);
    std::fs::rename(root.path("srv/silent"), root.path("srv/elsewhere"))?;
    let report = root.scan()?;
    assert_eq!((report.updates.len(), report.refreshed), (8, false), "{report:?}");
    assert_eq!(
        report.refresh_trouble,
        Some(RefreshTrouble::Mirror),
        "{:?}",
        report.refresh_error
    );
    Ok(())
}
