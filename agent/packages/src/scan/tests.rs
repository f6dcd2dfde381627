use proptest::prelude::*;

use super::*;
use crate::frame::answer;

/// Recorded from apt 2.6 on Debian 12 with archives made for the purpose: one update of every kind.
const RECORDED: &[u8] = include_bytes!("debian12.recorded");

const SIMULATED: &str = "Reading package lists...
The following upgrades have been deferred due to phasing:
  snapd
The following packages have been kept back:
  linux-generic libfoo:i386
The following packages will be upgraded:
  openssl
1 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.
Inst openssl [3.0.2-0ubuntu1.10] (3.0.2-0ubuntu1.12 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64]) []
Conf openssl (3.0.2-0ubuntu1.12 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])";

const VERSIONS: &str = "openssl:
  Installed: 3.0.2-0ubuntu1.10
  Candidate: 3.0.2-0ubuntu1.12
  Version table:
     3.0.2-0ubuntu1.12 500
        500 http://archive.ubuntu.com/ubuntu jammy-updates/main amd64 Packages
        500 http://security.ubuntu.com/ubuntu jammy-security/main amd64 Packages
 *** 3.0.2-0ubuntu1.10 100
        100 /var/lib/dpkg/status
     3.0.2-0ubuntu1 500
        500 http://archive.ubuntu.com/ubuntu jammy/main amd64 Packages
snapd:
  Installed: 2.58+22.04
  Candidate: 2.61.3+22.04
  Version table:
     2.61.3+22.04 500 (phased 30%)
        500 http://archive.ubuntu.com/ubuntu jammy-updates/main amd64 Packages
 *** 2.58+22.04 100
        100 /var/lib/dpkg/status
linux-generic:
  Installed: 5.15.0.88.85
  Candidate: 5.15.0.91.88
  Package pin: 5.15.0.91.88
  Version table:
     5.15.0.91.88 1001
       1001 http://archive.ubuntu.com/ubuntu jammy-updates/main amd64 Packages
     5.15.0.90.87 -1
         -1 http://security.ubuntu.com/ubuntu jammy-security/main amd64 Packages
 *** 5.15.0.88.85 100
        100 /var/lib/dpkg/status
libfoo:i386:
  Installed: 1.0
  Candidate: 1.1
  Version table:
     2.0 -1
         -1 http://security.ubuntu.com/ubuntu jammy-security/main amd64 Packages
     1.1 500
        500 http://archive.ubuntu.com/ubuntu jammy-updates/main i386 Packages
 *** 1.0 100
        100 /var/lib/dpkg/status";

const SOURCES: &str = "Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 http://security.ubuntu.com/ubuntu jammy-security/main amd64 Packages
     release v=22.04,o=Ubuntu,a=jammy-security,n=jammy,l=Ubuntu,c=main,b=amd64
     origin security.ubuntu.com
 500 http://archive.ubuntu.com/ubuntu jammy-updates/main amd64 Packages
     release v=22.04,o=Ubuntu,a=jammy-updates,n=jammy,l=Ubuntu,c=main,b=amd64
     origin archive.ubuntu.com
 500 http://archive.ubuntu.com/ubuntu jammy-updates/main i386 Packages
     release v=22.04,o=Ubuntu,a=jammy-updates,n=jammy,l=Ubuntu,c=main,b=i386
     origin archive.ubuntu.com
Pinned packages:
     linux-generic -> 5.15.0.91.88 with priority 1001";

fn sections<'a>() -> Vec<(&'a str, i32, &'a str)> {
    vec![
        ("manager", 0, "apt"),
        ("refresh", 0, "Hit:1 http://archive.ubuntu.com/ubuntu jammy InRelease"),
        ("unfinished", 0, ""),
        ("reboot", 0, "yes"),
        ("restarts", 0, "cron.service\nnginx"),
        ("simulate", 0, SIMULATED),
        ("held", 0, "libfoo:i386"),
        (
            "archs",
            0,
            "openssl\tamd64\nsnapd\tamd64\nlinux-generic\tamd64\nlibfoo\ti386",
        ),
        ("versions", 0, VERSIONS),
        ("sources", 0, SOURCES),
    ]
}

