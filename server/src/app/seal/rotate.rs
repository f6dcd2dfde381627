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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const OWNER: Uuid = Uuid::from_u128(1);

    #[tokio::test]
    async fn every_secret_opens_with_the_new_key_alone() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("key");
        let store = Store::open(&format!("sqlite:{}", folder.path().join("m.db").display())).await?;
        store.migrate().await?;
        let old = Seal::create(&path, Zeroizing::new([1; 32]))?;
        let stored: Result<(), StoreError> = muster_store::write!(store, tx => {
            old.put(tx, OWNER, "a", b"first").await?;
            old.put(tx, OWNER, "b", b"second").await
        });
        stored?;

        assert_eq!(Seal::rotate(&path, Zeroizing::new([2; 32]), &store).await?, 2);
        let new = Seal::new(&[Zeroizing::new([2; 32])]);
        assert_eq!(Seal::read(&path)?.key_id(), new.key_id());
        let mut tx = store.read().await?;
        for (purpose, secret) in [("a", b"first".as_slice()), ("b", b"second")] {
            assert_eq!(new.get(&mut tx, OWNER, purpose).await?.as_slice(), secret);
            assert!(matches!(
                old.get(&mut tx, OWNER, purpose).await,
                Err(SealError::UnknownKey { .. })
            ));
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_secret_that_does_not_open_stops_the_change_and_loses_nothing() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("key");
        let store = Store::open(&format!("sqlite:{}", folder.path().join("m.db").display())).await?;
        store.migrate().await?;
        let (mine, other) = (
            Seal::create(&path, Zeroizing::new([1; 32]))?,
            Seal::new(&[Zeroizing::new([9; 32])]),
        );
        let stored: Result<(), StoreError> = muster_store::write!(store, tx => {
            mine.put(tx, OWNER, "a", b"first").await?;
            other.put(tx, OWNER, "b", b"second").await
        });
        stored?;
        let refused = Seal::rotate(&path, Zeroizing::new([2; 32]), &store).await;
        assert!(matches!(refused, Err(RotateError::Seal(SealError::UnknownKey { .. }))));
        let mut tx = store.read().await?;
        assert_eq!(Seal::read(&path)?.get(&mut tx, OWNER, "a").await?.as_slice(), b"first");
        Ok(())
    }
}
