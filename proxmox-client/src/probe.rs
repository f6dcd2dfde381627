//! Looking at a certificate before trusting it.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{Endpoint, Error, Fingerprint, Result, trust};

/// The name under which a probe appears in errors.
const PROBE: &str = "probe";

/// The certificate that an endpoint presented, for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedCertificate {
    /// What to pin.
    pub fingerprint: Fingerprint,
    /// Whom it names.
    pub subject: String,
    /// Who signed it; PVE's own authority is `CN=Proxmox Virtual Environment, OU=…, O=PVE Cluster Manager CA`.
    pub issuer: String,
    /// Begin of its validity, in seconds since 1970.
    pub not_before: i64,
    /// End of its validity, in seconds since 1970.
    pub not_after: i64,
    /// The DNS names and addresses that it is for.
    pub names: Vec<String>,
    /// Whether [`Trust::System`](crate::Trust::System) would accept it for this endpoint, and else why not.
    pub valid_by_system: Result<(), String>,
    /// The certificate itself.
    pub der: Vec<u8>,
}

/// Connects, takes the certificate that is presented and closes the connection. Nothing is sent beyond the handshake:
/// no token, no request. The handshake's signature is checked, so the other side does hold the certificate's key.
///
/// Fails with `NotSent` when nobody answers, `Tls` when there is no TLS, `TimedOut` after `within`.
pub async fn probe(endpoint: &Endpoint, within: Duration) -> Result<PresentedCertificate> {
    let (der, valid_by_system) =
        tokio::time::timeout(within, handshake(endpoint))
            .await
            .map_err(|_| Error::TimedOut {
                call: PROBE,
                after: within,
            })??;
    describe(der, valid_by_system).map_err(|reason| Error::Tls {
        endpoint: endpoint.clone(),
        reason,
    })
}

type Verdict = (Vec<u8>, Result<(), String>);

async fn handshake(endpoint: &Endpoint) -> Result<Verdict> {
    let witness = Arc::new(Witness {
        system: trust::system_verifier()?,
        seen: Mutex::new(None),
    });
    let connector = TlsConnector::from(Arc::new(trust::config_with(witness.clone())?));
    let stream = TcpStream::connect(endpoint.socket_host())
        .await
        .map_err(|e| Error::NotSent {
            call: PROBE,
            reason: format!("{endpoint}: {e}"),
        })?;
    let tls_error = |reason: String| Error::Tls {
        endpoint: endpoint.clone(),
        reason,
    };
    connector
        .connect(endpoint.server_name()?, stream)
        .await
        .map_err(|e| tls_error(e.to_string()))?;
    let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    seen.ok_or_else(|| tls_error("no certificate was presented".to_owned()))
}

fn describe(der: Vec<u8>, valid_by_system: Result<(), String>) -> Result<PresentedCertificate, String> {
    let (_, certificate) =
        X509Certificate::from_der(&der).map_err(|e| format!("its certificate cannot be read: {e}"))?;
    let names = certificate.subject_alternative_name().ok().flatten();
    Ok(PresentedCertificate {
        fingerprint: Fingerprint::of(&der),
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        names: names
            .iter()
            .flat_map(|n| &n.value.general_names)
            .filter_map(name_text)
            .collect(),
        valid_by_system,
        der: der.clone(),
    })
}

fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => Some(match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(four), _) => IpAddr::from(four).to_string(),
            (_, Ok(sixteen)) => IpAddr::from(sixteen).to_string(),
            _ => hexadecimal(bytes),
        }),
        _ => None,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Accepts any certificate, remembers it, and remembers what the system's check says of it. Used for a connection
/// over which nothing is sent.
#[derive(Debug)]
struct Witness {
    system: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<Verdict>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self
            .system
            .verify_server_cert(certificate, intermediates, name, ocsp, now);
        let seen = (certificate.to_vec(), verdict.map(drop).map_err(|e| trust::in_words(&e)));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.system.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.system.supported_verify_schemes()
    }
}
