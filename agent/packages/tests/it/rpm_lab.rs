//! Packages and repositories of rpm, made on the spot by the real tools.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::manager_root::ManagerRoot;
use crate::shell;

/// Advisories for `fixed`, `between` and `plain`.
const UPDATEINFO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<updates>
<update from="lab" status="final" type="security" version="1"><id>LAB-2026-0001</id><title>fixed</title>
<severity>Important</severity><issued date="2026-01-01 00:00:00"/><references>
<reference href="https://lab.example/1" id="CVE-2026-0002" type="cve" title="two"/>
<reference href="https://lab.example/2" id="CVE-2026-0001" type="cve" title="one"/></references><description>A fix.</description>
<pkglist><collection short="lab"><name>lab</name><package name="fixed" version="1.0" release="2" epoch="0" arch="noarch"
src="fixed.src.rpm"><filename>fixed-1.0-2.noarch.rpm</filename></package></collection></pkglist></update>
<update from="lab" status="final" type="security" version="1"><id>LAB-2026-0002</id><title>between</title>
<severity>Critical</severity><issued date="2026-01-01 00:00:00"/><references></references><description>A fix.</description>
<pkglist><collection short="lab"><name>lab</name><package name="between" version="1.1" release="1" epoch="0" arch="noarch"
src="between.src.rpm"><filename>between-1.1-1.noarch.rpm</filename></package></collection></pkglist></update>
<update from="lab" status="final" type="bugfix" version="1"><id>LAB-2026-0003</id><title>plain</title>
<severity>None</severity><issued date="2026-01-01 00:00:00"/><references></references><description>A bug.</description>
<pkglist><collection short="lab"><name>lab</name><package name="plain" version="1.1" release="1" epoch="0" arch="noarch"
src="plain.src.rpm"><filename>plain-1.1-1.noarch.rpm</filename></package></collection></pkglist></update>
</updates>
"#;

/// Installed at first.
const INSTALLED: [&str; 10] = [
    "plain",
    "fixed",
    "held",
    "between",
    "quiet",
    "same",
    "kept",
    "old-thing",
    "epoch",
    LONG,
];
/// Long enough for a table to break its line.
const LONG: &str = "a-package-with-a-name-that-is-really-too-long-for-a-column-of-a-table";

/// Everything that an rpm system can say about an update is the case for one package: `/srv/repo` has advisories, and
/// `/srv/silent` has none.
pub(crate) fn fill(root: &ManagerRoot) -> Result<()> {
    root.write("etc/rpm/macros.dbpath", "%_dbpath /var/lib/rpm\n")?;
    let lab = Lab { root };
    for name in INSTALLED {
        lab.build("base", name, "1.0", if name == "epoch" { "Epoch: 1" } else { "" })?;
    }
    lab.build("repo", "plain", "1.1", "Requires: brought")?;
    lab.build("repo", "brought", "0.5", "")?;
    lab.build("repo", "fixed", "1.0", "Release: 2")?;
    lab.build("repo", "held", "1.1", "")?;
    lab.build("repo", "between", "1.1", "")?;
    lab.build("repo", "between", "1.2", "")?;
    lab.build("repo", "same", "1.0", "")?;
    lab.build("repo", "kept", "2.0", "Requires: absent")?;
    lab.build("repo", "new-thing", "2.0", "Obsoletes: old-thing")?;
    lab.build("repo", "epoch", "0.9", "Epoch: 2")?;
    lab.build("repo", LONG, "1.1", "")?;
    lab.build("silent", "quiet", "1.1", "")?;
    lab.index("repo")?;
    lab.index("silent")?;
    let updateinfo = root.path("srv/updateinfo.xml");
    fs::write(&updateinfo, UPDATEINFO)?;
    let arguments = ["--mdtype=updateinfo", "updateinfo.xml", "repo/repodata"];
    shell::run("modifyrepo_c", &arguments, &root.path("srv"))?;
    root.sh("mkdir -p /var/lib/rpm && rpm -i --nodeps --justdb /srv/base/noarch/*.rpm")?;
    Ok(())
}

struct Lab<'a> {
    root: &'a ManagerRoot,
}

impl Lab<'_> {
    /// Builds a package into a folder below `/srv`. `fields` are further lines of its description.
    fn build(&self, repository: &str, name: &str, version: &str, fields: &str) -> Result<()> {
        let release = if fields.contains("Release:") {
            ""
        } else {
            "Release: 1\n"
        };
        let spec = format!(
            "Name: {name}\nVersion: {version}\n{release}{fields}\nSummary: of the lab\nLicense: MIT\nBuildArch: noarch\n\
             %description\nof the lab\n%files\n"
        );
        let path = self.root.path(&format!("srv/{name}.spec"));
        fs::create_dir_all(self.folder(repository))?;
        fs::write(&path, spec)?;
        let top = format!("_topdir {}", self.root.path("srv/build").display());
        let target = format!("_rpmdir {}", self.folder(repository).display());
        let path = path.display().to_string();
        let arguments = ["-bb", "--quiet", "--define", &top, "--define", &target, &path];
        shell::run("rpmbuild", &arguments, &self.root.path("srv"))?;
        Ok(())
    }

    fn index(&self, repository: &str) -> Result<()> {
        let folder = self.folder(repository).display().to_string();
        shell::run("createrepo_c", &["-q", &folder], &self.root.path("srv"))?;
        Ok(())
    }

    fn folder(&self, repository: &str) -> PathBuf {
        self.root.path("srv").join(repository)
    }
}
