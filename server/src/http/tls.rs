//! Our own TLS, for who has no proxy in front. A renewed certificate is taken without a restart.

use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::config::Config;
use crate::lifecycle::Kick;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The certificate of now. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

impl Tls {
    /// For one connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Reads the configured certificate and watches its files; `None` when none is configured.
pub fn start(app: &App) -> anyhow::Result<Option<Tls>> {
    let (Some(chain), Some(key)) = (app.config.tls_cert.clone(), app.config.tls_key.clone()) else {
        return Ok(None);
    };
    let mut seen = written_at(&chain, &key);
    let (config, certificates) = read(&chain, &key)?;
    app.agents.certificate.serve(certificates);
    let tls = Tls {
        current: Arc::new(RwLock::new(config)),
    };
    let (app, current) = (app.clone(), tls.current.clone());
    app.lifecycle
        .clone()
        .every("TLS certificate", LOOK_EVERY, Kick::default(), move || {
            let now = written_at(&chain, &key);
            let changed = now != seen;
            seen = now;
            let (app, current, chain, key) = (app.clone(), current.clone(), chain.clone(), key.clone());
            async move {
                if changed {
                    renew(&app, &current, &chain, &key).await
                } else {
                    Ok("unchanged".to_owned())
                }
            }
        });
    Ok(Some(tls))
}

/// Whether the configured certificate and key can be used.
pub(crate) fn check(config: &Config) -> anyhow::Result<()> {
    match (&config.tls_cert, &config.tls_key) {
        (Some(chain), Some(key)) => read(chain, key).map(drop),
        _ => Ok(()),
    }
}

async fn renew(app: &App, current: &RwLock<Arc<ServerConfig>>, chain: &Path, key: &Path) -> anyhow::Result<String> {
    let (config, certificates) =
        read(chain, key).context("the renewed certificate cannot be used; the one before stays in use")?;
    let pinned = app.certificate_of_agents().await?;
    app.agents.certificate.serve(certificates);
    *current.write().unwrap_or_else(PoisonError::into_inner) = config;
    tracing::info!(file = %chain.display(), "a renewed TLS certificate is in use");
    if pinned.is_some() && pinned != app.certificate_of_agents().await? {
        tracing::warn!(
            "agents that were installed to accept the former certificate alone cannot connect any more: install them again"
        );
    }
    Ok("took the renewed certificate".to_owned())
}

type Certificates = Vec<CertificateDer<'static>>;

fn read(chain: &Path, key: &Path) -> anyhow::Result<(Arc<ServerConfig>, Certificates)> {
    let certificates: Certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .with_context(|| format!("the certificate {} cannot be read", chain.display()))?;
    if certificates.is_empty() {
        bail!("{} holds no certificate: give the chain as PEM", chain.display());
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("the private key {} cannot be read", key.display()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .with_no_client_auth()
        .with_single_cert(certificates.clone(), key)
        .with_context(|| format!("the private key does not belong to the certificate {}", chain.display()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), certificates))
}

fn written_at(chain: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [chain, key].map(|path| fs::metadata(path).and_then(|about| about.modified()).ok())
}
