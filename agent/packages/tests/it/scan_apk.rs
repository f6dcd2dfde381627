//! The scan of Alpine systems. The real apk runs on no machine of ours: an `apk` that prints what the real one printed
//! stands in its place. Recorded in November 2026 with apk-tools 2.14.10 (Alpine 3.18 to 3.22) and 3.0.6 (from 3.23 on),
//! with packages made for the purpose; `cases.tsv` of each version names the exit codes and situations.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use muster_packages::scan::RefreshTrouble;

use crate::manager_root::{ManagerRoot, lines};

const VERSIONS: [&str; 2] = ["2.14.10", "3.0.6"];

/// Which recording answers which question.
struct Situation {
    update: &'static str,
    simulate: &'static str,
    outdated: &'static str,
}

const GOOD: Situation = Situation {
    update: "update-good",
    simulate: "upgrade-simulate",
    outdated: "list-upgradable",
};

fn system(version: &str, situation: &Situation) -> Result<ManagerRoot> {
    let root = ManagerRoot::new("alpine")?;
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/apk").join(version);
    let cases = fs::read_to_string(recorded.join("cases.tsv"))?;
    let mut script = "#!/bin/sh\nsay() { cat \"/srv/apk/$1.out\" 2>/dev/null; cat \"/srv/apk/$1.err\" >&2 2>/dev/null; exit \"$2\"; }\n\
        case \"$*\" in\n"
        .to_owned();
    for (question, case) in [
        ("*--version", "apk-version"),
        ("*update", situation.update),
        ("upgrade*", situation.simulate),
        ("list*", situation.outdated),
    ] {
        let line = cases.lines().find(|line| line.split('\t').next() == Some(case));
        let exit = line.and_then(|line| line.split('\t').nth(1)).context(case)?;
        script += &format!("{question}) say {case} {exit} ;;\n");
    }
    // Recorded for two packages of which one has a new version and one is tagged.
    script += "policy*) cat /srv/apk/policy ;;\nesac\n";
    root.tool("apk", &script)?;
    root.tool(
        "wget",
        "#!/bin/sh\ncase $* in */v3.22/main.json) cp /srv/secdb.json \"$3\" ;; *) exit 1 ;; esac\n",
    )?;
    fs::create_dir_all(root.path("srv/apk"))?;
    for file in fs::read_dir(&recorded)? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), root.path("srv/apk").join(file.file_name()))?;
        }
    }
    root.write("srv/apk/policy", &policy(&recorded)?)?;
    root.write("srv/secdb.json", include_str!("apk/main.json"))?;
    root.write("etc/apk/world", &fs::read_to_string(recorded.join("state/world"))?)?;
    let repositories = fs::read_to_string(recorded.join("state/repositories"))?;
    root.write("etc/apk/repositories", &repositories)?;
    root.write("lib/apk/db/installed", "")?;
    Ok(root)
}

/// The answer of `apk policy` for all outdated packages, in the form that was recorded for some.
fn policy(recorded: &Path) -> Result<String> {
    let outdated = fs::read_to_string(recorded.join("list-upgradable.out"))?;
    let mut text = String::new();
    for line in outdated.lines() {
        let package = line.split(' ').next().context("a package")?;
        let (rest, release) = package.rsplit_once('-').context("a release")?;
        let (name, version) = rest.rsplit_once('-').context("a version")?;
        let repository = match name {
            "edge-demo" => "@edge http://apk.example.test/alpine/edge/testing",
            "demo-beta" => "http://apk.example.test/alpine/v3.22/community",
            _ => "http://apk.example.test/alpine/v3.22/main",
        };
        text +=
            &format!("{name} policy:\n  1.0-r0:\n    lib/apk/db/installed\n  {version}-{release}:\n    {repository}\n");
    }
    Ok(text)
}

