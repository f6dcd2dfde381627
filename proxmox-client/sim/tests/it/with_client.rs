//! The product's client against the simulator: every call that reads, in both releases, and how errors arrive.

use std::time::Duration;

use anyhow::{Context, Result};
use proxmox_client::{ApiToken, Client, ConfigView, ConsoleError, Endpoint, Error, Fingerprint, Fingerprints, Trust};
use proxmox_sim::{ClusterHandle, ClusterSpec, GuestSpec, Options, Os, Packages, Scenario, Shell, Sim};

use crate::client::{Bench, one_node, two_nodes};

fn client(cluster: &ClusterHandle, trust: Trust) -> Result<Client> {
    let endpoints: Vec<Endpoint> = cluster
        .endpoints
        .iter()
        .map(|url| url.parse())
        .collect::<Result<_, _>>()?;
    let token = ApiToken::new(&cluster.token_id, &cluster.token_secret)?;
    Ok(Client::builder(endpoints).token(token).trust(trust).build()?)
}

fn by_authority(cluster: &ClusterHandle) -> Result<Client> {
    client(cluster, Trust::ClusterCa(cluster.ca_pem.clone()))
}

#[tokio::test]
async fn every_reading_call_is_understood_in_both_releases() -> Result<()> {
    let sim = Sim::start(Options {
        scenario: Scenario::Homelab,
        ..Options::default()
    })?;
    for cluster in sim.clusters() {
        read_everything(&by_authority(cluster)?, cluster)
            .await
            .with_context(|| cluster.name.clone())?;
    }
    assert_eq!(sim.not_modelled(), Vec::<String>::new());
    Ok(())
}

async fn read_everything(client: &Client, cluster: &ClusterHandle) -> Result<()> {
    client.version().await?;
    let status = client.cluster_status().await?;
    assert_eq!(status.nodes.len(), cluster.nodes.len());
    assert_eq!(status.cluster.is_some(), cluster.nodes.len() > 1);
    assert_eq!(client.nodes().await?.len(), cluster.nodes.len());
    assert!(client.permissions().await?.has("/", "VM.Audit"));
    client.storages().await?;
    client.not_backed_up().await?;
    for node in &cluster.nodes {
        client.node_version(node).await?;
        client.node_status(node).await?;
        client.apt_updates(node).await?;
        client.apt_versions(node).await?;
        client.tasks(node, &Default::default()).await?;
        for guest in client.lxc_list(node).await? {
            let config = client.lxc_config(node, guest.vmid, ConfigView::Current).await?;
            assert!(["tty", "shell"].contains(&config.console_mode()));
            client.lxc_status(node, guest.vmid).await?;
            let interfaces = client.lxc_interfaces(node, guest.vmid).await?;
            assert_eq!(interfaces.is_some(), guest.status == "running");
        }
        for guest in client.qemu_list(node).await? {
            let config = client.qemu_config(node, guest.vmid, ConfigView::Pending).await?;
            if config.has_agent() {
                assert!(!client.qemu_interfaces(node, guest.vmid).await?.is_empty());
                assert!(client.qemu_osinfo(node, guest.vmid).await?.id.is_some());
            }
        }
    }
    let resources = client.resources().await?;
    assert!(
        resources
            .guests
            .iter()
            .all(|guest| guest.name.is_some() && guest.status.is_some())
    );
    Ok(())
}

#[tokio::test]
async fn errors_arrive_as_what_they_are() -> Result<()> {
    let bench = Bench::start(two_nodes(vec![GuestSpec::lxc(100, "a", "pve1", Os::Debian)]));
    let cluster = &bench.sim.clusters()[0];
    let one = by_authority(cluster)?;
    let missing = one.lxc_status("pve1", 999).await;
    assert!(missing.as_ref().is_err_and(Error::is_missing_guest), "{missing:?}");
    let exec = one.lxc_exec("pve1", 100, &["id"]).await;
    assert!(matches!(exec, Err(Error::NotImplemented { .. })), "{exec:?}");
    bench.sim.ctl("node stop --cluster lab --node pve2")?;
    let unreachable = one.node_status("pve2").await;
    assert!(
        matches!(&unreachable, Err(Error::NodeUnreachable { status: 595, .. })),
        "{unreachable:?}"
    );
    let (id, secret) = bench.token("few@pve!few", "/", "Sys.Audit");
    let few = ClusterHandle {
        token_id: id,
        token_secret: secret,
        ..cluster.clone()
    };
    let denied = by_authority(&few)?.apt_updates("pve1").await;
    let is_missing = |error: &Error| matches!(error, Error::Denied { privilege: Some(p), .. } if p == "Sys.Modify");
    assert!(denied.as_ref().is_err_and(is_missing), "{denied:?}");
    let wrong = ClusterHandle {
        token_secret: "00000000-0000-0000-0000-000000000000".to_owned(),
        ..cluster.clone()
    };
    let unknown = by_authority(&wrong)?.version().await;
    assert!(matches!(unknown, Err(Error::Unauthenticated { .. })), "{unknown:?}");
    bench.sim.ctl("fault set --cluster lab --name garbage")?;
    assert!(matches!(one.version().await, Err(Error::Decode { .. })));
    Ok(())
}

