//! The order of versions against what the real tools say.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output};

use anyhow::{Context, Result};
use muster_packages::{Manager, version};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use crate::shell;

/// Asked with every run, beside made-up ones: what is easily got wrong.
const KNOWN: [(&str, &str); 14] = [
    ("1.0", "1.0"),
    ("1.0", "1.00"),
    ("1.0~rc1", "1.0"),
    ("1.0rc1", "1.0"),
    ("1.0^git1", "1.0"),
    ("1.0^git1", "1.0.1"),
    ("1:0.5-1", "2.0-1"),
    ("1.0-1", "1.0-1.1"),
    ("2.36-9+deb12u10", "2.36-9+deb12u9"),
    ("1.0a", "1.0.1"),
    ("1.0.a", "1.0"),
    ("1..0", "1.0"),
    ("5.fc40", "5.el9"),
    ("1.0+b1", "1.0"),
];

/// Pairs of versions that resemble each other, the same ones in every run.
fn pairs(amount: usize) -> Result<Vec<(String, String)>> {
    let mut runner = TestRunner::deterministic();
    let piece = "([0-9]{1,2}|[a-c]|rc|alpha|[.+~^]|\\.[0-9])";
    let version = format!("([0-2]:)?[0-9]{piece}{{0,4}}(-[0-9]{{1,2}}(\\.[a-c0-9])?)?");
    let strategy = (
        proptest::string::string_regex(&version)?,
        proptest::string::string_regex(&version)?,
    );
    let mut pairs: Vec<(String, String)> = KNOWN.map(|(one, other)| (one.to_owned(), other.to_owned())).to_vec();
    for _ in 0..amount {
        let made = strategy.new_tree(&mut runner).map_err(anyhow::Error::msg)?;
        pairs.push(made.current());
    }
    Ok(pairs)
}

fn agrees(manager: Manager, one: &str, other: &str, real: Ordering) {
    let ours = version::compare(manager, one, other);
    assert_eq!(ours, real, "{} says so of {one:?} and {other:?}", manager.name());
    assert_eq!(version::compare(manager, other, one), real.reverse());
}

#[test]
fn debian_versions_are_ordered_as_dpkg_does() -> Result<()> {
    let is = |one: &str, relation: &str, other: &str| -> Result<bool> {
        let said = Command::new("dpkg")
            .args(["--compare-versions", one, relation, other])
            .output()?;
        Ok(said.status.success())
    };
    for (one, other) in pairs(200)? {
        // dpkg refuses this character altogether.
        let (one, other) = (one.replace('^', "+"), other.replace('^', "+"));
        let real = match (is(&one, "lt", &other)?, is(&one, "eq", &other)?) {
            (true, _) => Ordering::Less,
            (_, true) => Ordering::Equal,
            _ => Ordering::Greater,
        };
        agrees(Manager::Apt, &one, &other, real);
    }
    Ok(())
}

#[test]
fn rpm_versions_are_ordered_as_rpm_does() -> Result<()> {
    if !shell::has("rpm", "rpm_versions_are_ordered_as_rpm_does") {
        return Ok(());
    }
    let pairs = pairs(400)?;
    let mut script = String::new();
    for (one, other) in &pairs {
        write!(script, "print(rpm.vercmp('{one}', '{other}'), ' ') ")?;
    }
    let said = shell::run("rpm", &["--eval", &format!("%{{lua:{script}}}")], "/".as_ref())?;
    let said = String::from_utf8(said.stdout)?;
    let numbers: Vec<i32> = said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    assert_eq!(numbers.len(), pairs.len());
    for ((one, other), number) in pairs.iter().zip(numbers) {
        agrees(Manager::Dnf, one, other, number.cmp(&0));
        agrees(Manager::Zypper, one, other, number.cmp(&0));
    }
    Ok(())
}

#[test]
fn arch_versions_are_ordered_as_pacman_does() -> Result<()> {
    if !shell::has("pacman", "arch_versions_are_ordered_as_pacman_does") {
        return Ok(());
    }
    // These are part of no version of Arch.
    let plain = |text: String| text.replace(['~', '^'], ".");
    // An installed package always has a release.
    let whole = |text: String| if text.contains('-') { text } else { text + "-1" };
    let pairs: Vec<(String, String)> = pairs(400)?
        .into_iter()
        .map(|(one, other)| (whole(plain(one)), plain(other)))
        .collect();
    let folder = TempDir::new()?;
    for (number, (one, _)) in pairs.iter().enumerate() {
        let package = folder.path().join(format!("local/p{number}-{one}"));
        fs::create_dir_all(&package)?;
        fs::write(
            package.join("desc"),
            format!("%NAME%\np{number}\n\n%VERSION%\n{one}\n\n"),
        )?;
    }
    fs::write(folder.path().join("local/ALPM_DB_VERSION"), "9\n")?;
    fs::create_dir_all(folder.path().join("sync"))?;
    fs::write(folder.path().join("pacman.conf"), "[options]\nArchitecture = auto\n")?;
    let unmet = |relation: &str| -> Result<Output> {
        let wanted = pairs
            .iter()
            .enumerate()
            .map(|(number, (_, other))| format!("p{number}{relation}{other}"));
        Command::new("pacman")
            .arg("-T")
            .arg("--dbpath")
            .arg(folder.path())
            .arg("--config")
            .arg(folder.path().join("pacman.conf"))
            .args(wanted)
            .output()
            .context("pacman runs")
    };
    let names = |output: Output| -> Vec<String> {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(str::to_owned).collect()
    };
    let (not_less, not_equal) = (names(unmet("<")?), names(unmet("=")?));
    for (number, (one, other)) in pairs.iter().enumerate() {
        let real = if !not_less.contains(&format!("p{number}<{other}")) {
            Ordering::Less
        } else if !not_equal.contains(&format!("p{number}={other}")) {
            Ordering::Equal
        } else {
            Ordering::Greater
        };
        agrees(Manager::Pacman, one, other, real);
    }
    Ok(())
}

/// Answers of apk-tools 2.14.10 and 3.0.6, recorded in November 2026: one, what the older says, other, what the newer says.
const RECORDED: &str = include_str!("apk/compare.tsv");

#[test]
fn alpine_versions_are_ordered_as_apk_does() -> Result<()> {
    let mut compared = 0;
    // Its numbers have 63 bits; longer ones wrap around there and not here.
    let fits = |line: &&str| {
        line.split(|c: char| !c.is_ascii_digit())
            .all(|digits| digits.len() < 19)
    };
    let lines = RECORDED
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines.filter(fits) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [one, _, other, newer] = columns[..] else {
            anyhow::bail!("no such columns: {line}")
        };
        let real = match newer {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            // It refuses one of the two.
            _ => continue,
        };
        agrees(Manager::Apk, one, other, real);
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
    Ok(())
}