#[test]
fn every_shell_reads_what_both_apk_print() -> Result<()> {
    for version in VERSIONS {
        let root = system(version, &GOOD)?;
        let report = root.scan_by_every_shell()?;
        assert!(report.refreshed && report.interrupted.is_none());
        assert_eq!(report.updates.len(), 18);
        let found = lines(&report);
        let line = |name: &str| {
            let start = format!("{name} ");
            let line = found.iter().find(|line| line.starts_with(&start));
            line.and_then(|line| line.split_once(" x86_64 "))
                .map_or("", |(_, rest)| rest)
        };
        let main = "from http://apk.example.test/alpine/v3.22/main";
        assert_eq!(
            line("libcrypto3"),
            format!(
                "3.5.0-r0 -> 3.5.4-r0 {main} security [secdb v3.22/main: 3.5.4-r0] fixes CVE-2099-0001 CVE-2099-0002"
            )
        );
        assert_eq!(
            line("hello-lab"),
            format!(
                "1.0-r0 -> 1.1-r0 {main} security [secdb v3.22/main: 1.1-r0] fixes CVE-2099-0010 GHSA-aaaa-bbbb-cccc"
            )
        );
        assert_eq!(
            line("curl-demo"),
            format!(
                "8.12.0-r0 -> 8.14.1-r1 {main} security [secdb v3.22/main: 8.14.0-r0, 8.14.1-r1] fixes CVE-2099-0020 CVE-2099-0021 DEMO-2099-7"
            )
        );
        assert_eq!(line("busybox"), format!("1.37.0-r12 -> 1.37.0-r18 {main}"));
        assert_eq!(line("pinned-demo"), format!("1.4-r0 -> 1.5-r0 {main} held"));
        // Its database could not be read, or there is none.
        for (name, repository) in [("demo-beta", "v3.22/community"), ("edge-demo", "edge/testing")] {
            assert!(
                line(name).ends_with(&format!("{repository} security-unknown")),
                "{}",
                line(name)
            );
        }
        let names = |packages: &[muster_packages::PackageVersion]| -> Vec<String> {
            packages.iter().map(|package| package.name.clone()).collect()
        };
        assert_eq!(names(&report.installs), ["libpsl-demo", "newlib-demo"]);
        assert_eq!(names(&report.removes), ["oldlib-demo"]);
    }
    Ok(())
}

#[test]
fn an_up_to_date_alpine_has_no_updates_but_what_is_pinned() -> Result<()> {
    for version in VERSIONS {
        let up_to_date = Situation {
            simulate: "upgrade-simulate-nothing",
            outdated: "list-upgradable-up-to-date",
            ..GOOD
        };
        let report = system(version, &up_to_date)?.scan()?;
        let names: Vec<(&str, bool)> = report
            .updates
            .iter()
            .map(|update| (update.name.as_str(), update.held))
            .collect();
        assert_eq!(names, [("pinned-demo", true)]);
    }
    Ok(())
}

#[test]
fn a_script_that_failed_earlier_is_told() -> Result<()> {
    for version in VERSIONS {
        let failed = Situation {
            simulate: "after-script-failed-upgrade-simulate",
            outdated: "list-upgradable-up-to-date",
            ..GOOD
        };
        let root = system(version, &failed)?;
        let recorded = format!("tests/it/apk/{version}/state/installed-after-failed-script");
        let installed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(recorded))?;
        root.write("lib/apk/db/installed", &installed)?;
        let said = root.scan()?.interrupted.context("says what failed")?;
        assert_eq!(said, "scripts of these packages failed: failpost-demo");
    }
    Ok(())
}

#[test]
fn trouble_of_apk_has_its_codes() -> Result<()> {
    for version in VERSIONS {
        for (update, trouble) in [
            ("update-connection-refused-aged", RefreshTrouble::Mirror),
            ("update-404-aged", RefreshTrouble::Mirror),
        ] {
            let report = system(version, &Situation { update, ..GOOD })?.scan()?;
            assert!(!report.refreshed);
            assert_eq!(
                (report.refresh_trouble, report.updates.len()),
                (Some(trouble), 18),
                "{version} {update}"
            );
        }
        let locked = Situation {
            update: "update-locked",
            ..GOOD
        };
        assert_eq!(system(version, &locked)?.failure()?, "locked");
        for update in ["update-connection-refused", "update-name-unknown"] {
            let never = Situation {
                update,
                simulate: "upgrade-simulate-never-updated",
                outdated: "list-upgradable-up-to-date",
            };
            assert_eq!(system(version, &never)?.failure()?, "no_lists", "{version} {update}");
        }
    }
    Ok(())
}