#[tokio::test]
async fn a_pinned_certificate_is_missed_after_its_renewal() -> Result<()> {
    let bench = Bench::start(one_node(vec![]));
    let cluster = &bench.sim.clusters()[0];
    let pins = Fingerprints::new([cluster.fingerprint.parse::<Fingerprint>()?]);
    let one = client(cluster, Trust::Pinned(pins))?;
    one.version().await?;
    bench.sim.ctl("cert renew --cluster lab --node pve1")?;
    // The next connection sees it; one that is open goes on.
    let again = client(
        cluster,
        Trust::Pinned(Fingerprints::new([cluster.fingerprint.parse::<Fingerprint>()?])),
    )?;
    assert!(matches!(again.version().await, Err(Error::TlsMismatch { .. })));
    Ok(())
}

#[tokio::test]
async fn a_task_is_awaited() -> Result<()> {
    proxmox_sim::check_guests().context("guests can run on this machine")?;
    let scenario = one_node(vec![GuestSpec::lxc(100, "a", "pve1", Os::Debian)]);
    let sim = Sim::start(Options {
        scenario,
        lxc_exec: true,
        ..Options::default()
    })?;
    let one = by_authority(&sim.clusters()[0])?;
    let upid = one.lxc_exec("pve1", 100, &["echo", "hello"]).await?;
    let status = one.wait_task(&upid, Duration::from_secs(20)).await?;
    assert!(status.has_succeeded());
    let log = one.task_log(&upid, 0).await?;
    assert_eq!(log[0].text, "hello");
    Ok(())
}

#[tokio::test]
async fn scripts_run_over_consoles_with_every_shell() -> Result<()> {
    proxmox_sim::check_guests().context("guests can run on this machine")?;
    let shells = [(100, Shell::Bash), (101, Shell::Dash), (102, Shell::Ash)];
    let guest = |(vmid, shell)| {
        GuestSpec::lxc(vmid, "a", "pve1", Os::Debian)
            .shell_console()
            .shell(shell)
    };
    let sim = Sim::start(Options {
        scenario: one_node(shells.map(guest).to_vec()),
        ..Options::default()
    })?;
    let one = by_authority(&sim.clusters()[0])?;
    for (vmid, shell) in shells {
        for _ in 0..2 {
            let mut session = one.lxc_console("pve1", vmid).await?;
            let mut script = b"cat /proc/sys/kernel/hostname; echo error >&2; exit 3\n: ".to_vec();
            script.resize(300_000, b'#');
            let output = session.run_script(&script, Duration::from_secs(20)).await?;
            assert_eq!(output.exit, 3, "{shell:?}");
            assert_eq!(
                (&output.stdout[..], &output.stderr[..]),
                (&b"a\n"[..], &b"error\n"[..]),
                "{shell:?}"
            );
            session.leave().await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn consoles_that_take_no_commands_say_why() -> Result<()> {
    proxmox_sim::check_guests().context("guests can run on this machine")?;
    let guest = |vmid| GuestSpec::lxc(vmid, "a", "pve1", Os::Debian);
    let cluster = ClusterSpec::new("lab", "Lab").packages(Packages::Older).nodes(["pve1"]);
    let guests = vec![
        guest(100),
        guest(101).shell_console(),
        guest(102).shell_console().stopped(),
    ];
    let bench = Bench::start(Scenario::Custom(vec![cluster.guests(guests)]));
    let one = by_authority(&bench.sim.clusters()[0])?;
    assert_eq!(
        one.lxc_console("pve1", 100).await.err(),
        Some(ConsoleError::LoginRequired)
    );
    let refused = one.lxc_console("pve1", 101).await.err();
    assert!(
        matches!(refused, Some(ConsoleError::TokenNotSupported { .. })),
        "{refused:?}"
    );
    assert_eq!(one.lxc_console("pve1", 102).await.err(), Some(ConsoleError::NotRunning));
    Ok(())
}

#[tokio::test]
async fn commands_run_through_the_guest_agent() -> Result<()> {
    proxmox_sim::check_guests().context("guests can run on this machine")?;
    let machine = GuestSpec::qemu(200, "vm1", "pve1", Os::Ubuntu).guest_agent();
    let sim = Sim::start(Options {
        scenario: one_node(vec![machine]),
        ..Options::default()
    })?;
    let one = by_authority(&sim.clusters()[0])?;
    let every_byte: Vec<u8> = (0..=255).collect();
    let command = ["/bin/sh", "-c", "cat; . /etc/os-release; echo $ID >&2; exit 3"];
    let output = one
        .qemu_exec("pve1", 200, &command, &every_byte, Duration::from_secs(20))
        .await?;
    assert_eq!(
        (output.exit, output.stdout, output.stderr),
        (3, every_byte, b"ubuntu\n".to_vec())
    );
    Ok(())
}
