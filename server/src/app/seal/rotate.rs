//! A new key for everything that is sealed.

use std::path::Path;

use muster_store::secrets::SecretRow;
use muster_store::{GivesWay, Store, StoreError};
use zeroize::Zeroizing;

use super::file::{keys, replace};
use super::{KeyFileError, Seal, SealError};

/// Why the key could not be replaced. Whatever happened, every secret still opens with the key file as it is now.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The key file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// A secret does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl From<StoreError> for RotateError {
    fn from(error: StoreError) -> Self {
        RotateError::Seal(error.into())
    }
}

impl GivesWay for RotateError {
    fn gives_way(&self) -> bool {
        matches!(self, RotateError::Seal(SealError::Store(error)) if error.gives_way())
    }
}

impl Seal {
    /// Puts `key` first into the key file, seals every secret anew under it, and drops the older keys from the file.
    /// A crash in between leaves a file with both keys. No server may be running: it would go on sealing under the old key.
    /// Returns how many secrets were sealed anew.
    pub async fn rotate(path: &Path, key: Zeroizing<[u8; 32]>, store: &Store) -> Result<usize, RotateError> {
        let mut both = keys(path)?;
        both.insert(0, key);
        replace(path, &both)?;
        let seal = Seal::new(&both);
        let sealed: Result<usize, RotateError> = muster_store::write!(store, tx => {
            let rows = tx.secrets().await?;
            for SecretRow { owner, purpose, key_id, sealed } in &rows {
                let secret = seal.open(*owner, purpose, key_id, sealed)?;
                seal.put(tx, *owner, purpose, &secret).await?;
            }
            tx.forget_answers().await?;
            Ok(rows.len())
        });
        let sealed = sealed?;
        replace(path, &both[..1])?;
        Ok(sealed)
    }
}
