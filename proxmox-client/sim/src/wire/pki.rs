//! The certificate authority of a cluster and the certificates of its nodes, kept in the state folder so that a restart
//! presents the same ones.
//!
//! Names as Proxmox VE gives them (PVE/Cluster/Setup.pm); keys are ECDSA P-256 instead of RSA, which costs less to make.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

/// The certificate authority of one cluster.
pub(crate) struct Pki {
    folder: PathBuf,
    cluster: String,
    key: KeyPair,
    ca_pem: String,
}

/// The certificate of a node, ready to be presented.
pub(crate) struct Certificate {
    /// SHA-256 as `AA:BB:…`.
    pub(crate) fingerprint: String,
    /// What the listener needs.
    pub(crate) tls: Arc<ServerConfig>,
}

impl Pki {
    /// The authority kept in `folder`, or a new one.
    pub(crate) fn open(folder: &Path, cluster: &str) -> Result<Pki> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let (key_file, ca_file) = (folder.join("pve-root-ca.key"), folder.join("pve-root-ca.pem"));
        let (folder, cluster) = (folder.to_owned(), cluster.to_owned());
        if let (Ok(key), Ok(ca_pem)) = (fs::read_to_string(&key_file), fs::read_to_string(&ca_file)) {
            let key = KeyPair::from_pem(&key).with_context(|| format!("{} is no key", key_file.display()))?;
            return Ok(Pki {
                folder,
                cluster,
                key,
                ca_pem,
            });
        }
        let key = KeyPair::generate()?;
        let ca_pem = authority(&cluster).self_signed(&key)?.pem();
        fs::write(&key_file, key.serialize_pem())?;
        fs::write(&ca_file, &ca_pem)?;
        Ok(Pki {
            folder,
            cluster,
            key,
            ca_pem,
        })
    }

    /// The authority's certificate.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Where the authority's certificate is kept.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.join("pve-root-ca.pem")
    }

    /// The node's certificate kept in the folder, or a new one if there is none for this address.
    pub(crate) fn certificate(&self, node: &str, address: &str) -> Result<Certificate> {
        let (key, pem, of) = self.files(node);
        match (fs::read_to_string(key), fs::read_to_string(pem), fs::read_to_string(of)) {
            (Ok(key), Ok(pem), Ok(of)) if of == address => Certificate::load(&pem, &key),
            _ => self.renew(node, address),
        }
    }

    /// A new key and certificate for a node, as after its renewal.
    pub(crate) fn renew(&self, node: &str, address: &str) -> Result<Certificate> {
        let names = [
            "127.0.0.1",
            "::1",
            "localhost",
            address,
            node,
            &format!("{node}.sim.internal"),
        ];
        let mut params = CertificateParams::new(names.map(str::to_owned))?;
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationalUnitName, "PVE Cluster Node");
        name.push(DnType::OrganizationName, "Proxmox Virtual Environment");
        name.push(DnType::CommonName, format!("{node}.sim.internal"));
        params.distinguished_name = name;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let issuer = Issuer::new(authority(&self.cluster), &self.key);
        let pem = params.signed_by(&key, &issuer)?.pem();
        let (key_file, pem_file, of_file) = self.files(node);
        fs::write(key_file, key.serialize_pem())?;
        fs::write(pem_file, &pem)?;
        fs::write(of_file, address)?;
        Certificate::load(&pem, &key.serialize_pem())
    }

    fn files(&self, node: &str) -> (PathBuf, PathBuf, PathBuf) {
        let file = |extension: &str| self.folder.join(format!("{node}.{extension}"));
        (file("key"), file("pem"), file("address"))
    }
}

/// The authority's certificate before it is signed; its name is what the nodes' certificates refer to.
fn authority(cluster: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "Proxmox Virtual Environment");
    name.push(DnType::OrganizationalUnitName, cluster);
    name.push(DnType::OrganizationName, "PVE Cluster Manager CA");
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Certificate {
    fn load(pem: &str, key: &str) -> Result<Certificate> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).context("the node's certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).context("the node's key")?;
        let hex: Vec<String> = Sha256::digest(&certificate)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Certificate {
            fingerprint: hex.join(":"),
            tls: Arc::new(tls),
        })
    }
}
