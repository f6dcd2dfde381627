//! The server's Ed25519 key: agents learn its public half from the script they are installed by, and believe nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use muster_store::Store;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::app::{Error, Seal};
use crate::clock::Ids;

/// The owner of secrets that belong to the server itself.
pub(crate) const SERVER: Uuid = Uuid::nil();
const PURPOSE: &str = "server_identity";

/// The server's key pair. Prints without the private half.
pub struct ServerIdentity {
    key: SigningKey,
}

impl ServerIdentity {
    /// The key of this database; made and sealed at the first start.
    pub async fn load(store: &Store, seal: &Seal, ids: &dyn Ids) -> Result<ServerIdentity, Error> {
        let fresh = Zeroizing::new(ids.secret());
        let stored: Result<Zeroizing<Vec<u8>>, Error> = muster_store::write!(store, tx => {
            if tx.secret(SERVER, PURPOSE).await?.is_none() {
                seal.put(tx, SERVER, PURPOSE, fresh.as_slice()).await?;
            }
            Ok(seal.get(tx, SERVER, PURPOSE).await?)
        });
        let stored = stored?;
        let bytes: &[u8; 32] = stored
            .as_slice()
            .try_into()
            .map_err(|_| Error::Internal("the sealed server key is not 32 bytes long".to_owned()))?;
        Ok(ServerIdentity {
            key: SigningKey::from_bytes(bytes),
        })
    }

    /// The public half, base64 of 32 bytes.
    pub fn public_key(&self) -> String {
        BASE64.encode(self.key.verifying_key().as_bytes())
    }

    /// Signs bytes made by `muster_protocol::signing`; base64.
    pub fn sign(&self, bytes: &[u8]) -> String {
        BASE64.encode(self.key.sign(bytes).to_bytes())
    }
}

impl std::fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServerIdentity({})", self.public_key())
    }
}