fn with(name: &str, exit: i32, body: &str) -> Result<ScanReport, ScanError> {
    let changed = sections().into_iter().map(|section| {
        if section.0 == name {
            (section.0, exit, body)
        } else {
            section
        }
    });
    parse(&answer("scan", &changed.collect::<Vec<_>>()))
}

fn without(name: &str) -> Result<ScanReport, ScanError> {
    parse(&answer(
        "scan",
        &sections()
            .into_iter()
            .filter(|section| section.0 != name)
            .collect::<Vec<_>>(),
    ))
}

#[test]
fn an_ubuntu_system_is_read() {
    let report = parse(&answer("scan", &sections())).expect("readable");
    assert!(report.reboot_required && report.refreshed);
    let read: Vec<_> = report
        .updates
        .iter()
        .map(|update| {
            (
                update.name.as_str(),
                update.arch.as_str(),
                update.evidence.as_deref(),
                update.held,
                update.phased,
                update.kept_back,
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            ("libfoo", "i386", None, true, None, false),
            (
                "linux-generic",
                "amd64",
                Some("Ubuntu:22.04/jammy-security (5.15.0.90.87)"),
                false,
                None,
                true
            ),
            (
                "openssl",
                "amd64",
                Some("Ubuntu:22.04/jammy-security"),
                false,
                None,
                false
            ),
            ("snapd", "amd64", None, false, Some(30), false),
        ]
    );
    assert_eq!(report.updates[1].origin, "Ubuntu:22.04/jammy-updates");
    assert_eq!(report.updates[2].from.as_deref(), Some("3.0.2-0ubuntu1.10"));
}

#[test]
fn a_security_archive_of_debian_is_known_by_its_label() {
    let debian = "l=Debian-Security,a=oldstable,v=10";
    let sources = SOURCES.replace("v=22.04,o=Ubuntu,a=jammy-security,n=jammy,l=Ubuntu", debian);
    let report = with("sources", 0, &sources).expect("readable");
    assert_eq!(
        report.updates[2].evidence.as_deref(),
        Some("Debian-Security:10/oldstable")
    );
}

#[test]
fn counts_that_do_not_agree_with_the_list_are_garbage() {
    for changed in [
        SIMULATED.replace("3 not upgraded", "4 not upgraded"),
        SIMULATED.replace("1 upgraded,", "2 upgraded,"),
        SIMULATED.replace("kept back:", "zurückgehalten:"),
        SIMULATED.replace("Inst openssl [", "Inst openssl <"),
        SIMULATED.replace(" not upgraded.", " nicht aktualisiert."),
        String::new(),
    ] {
        let error = with("simulate", 0, &changed).expect_err("must not be read");
        assert_eq!(error.code(), "garbage", "{error}");
    }
}

#[test]
fn a_failed_step_is_an_error_and_not_fewer_updates() {
    for step in ["simulate", "held", "archs", "versions", "sources", "unfinished"] {
        let error = with(step, 100, "E: Something is broken").expect_err(step);
        assert_eq!(error.code(), "tool_failed", "{step}");
    }
    for step in [
        "manager",
        "refresh",
        "unfinished",
        "reboot",
        "simulate",
        "held",
        "archs",
        "versions",
        "sources",
    ] {
        assert_eq!(without(step).expect_err(step).code(), "garbage", "{step}");
    }
    let error = with("versions", 0, "N: Unable to locate package openssl").expect_err("openssl is unknown");
    assert_eq!(error.code(), "garbage");
}

#[test]
fn trouble_with_the_lists_is_said() {
    let dead =
        "Err:1 http://x jammy InRelease\nW: Failed to fetch http://x  Connection failed\nW: Some index files failed";
    for (exit, said, error) in [
        (
            0,
            dead,
            "W: Failed to fetch http://x  Connection failed\nW: Some index files failed",
        ),
        (100, "", "'apt-get update' failed with exit code 100"),
        (124, "", "'apt-get update' did not end in time"),
    ] {
        let report = with("refresh", exit, said).expect("old lists are better than none");
        assert_eq!(
            (report.refreshed, report.refresh_error.as_deref()),
            (false, Some(error))
        );
        assert_eq!(report.updates.len(), 4);
    }
    let locked = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 9 (apt-get)";
    assert_eq!(with("refresh", 100, locked).expect_err("locked").code(), "locked");
}

#[test]
fn a_system_without_a_known_package_manager_is_unsupported() {
    let none = parse(&answer("scan", &[("manager", 1, "no package manager found")]));
    assert_eq!(none, Err(ScanError::NoManager));
    let old = [
        ("manager", 0, "dnf"),
        ("tool", 0, "yum\n3.4.3"),
        ("reboot", 0, "no"),
        ("restarts", 0, ""),
    ];
    let error = parse(&answer("scan", &old)).expect_err("nobody reads yum 3");
    assert_eq!(error.code(), "unsupported");
    assert_eq!(
        error.to_string(),
        "yum 3.4.3 is too old to be read; nothing is known about updates here"
    );
}

#[test]
fn no_lists_at_all_are_a_failure_and_not_zero_updates() {
    let nothing = "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.";
    let sections = [
        ("manager", 0, "apt"),
        (
            "refresh",
            0,
            "W: Failed to fetch http://x  Temporary failure resolving 'x'",
        ),
        ("unfinished", 0, ""),
        ("reboot", 0, "no"),
        ("restarts", 0, ""),
        ("simulate", 0, nothing),
        (
            "sources",
            0,
            "Package files:\n 100 /var/lib/dpkg/status\n     release a=now\nPinned packages:",
        ),
    ];
    let error = parse(&answer("scan", &sections)).expect_err("nothing is known");
    assert_eq!(error.code(), "no_lists");
    assert!(
        error
            .to_string()
            .ends_with("the guest has no network, or resolves no names"),
        "{error}"
    );
}

#[test]
fn what_comes_and_goes_with_an_upgrade_is_told() {
    let simulated = SIMULATED.replace(
        "Conf openssl",
        "Inst brought (0.5-1 Ubuntu:22.04/jammy [amd64])\nRemv old-thing [1.0]\nConf openssl",
    );
    let report = with("simulate", 0, &simulated).expect("readable");
    let one = |name: &str, version: &str| PackageVersion {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    assert_eq!(report.installs, [one("brought", "0.5-1")]);
    assert_eq!(report.removes, [one("old-thing", "1.0")]);
    assert_eq!(report.restarts, ["cron.service", "nginx"]);
}

#[test]
fn no_part_of_a_recorded_answer_is_a_report() {
    assert_eq!(parse(RECORDED).expect("the whole is one").updates.len(), 7);
    for end in 0..RECORDED.len() {
        assert!(parse(&RECORDED[..end]).is_err(), "cut at byte {end}");
    }
}

proptest! {
    #[test]
    fn a_damaged_answer_is_an_error_or_the_same_report(place in 0..RECORDED.len(), byte: u8) {
        let mut damaged = RECORDED.to_vec();
        damaged[place] = byte;
        if let Ok(report) = parse(&damaged) {
            prop_assert_eq!(report, parse(RECORDED).expect("the whole is one"));
        }
    }

    #[test]
    fn an_answer_that_lost_a_line_is_an_error_or_the_same_report(place in 0_usize..200) {
        let mut lines: Vec<&[u8]> = RECORDED.split_inclusive(|byte| *byte == b'\n').collect();
        lines.remove(place % lines.len());
        if let Ok(report) = parse(&lines.concat()) {
            prop_assert_eq!(report, parse(RECORDED).expect("the whole is one"));
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        prop_assert!(parse(&bytes).is_err());
    }

    #[test]
    fn whatever_the_tools_say_is_survived(
        which in 1_usize..9,
        exit in 0..3,
        text in "(Inst |Conf |  |     | \\*\\*\\* |[a-z]{1,4}|[0-9]|[\\[\\]():,/%é '\\t_-]|\n| kept back:| not upgraded\\.| and ){0,40}",
    ) {
        let mut sections = sections();
        sections[which] = (sections[which].0, exit, text.trim_end());
        // Either result is fine; the parser must come back with one.
        let _ = parse(&answer("scan", &sections));
    }
}
