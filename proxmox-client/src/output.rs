//! What a command leaves behind.

use std::fmt;

/// A command that has ended, in whichever way it was run.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Its exit code; 128 and the signal's number for one that a signal ended, as shells count.
    pub exit: i64,
    /// What it wrote to its standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error, byte for byte.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether it ended with 0.
    pub fn succeeded(&self) -> bool {
        self.exit == 0
    }
}

/// Sizes only: output belongs to the guest, and may be as private as it is long.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |stream: &[u8]| format!("{} bytes", stream.len());
        f.debug_struct("Output")
            .field("exit", &self.exit)
            .field("stdout", &bytes(&self.stdout))
            .field("stderr", &bytes(&self.stderr))
            .finish()
    }
}
