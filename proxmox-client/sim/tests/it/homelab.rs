//! The scenario that the demo shows has every way into a guest.

use std::time::Duration;

use anyhow::{Context, Result};
use proxmox_client::{ApiToken, Client, ConsoleError, Endpoint, Login, Trust};
use proxmox_sim::{ClusterHandle, Options, Sim};

const SOON: Duration = Duration::from_secs(20);

fn client(cluster: &ClusterHandle, with_password: bool) -> Result<Client> {
    let endpoints = cluster.endpoints.iter().map(|url| url.parse());
    let endpoints: Vec<Endpoint> = endpoints.collect::<Result<_, _>>()?;
    let client = Client::builder(endpoints).trust(Trust::ClusterCa(cluster.ca_pem.clone()));
    Ok(match with_password {
        true => client.login(Login::new(&cluster.user, &cluster.password)?).build()?,
        false => client
            .token(ApiToken::new(&cluster.token_id, &cluster.token_secret)?)
            .build()?,
    })
}

/// Runs a command on a console and gives its first line.
async fn ask(client: &Client, node: &str, vmid: u32) -> Result<String, ConsoleError> {
    let mut session = client.lxc_console(node, vmid).await?;
    let printed = session.run("hostname", SOON).await?;
    session.leave().await;
    Ok(String::from_utf8_lossy(&printed.text).trim_end().to_owned())
}

#[tokio::test]
async fn every_way_into_a_guest_is_there() -> Result<()> {
    proxmox_sim::check_guests().context("guests can run on this machine")?;
    let sim = Sim::start(Options::default())?;
    let [first, second, third] = sim.clusters() else {
        anyhow::bail!("three clusters")
    };
    let one = client(first, false)?;
    assert_eq!(ask(&one, "pve1", 100).await.as_deref(), Ok("ubuntu-docker-01"));
    assert_eq!(ask(&one, "pve2", 201).await.as_deref(), Ok("mariadb"));
    assert_eq!(ask(&one, "pve2", 202).await.as_deref(), Ok("vaultwarden"));
    for (node, vmid) in [("pve1", 101), ("pve2", 200)] {
        assert_eq!(ask(&one, node, vmid).await, Err(ConsoleError::LoginRequired));
    }
    let locked = ask(&one, "pve2", 203).await;
    assert!(matches!(locked, Err(ConsoleError::Locked { .. })), "{locked:?}");
    for (node, vmid, name) in [("pve1", 150, "home-assistant"), ("pve2", 250, "media-server")] {
        let output = one.qemu_exec(node, vmid, &["hostname"], b"", SOON).await?;
        assert_eq!(String::from_utf8(output.stdout)?.trim_end(), name);
    }
    assert_eq!(ask(&client(second, false)?, "pve3", 302).await.as_deref(), Ok("gitea"));
    let by_token = ask(&client(third, false)?, "pve4", 400).await;
    assert!(
        matches!(by_token, Err(ConsoleError::TokenNotSupported { .. })),
        "{by_token:?}"
    );
    assert_eq!(
        ask(&client(third, true)?, "pve4", 400).await.as_deref(),
        Ok("minecraft")
    );
    Ok(())
}
