use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use muster_packages::scan::{self, Patience, ScanError, ScanReport};

use crate::apt_lab::AptLab;
use crate::shell::SHELLS;

const INSTALLED: &str = "install ok installed";

fn patience() -> Patience {
    Patience {
        lock: Duration::from_secs(2),
        refresh: Duration::from_secs(30),
    }
}

fn scan(lab: &AptLab, shell: &[&str]) -> Result<ScanReport> {
    let output = lab.run(shell, &scan::script(patience()))?;
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell:?} complains");
    scan::parse(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A system on which everything that apt can say about an update is the case for one package.
fn full_lab() -> Result<AptLab> {
    let lab = AptLab::new()?;
    for name in ["plain", "fixed", "held", "phased", "kept", "between", "same"] {
        lab.publish("stable", name, "1.0", "")?;
    }
    lab.publish("stable", "epoch", "1:1.0-1", "Architecture: amd64\n")?;
    lab.publish("updates", "epoch", "1:1.2-1~bpo12+1", "Architecture: amd64\n")?;
    lab.publish("updates", "plain", "1.1", "Depends: brought\n")?;
    lab.publish("updates", "brought", "0.5", "")?;
    lab.publish("security", "fixed", "1.0+deb12u1", "")?;
    lab.publish("updates", "fixed", "1.0+deb12u1", "")?;
    lab.publish("updates", "held", "1.1", "")?;
    lab.publish("updates", "phased", "1.1", "Phased-Update-Percentage: 0\n")?;
    lab.publish("updates", "kept", "2.0", "Depends: absent\n")?;
    lab.publish("security", "between", "1.1", "")?;
    lab.publish("updates", "between", "1.2", "")?;
    lab.open(|name| if name == "held" { "hold ok installed" } else { INSTALLED })?;
    Ok(lab)
}

#[test]
fn every_shell_reads_a_real_apt_system() -> Result<()> {
    let lab = full_lab()?;
    for shell in SHELLS {
        let report = scan(&lab, shell)?;
        let sizes: Vec<bool> = report
            .updates
            .iter()
            .map(|update| update.size.is_some_and(|size| size > 100))
            .collect();
        assert_eq!(sizes, [true, true, true, false, false, false, true], "{shell:?}");
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(report, { ".updates[].size" => "[size]" });
        }
    }
    Ok(())
}

#[test]
fn a_dead_mirror_is_said_and_the_old_lists_are_used() -> Result<()> {
    let lab = full_lab()?;
    scan(&lab, SHELLS[0])?;
    lab.add_source("deb [trusted=yes] http://127.0.0.1:1/dead ./")?;
    let report = scan(&lab, SHELLS[0])?;
    assert!(!report.refreshed);
    assert!(report.refresh_error.context("says why")?.contains("Connection refused"));
    assert_eq!(report.updates.len(), 7);
    Ok(())
}

#[test]
fn an_up_to_date_system_has_no_updates() -> Result<()> {
    let lab = AptLab::new()?;
    lab.publish("stable", "same", "1.0", "")?;
    lab.open(|_| INSTALLED)?;
    let report = scan(&lab, SHELLS[0])?;
    assert_eq!(
        (report.updates.len(), report.refreshed, report.interrupted),
        (0, true, None)
    );
    Ok(())
}

#[test]
fn an_interrupted_transaction_is_said() -> Result<()> {
    let lab = AptLab::new()?;
    lab.publish("stable", "half", "1.0", "")?;
    lab.open(|_| "install ok half-configured")?;
    let said = scan(&lab, SHELLS[0])?.interrupted.context("says what is unfinished")?;
    assert_eq!(said, "an earlier transaction did not end: half (half-configured)");
    Ok(())
}

#[test]
fn unreadable_sources_are_a_failure_with_apts_words() -> Result<()> {
    let lab = full_lab()?;
    lab.add_source("deb nonsense")?;
    let output = lab.run(SHELLS[0], &scan::script(patience()))?;
    let Err(ScanError::Tool { said, .. }) = scan::parse(&output.stdout) else {
        anyhow::bail!("must fail")
    };
    assert!(said.contains("sources.list"), "{said}");
    Ok(())
}

#[test]
fn a_lock_that_is_held_is_a_failure_of_its_own() -> Result<()> {
    let lab = full_lab()?;
    let mut holder = hold_lock(&lab)?;
    let output = lab.run(SHELLS[0], &scan::script(patience()));
    holder.kill()?;
    holder.wait()?;
    let error = scan::parse(&output?.stdout);
    assert!(matches!(error, Err(ScanError::Locked { .. })), "{error:?}");
    Ok(())
}

#[test]
fn a_lock_that_is_given_back_is_waited_for() -> Result<()> {
    let lab = full_lab()?;
    let mut holder = hold_lock(&lab)?;
    // The first wait of the script ends the other tool.
    lab.tool(
        "sleep",
        &format!("#!/bin/sh\nkill {}\nexec /bin/sleep 0.1\n", holder.id()),
    )?;
    let report = scan(&lab, SHELLS[0]);
    holder.wait()?;
    assert!(report?.refreshed);
    Ok(())
}

/// Another package tool that updates the lists.
fn hold_lock(lab: &AptLab) -> Result<Child> {
    File::create(lab.lists_lock())?;
    // apt takes POSIX record locks, which Rust's standard library does not offer.
    let hold = r#"use Fcntl; open(F, '+<', $ARGV[0]); my $lock = pack('ssx4qqix4', F_WRLCK, 0, 0, 0, 0);
        fcntl(F, F_SETLK, $lock) or die $!; $| = 1; print qq(held\n); sleep 60"#;
    let mut holder = Command::new("perl")
        .args(["-e", hold])
        .arg(lab.lists_lock())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(holder.stdout.take().context("piped")?).read_line(&mut line)?;
    assert_eq!(line, "held\n");
    Ok(holder)
}
