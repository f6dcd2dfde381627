//! What a command did: how it ended and what it printed.

use std::io::Read;
use std::process::{Child, ExitStatus};
use std::thread;

use anyhow::Result;

/// The end of a command.
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Printed,
    pub(crate) stderr: Printed,
}

/// One stream of a command, to its limit.
#[derive(Default)]
pub(crate) struct Printed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_cut: bool,
}

impl Outcome {
    /// Waits for a command and keeps what it prints, `limit` bytes per stream.
    pub(crate) fn of(mut child: Child, limit: u64) -> Result<Outcome> {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        // Both at once: a command blocks when nobody reads one of them.
        let errors = thread::spawn(move || stderr.map(|stderr| keep(stderr, limit)).unwrap_or_default());
        let stdout = stdout.map(|stdout| keep(stdout, limit)).unwrap_or_default();
        let stderr = errors.join().unwrap_or_default();
        Ok(Outcome {
            status: child.wait()?,
            stdout,
            stderr,
        })
    }

    /// What a shell makes of the end.
    pub(crate) fn exit(&self) -> i32 {
        exit_code(self.status)
    }
}

/// What a shell makes of the end of a command.
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Reads to the end; what is too much is read and forgotten, so that the command does not block.
fn keep(mut from: impl Read, limit: u64) -> Printed {
    let mut bytes = Vec::new();
    // A stream that breaks off has ended.
    drop(from.by_ref().take(limit).read_to_end(&mut bytes));
    let too_much = std::io::copy(&mut from, &mut std::io::sink()).unwrap_or_default();
    Printed {
        bytes,
        is_cut: too_much > 0,
    }
}
