//! Shows the certificate of an endpoint, to decide whether to trust it:
//! `cargo run -p proxmox-client --example probe -- https://pve1.example.org:8006`

use std::time::Duration;

use anyhow::{Context, Result};
use proxmox_client::{Endpoint, probe};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let endpoint: Endpoint = std::env::args()
        .nth(1)
        .context("which endpoint? https://host:8006")?
        .parse()?;
    let shown = probe(&endpoint, Duration::from_secs(10)).await?;
    println!("endpoint     {endpoint}");
    println!("fingerprint  {}", shown.fingerprint);
    println!("subject      {}", shown.subject);
    println!("issuer       {}", shown.issuer);
    println!("names        {}", shown.names.join(", "));
    println!(
        "valid        {} to {} (seconds since 1970)",
        shown.not_before, shown.not_after
    );
    match shown.valid_by_system {
        Ok(()) => println!("trusted      by the authorities of this system"),
        Err(reason) => println!("not trusted  {reason}; pin the fingerprint if it is the one that the node shows"),
    }
    Ok(())
}
