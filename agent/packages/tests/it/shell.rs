//! The shells that every script must run under.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};

/// `sh` of this machine, Debian's and Alpine's.
pub(crate) const SHELLS: [&[&str]; 3] = [&["sh"], &["dash"], &["busybox", "sh"]];

/// A command that runs `script` under `shell` with nothing on its standard input.
pub(crate) fn command(shell: &[&str], script: &str) -> Command {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).args(["-c", script]).stdin(Stdio::null());
    command
}

/// Runs a program to its end and wants it to succeed.
pub(crate) fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<Output> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .output()
        .with_context(|| format!("cannot start {program}; is it installed?"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{program} {arguments:?} failed: {said}");
    Ok(output)
}

/// Whether this machine has a program. A test without it is noted in the file that `make test` counts; in CI that is a
/// failure at once.
pub(crate) fn has(program: &str, test: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    if found {
        return true;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{test} cannot be skipped in CI: this machine has no {program}"
    );
    eprintln!("skipped: {test}: this machine has no {program}");
    if let Some(path) = std::env::var_os("TEST_SKIPS") {
        let file = File::options().append(true).create(true).open(path);
        let noted = file.and_then(|mut file| writeln!(file, "{test}: this machine has no {program}"));
        noted.expect("the list of skips is written");
    }
    false
}
