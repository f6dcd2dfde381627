//! What tells our lines from everybody else's.

use std::fmt;

use crate::Error;

/// Eight random hexadecimal digits, drawn anew for each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nonce(u32);

impl Nonce {
    pub(super) fn new(value: u32) -> Self {
        Self(value)
    }

    /// One that nobody can guess.
    pub(super) fn random() -> Result<Self, Error> {
        getrandom::u32()
            .map(Self::new)
            .map_err(|e| Error::invalid("source of randomness", e.to_string()))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}
