//! SHA-256 fingerprints of certificates, in the form that Proxmox shows them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};

use crate::Error;

/// The SHA-256 of a certificate in DER form; shown as PVE shows it: 32 upper-case bytes joined by colons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Computes the fingerprint of a certificate in DER form.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// The 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// Reads 32 bytes in hexadecimal, with or without colons, in either case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let digits: Vec<u8> = text.trim().bytes().filter(|b| *b != b':').collect();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(not_a_fingerprint());
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn hex_digit(byte: u8) -> Result<u8, Error> {
    char::from(byte)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
        .ok_or_else(not_a_fingerprint)
}

fn not_a_fingerprint() -> Error {
    Error::invalid(
        "fingerprint",
        "a SHA-256 fingerprint is 32 bytes in hexadecimal, such as AA:BB:…",
    )
}

/// The certificates that a client trusts when it pins: a shared set that can grow and shrink while the client works.
///
/// Clones share the same set. A change counts from the next TLS handshake on.
#[derive(Clone, Default)]
pub struct Fingerprints(Arc<RwLock<BTreeSet<Fingerprint>>>);

impl Fingerprints {
    /// A set with these members.
    pub fn new(members: impl IntoIterator<Item = Fingerprint>) -> Self {
        Self(Arc::new(RwLock::new(members.into_iter().collect())))
    }

    /// Trusts one more certificate; false when it was trusted already.
    pub fn insert(&self, fingerprint: Fingerprint) -> bool {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(fingerprint)
    }

    /// Stops trusting a certificate; false when it was not trusted.
    pub fn remove(&self, fingerprint: &Fingerprint) -> bool {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(fingerprint)
    }

    /// Whether a certificate is trusted.
    pub fn contains(&self, fingerprint: &Fingerprint) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(fingerprint)
    }

    /// All members, sorted.
    pub fn to_vec(&self) -> Vec<Fingerprint> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .copied()
            .collect()
    }
}

impl fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.to_vec()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_pve_does_and_reads_both_forms() {
        let one = Fingerprint::of(b"certificate");
        let shown = one.to_string();
        assert_eq!(shown.len(), 95);
        assert_eq!(shown, shown.to_uppercase());
        assert_eq!(shown.parse::<Fingerprint>().expect("its own form"), one);
        assert_eq!(
            shown
                .replace(':', "")
                .to_lowercase()
                .parse::<Fingerprint>()
                .expect("plain hexadecimal"),
            one
        );
    }

    #[test]
    fn refuses_other_lengths_and_letters() {
        for text in ["", "AA:BB", &"é".repeat(32), &"G".repeat(64), &"0".repeat(65)] {
            assert!(
                text.parse::<Fingerprint>().is_err(),
                "{text} was taken for a fingerprint"
            );
        }
    }

    #[test]
    fn clones_share_the_set() {
        let set = Fingerprints::default();
        let other = set.clone();
        let one = Fingerprint::of(b"one");
        assert!(set.insert(one));
        assert!(other.contains(&one));
        assert!(other.remove(&one));
        assert!(!set.contains(&one));
    }
}
