//! Sealing secrets before they reach the database: AES-256-GCM under a key that lies in a file beside it.
//!
//! Every seal has a fresh random nonce; the owner's id and the purpose are bound to it, so that a ciphertext moved to another
//! row does not open. A key file has one key per line: the first seals, the others still open what is not yet sealed anew.

mod file;
mod rotate;

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead as _, Generate as _, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit as _, Nonce};
use muster_store::secrets::SecretRow;
use muster_store::{StoreError, Tx};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use file::KeyFileError;
pub use rotate::RotateError;

/// Length of a nonce, in bytes.
const NONCE: usize = 12;

/// The keys of this process. Cheap to clone; prints without the keys.
#[derive(Clone)]
pub struct Seal {
    keys: Arc<Vec<SealKey>>,
}

/// One key and the short name that stands beside what it sealed.
struct SealKey {
    id: String,
    cipher: Aes256Gcm,
}

/// A sealed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key it is sealed under.
    pub key_id: String,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// Why a sealed value does not open.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file lacks the key.
    #[error(
        "a secret is sealed under key {key_id}, which the key file does not hold: put the key file back that belongs to this database"
    )]
    UnknownKey {
        /// Name of the missing key.
        key_id: String,
    },
    /// The ciphertext was changed, or belongs to another row.
    #[error("the sealed secret \"{purpose}\" of {owner} is damaged: enter the secret again")]
    Damaged {
        /// The row it belongs to.
        owner: Uuid,
        /// What it is for.
        purpose: String,
    },
    /// There is none.
    #[error("there is no secret \"{purpose}\" of {owner}: enter it again")]
    Missing {
        /// The row it should belong to.
        owner: Uuid,
        /// What it should be for.
        purpose: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Seal {
    /// With these keys: the first one seals.
    pub fn new(keys: &[Zeroizing<[u8; 32]>]) -> Seal {
        Seal {
            keys: Arc::new(keys.iter().map(SealKey::new).collect()),
        }
    }

    /// Seals `secret` for `owner` and `purpose`; it opens for no other.
    pub fn seal(&self, owner: Uuid, purpose: &str, secret: &[u8]) -> Sealed {
        let key = &self.keys[0];
        let nonce = Nonce::generate();
        let payload = Payload {
            msg: secret,
            aad: &bound_to(owner, purpose),
        };
        let ciphertext = key
            .cipher
            .encrypt(&nonce, payload)
            .expect("AES-GCM seals any value shorter than 64 GiB");
        Sealed {
            key_id: key.id.clone(),
            bytes: [nonce.as_slice(), &ciphertext].concat(),
        }
    }

    /// Opens what was sealed for `owner` and `purpose`.
    pub fn open(
        &self,
        owner: Uuid,
        purpose: &str,
        key_id: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let key = self
            .keys
            .iter()
            .find(|key| key.id == key_id)
            .ok_or_else(|| SealError::UnknownKey {
                key_id: key_id.to_owned(),
            })?;
        let damaged = || SealError::Damaged {
            owner,
            purpose: purpose.to_owned(),
        };
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
        let payload = Payload {
            msg: ciphertext,
            aad: &bound_to(owner, purpose),
        };
        key.cipher
            .decrypt(&Nonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| damaged())
    }

    /// Stores `secret` of `owner`, sealed, in place of an earlier one for the same purpose.
    pub async fn put(&self, tx: &mut Tx, owner: Uuid, purpose: &str, secret: &[u8]) -> Result<(), StoreError> {
        let sealed = self.seal(owner, purpose, secret);
        tx.put_secret(&SecretRow {
            owner,
            purpose: purpose.to_owned(),
            key_id: sealed.key_id,
            sealed: sealed.bytes,
        })
        .await
    }

    /// The secret of `owner` for that purpose, open.
    pub async fn get(&self, tx: &mut Tx, owner: Uuid, purpose: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let row = tx.secret(owner, purpose).await?.ok_or_else(|| SealError::Missing {
            owner,
            purpose: purpose.to_owned(),
        })?;
        self.open(owner, purpose, &row.key_id, &row.sealed)
    }

    /// The name of the key that seals.
    pub fn key_id(&self) -> &str {
        &self.keys[0].id
    }
}

impl SealKey {
    fn new(key: &Zeroizing<[u8; 32]>) -> SealKey {
        let id = hex::encode(&Sha256::digest(key.as_slice())[..4]);
        SealKey {
            id,
            cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(**key)),
        }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

fn bound_to(owner: Uuid, purpose: &str) -> Vec<u8> {
    [owner.as_bytes(), purpose.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(key: u8) -> Seal {
        Seal::new(&[Zeroizing::new([key; 32])])
    }

    #[test]
    fn a_secret_opens_only_for_its_owner_and_purpose() {
        let (seal, owner) = (seal(1), Uuid::from_u128(1));
        let sealed = seal.seal(owner, "pve_token", b"hunter2");
        let open = |owner, purpose| seal.open(owner, purpose, &sealed.key_id, &sealed.bytes);
        assert_eq!(open(owner, "pve_token").expect("opens").as_slice(), b"hunter2");
        assert!(matches!(open(owner, "other"), Err(SealError::Damaged { .. })));
        assert!(matches!(
            open(Uuid::from_u128(2), "pve_token"),
            Err(SealError::Damaged { .. })
        ));
    }

    #[test]
    fn two_seals_of_one_secret_differ() {
        let (seal, owner) = (seal(1), Uuid::from_u128(1));
        assert_ne!(
            seal.seal(owner, "x", b"same").bytes,
            seal.seal(owner, "x", b"same").bytes
        );
    }

    #[test]
    fn another_key_is_named_instead_of_tried() {
        let owner = Uuid::from_u128(1);
        let sealed = seal(1).seal(owner, "x", b"y");
        let refused = seal(2).open(owner, "x", &sealed.key_id, &sealed.bytes);
        assert!(matches!(refused, Err(SealError::UnknownKey { key_id }) if key_id == sealed.key_id));
    }
}
