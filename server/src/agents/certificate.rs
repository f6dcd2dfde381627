//! The certificate that agents meet where Muster serves TLS itself, and whether they have to be told of it.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use muster_domain::Timestamp;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};
use url::Url;

/// The chain in use; empty where Muster serves no TLS.
#[derive(Debug, Default)]
pub struct OwnCertificate(RwLock<Vec<CertificateDer<'static>>>);

impl OwnCertificate {
    /// Remembers the chain that is served from now on.
    pub fn serve(&self, chain: Vec<CertificateDer<'static>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = chain;
    }

    /// SHA-256 of the certificate, hex, when agents that call at `url` would not believe it by the well-known authorities,
    /// which are all that they bring along.
    pub fn pin(&self, url: &Url, now: Timestamp) -> Option<String> {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        self.pin_unless(roots, url, now)
    }

    fn pin_unless(&self, vouched_for_by: RootCertStore, url: &Url, now: Timestamp) -> Option<String> {
        let chain = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (leaf, others) = chain.split_first()?;
        let believed = url.scheme() == "https" && is_vouched_for(leaf, others, vouched_for_by, url, now);
        (url.scheme() == "https" && !believed).then(|| hex::encode(Sha256::digest(leaf)))
    }
}

fn is_vouched_for(
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    roots: RootCertStore,
    url: &Url,
    now: Timestamp,
) -> bool {
    let name = match url.host() {
        Some(url::Host::Domain(name)) => ServerName::try_from(name.to_owned()).ok(),
        Some(url::Host::Ipv4(ip)) => Some(ServerName::from(IpAddr::V4(ip))),
        Some(url::Host::Ipv6(ip)) => Some(ServerName::from(IpAddr::V6(ip))),
        None => None,
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let (Some(name), Ok(verifier)) = (name, verifier) else {
        return false;
    };
    let now = UnixTime::since_unix_epoch(now.since(Timestamp::from_micros(0)));
    verifier.verify_server_cert(leaf, others, &name, &[], now).is_ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::Result;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn a_certificate_of_ones_own_making_is_pinned_where_tls_is_spoken() -> Result<()> {
        let own = OwnCertificate::default();
        let address = url("https://muster.example.org:8443");
        assert_eq!(own.pin(&address, NOW), None, "a proxy does TLS");
        let made = rcgen::generate_simple_self_signed(["muster.example.org".to_owned()])?;
        own.serve(vec![made.cert.der().clone()]);
        let sha256 = hex::encode(Sha256::digest(made.cert.der()));
        assert_eq!(own.pin(&address, NOW), Some(sha256));
        assert_eq!(own.pin(&url("http://muster.example.org:8443"), NOW), None);
        Ok(())
    }

    #[test]
    fn one_that_an_authority_vouches_for_under_this_name_is_not_pinned() -> Result<()> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let names = ["muster.example.org".to_owned()];
        let leaf = CertificateParams::new(names)?.signed_by(&KeyPair::generate()?, &authority)?;
        let own = OwnCertificate::default();
        own.serve(vec![leaf.der().clone()]);
        let pin = |address: &str, now| -> Result<Option<String>> {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone())?;
            Ok(own.pin_unless(roots, &url(address), now))
        };
        assert_eq!(pin("https://muster.example.org", NOW)?, None);
        assert!(pin("https://192.0.2.1", NOW)?.is_some(), "it has another name");
        let in_ages = NOW + Duration::from_secs(5000 * 365 * 24 * 3600);
        assert!(pin("https://muster.example.org", in_ages)?.is_some(), "it has run out");
        Ok(())
    }
}
