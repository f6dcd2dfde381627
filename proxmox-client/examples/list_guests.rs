//! Lists the guests of a cluster with their addresses:
//!
//! ```text
//! PVE_TOKEN_ID='muster@pve!main' PVE_TOKEN_SECRET=… \
//!     cargo run -p proxmox-client --example list_guests -- https://pve1.example.org:8006 [AA:BB:…]
//! ```
//! Without a fingerprint the certificate has to be valid for this system.

use anyhow::{Context, Result};
use proxmox_client::{ApiToken, Client, Fingerprints, Guest, GuestKind, Interface, Trust};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let endpoint = words.next().context("which endpoint? https://host:8006")?.parse()?;
    let trust = match words.next() {
        Some(fingerprint) => Trust::Pinned(Fingerprints::new([fingerprint.parse()?])),
        None => Trust::System,
    };
    let token = ApiToken::new(variable("PVE_TOKEN_ID")?, variable("PVE_TOKEN_SECRET")?)?;
    let client = Client::builder([endpoint]).token(token).trust(trust).build()?;

    println!("Proxmox VE {}", client.version().await?.version);
    for guest in client.resources().await?.guests {
        let status = guest.status.as_deref().unwrap_or("unknown");
        let name = guest.name.as_deref().unwrap_or_default();
        let addresses = addresses(&client, &guest)
            .await
            .unwrap_or_else(|error| format!("({error})"));
        println!(
            "{:>6} {:<20} {:<10} {:<10} {addresses}",
            guest.vmid, name, guest.node, status
        );
    }
    Ok(())
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("set {name}"))
}

async fn addresses(client: &Client, guest: &Guest) -> proxmox_client::Result<String> {
    let interfaces = match guest.kind {
        _ if guest.status.as_deref() != Some("running") => Vec::new(),
        GuestKind::Lxc => client
            .lxc_interfaces(&guest.node, guest.vmid)
            .await?
            .unwrap_or_default(),
        GuestKind::Qemu => client.qemu_interfaces(&guest.node, guest.vmid).await?,
    };
    let all = interfaces.iter().flat_map(|interface: &Interface| &interface.addresses);
    Ok(all
        .filter(|address| !address.ip.is_loopback())
        .map(|a| a.ip.to_string())
        .collect::<Vec<_>>()
        .join(" "))
}
