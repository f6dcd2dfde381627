//! The shells that every script must run under.

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
