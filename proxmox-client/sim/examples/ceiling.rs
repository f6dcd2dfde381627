//! How many small answers per second the simulator gives: the ceiling of what can be measured against it.
//!
//! `cargo run --release -p proxmox-sim --example ceiling`

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use proxmox_sim::{ClusterHandle, Options, Scenario, Sim};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How many ask at the same time.
const ASKERS: usize = 8;

/// How long is measured.
const MEASURED: Duration = Duration::from_secs(5);

/// How many requests a connection carries.
const PER_CONNECTION: usize = 100;

fn main() -> Result<()> {
    let sim = Sim::start(Options {
        scenario: Scenario::Homelab,
        ..Options::default()
    })?;
    let asker = Arc::new(Asker::of(&sim.clusters()[0])?);
    let answers = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + MEASURED;
    let threads: Vec<_> = (0..ASKERS)
        .map(|_| {
            let (asker, answers) = (Arc::clone(&asker), Arc::clone(&answers));
            thread::spawn(move || asker.ask_until(end, &answers))
        })
        .collect();
    for thread in threads {
        thread.join().ok().context("an asker panicked")??;
    }
    let per_second = answers.load(Ordering::Relaxed) as f64 / MEASURED.as_secs_f64();
    println!("{per_second:.0} answers per second, asked and answered on the same machine");
    Ok(())
}

struct Asker {
    tls: Arc<ClientConfig>,
    address: String,
    request: String,
}

impl Asker {
    fn of(cluster: &ClusterHandle) -> Result<Asker> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(cluster.ca_pem.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let tls = Arc::new(tls.with_root_certificates(roots).with_no_client_auth());
        let address = cluster.endpoints[0].trim_start_matches("https://").to_owned();
        let request = format!(
            "GET /api2/json/version HTTP/1.1\r\nHost: {address}\r\nAuthorization: PVEAPIToken={}={}\r\n\r\n",
            cluster.token_id, cluster.token_secret
        );
        Ok(Asker { tls, address, request })
    }

    fn ask_until(&self, end: Instant, answers: &AtomicU64) -> Result<()> {
        let host = self.address.split(':').next().unwrap_or_default().to_owned();
        let mut answer = [0; 4096];
        while Instant::now() < end {
            let stream = TcpStream::connect(&self.address)?;
            stream.set_nodelay(true)?;
            let tls = ClientConnection::new(Arc::clone(&self.tls), ServerName::try_from(host.clone())?)?;
            let mut stream = StreamOwned::new(tls, stream);
            for _ in 0..PER_CONNECTION {
                stream.write_all(self.request.as_bytes())?;
                let length = stream.read(&mut answer)?;
                ensure!(answer[..length].starts_with(b"HTTP/1.1 200"), "not answered well");
                answers.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}
