//! Which certificates are trusted, and the TLS settings that follow.
//!
//! Every verifier here checks the signature of the handshake: a certificate counts only when the other side holds its
//! key. Sessions are never resumed, so a change of the pinned set counts from the next connection on.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{self, CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::{Error, Fingerprint, Fingerprints, Result};

/// How a client decides that a certificate is the right one. There is no way to skip the check.
#[derive(Debug, Clone)]
pub enum Trust {
    /// As a browser does: the authorities of the operating system and those of Mozilla, and the name has to fit.
    System,
    /// Only certificates of this set, whatever their name, issuer and dates. PVE replaces a node's own certificate
    /// about every two years, so learn the `ssl_fingerprint` of every node from [`Client::nodes`](crate::Client::nodes).
    Pinned(Fingerprints),
    /// Certificates that the cluster's own authority has signed, in PEM form (`/etc/pve/pve-root-ca.pem` on a node);
    /// the name has to fit. PVE puts a node's name, full name and address into its certificate.
    ClusterCa(String),
}

/// The TLS settings of a client with this trust.
pub(crate) fn client_config(trust: &Trust) -> Result<ClientConfig> {
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::System => system_verifier()?,
        Trust::Pinned(pins) => Arc::new(PinVerifier {
            pins: pins.clone(),
            algorithms: algorithms(),
        }),
        Trust::ClusterCa(pem) => web_verifier(roots_of(pem)?)?,
    };
    config_with(verifier)
}

/// The TLS settings with a verifier of ours.
pub(crate) fn config_with(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::invalid("TLS setup", e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The check that [`Trust::System`] stands for.
pub(crate) fn system_verifier() -> Result<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::debug!(%error, "cannot read a certificate authority of the operating system");
    }
    roots.add_parsable_certificates(system.certs);
    web_verifier(roots)
}

pub(crate) fn algorithms() -> WebPkiSupportedAlgorithms {
    crypto::ring::default_provider().signature_verification_algorithms
}

/// Why a handshake failed, for a person.
pub(crate) fn in_words(error: &rustls::Error) -> String {
    use rustls::CertificateError as Refused;
    match error {
        rustls::Error::InvalidCertificate(refused) => match refused {
            Refused::UnknownIssuer => "no authority that is trusted here has signed its certificate".to_owned(),
            Refused::Expired | Refused::ExpiredContext { .. } => "its certificate has expired".to_owned(),
            Refused::NotValidYet | Refused::NotValidYetContext { .. } => {
                "its certificate is not valid yet; check the clocks".to_owned()
            }
            Refused::NotValidForNameContext { expected, presented } => {
                let names: Vec<&str> = presented.iter().map(|name| bare_name(name)).collect();
                let names = if names.is_empty() {
                    "no name".to_owned()
                } else {
                    names.join(", ")
                };
                format!("its certificate is not for {}, but for {names}", expected.to_str())
            }
            other => format!("its certificate is not valid: {other}"),
        },
        other => other.to_string(),
    }
}

/// rustls writes the names of a certificate as `DnsName("pve1")` and `IpAddress(192.0.2.1)`.
fn bare_name(written: &str) -> &str {
    let inside = written.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.map_or(written, |name| name.trim_matches('"'))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(crypto::ring::default_provider())
}

fn web_verifier(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|e| Error::invalid("trust", e.to_string()))
}

fn roots_of(pem: &str) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|e| Error::invalid("cluster CA", format!("no PEM: {e}")))?;
        roots
            .add(certificate)
            .map_err(|e| Error::invalid("cluster CA", e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(Error::invalid(
            "cluster CA",
            "there is no certificate in it; paste /etc/pve/pve-root-ca.pem",
        ));
    }
    Ok(roots)
}

/// The reason for which [`PinVerifier`] refuses a certificate; carried through the layers between as the cause of a
/// TLS error.
#[derive(Debug, Clone)]
pub(crate) struct NotPinned {
    pub(crate) expected: Vec<Fingerprint>,
    pub(crate) got: Fingerprint,
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate {} is not pinned", self.got)
    }
}

impl std::error::Error for NotPinned {}

#[derive(Debug)]
struct PinVerifier {
    pins: Fingerprints,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let got = Fingerprint::of(certificate);
        if self.pins.contains(&got) {
            return Ok(ServerCertVerified::assertion());
        }
        let refusal = NotPinned {
            expected: self.pins.to_vec(),
            got,
        };
        Err(CertificateError::Other(OtherError(Arc::new(refusal))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_ca_has_to_be_a_certificate() {
        for pem in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let refusal = client_config(&Trust::ClusterCa(pem.to_owned())).expect_err("not a certificate");
            assert!(
                matches!(refusal, Error::Invalid { what: "cluster CA", .. }),
                "{refusal:?}"
            );
        }
    }
}
