//! Recorded answers of a real PVE, read by the calls they answer.

use anyhow::{Context, Result};
use proxmox_client::{ConfigView, Fingerprint, GuestKind, TaskFilter, TaskSource};

use crate::client;
use crate::server::{Server, json};

#[tokio::test]
async fn version() -> Result<()> {
    let server = Server::replaying("version").await?;
    let version = client(&[&server]).version().await?;
    assert_eq!(
        (version.version.as_str(), version.release.as_str(), version.major()),
        ("9.1.9", "9.1", Some(9))
    );
    let server = Server::replaying("version-8.4.17").await?;
    assert_eq!(client(&[&server]).version().await?.major(), Some(8));
    let server = Server::replaying("node-version").await?;
    assert_eq!(client(&[&server]).node_version("pve1").await?.release, "9.1");
    assert_eq!(server.seen()[0].target, "/api2/json/nodes/pve1/version");
    Ok(())
}

#[tokio::test]
async fn cluster_status() -> Result<()> {
    let server = Server::replaying("cluster-status-two-online").await?;
    let status = client(&[&server]).cluster_status().await?;
    let cluster = status.cluster.context("a cluster")?;
    assert_eq!(
        (cluster.name.as_str(), cluster.quorate, cluster.nodes),
        ("lab", true, Some(2))
    );
    let mut nodes: Vec<_> = status
        .nodes
        .iter()
        .map(|n| (n.name.as_str(), n.ip.as_deref(), n.local))
        .collect();
    nodes.sort_unstable();
    assert_eq!(
        nodes,
        [("pve1", Some("10.98.77.2"), true), ("pve2", Some("10.98.77.3"), false)]
    );

    let server = Server::replaying("cluster-status-standalone").await?;
    let status = client(&[&server]).cluster_status().await?;
    assert_eq!(
        (status.cluster, status.nodes.len(), status.nodes[0].node_id),
        (None, 1, Some(0))
    );

    let server = Server::replaying("cluster-status-offline-after-online").await?;
    let status = client(&[&server]).cluster_status().await?;
    assert!(status.nodes.iter().any(|node| !node.online));
    Ok(())
}

#[tokio::test]
async fn resources() -> Result<()> {
    let server = Server::replaying("cluster-resources-offline-2min").await?;
    let resources = client(&[&server]).resources().await?;
    assert_eq!(
        (resources.nodes.len(), resources.guests.len(), resources.storages.len()),
        (2, 4, 4)
    );
    let db = resources
        .guests
        .iter()
        .find(|guest| guest.vmid == 101)
        .context("guest 101")?;
    assert_eq!(
        (db.kind, db.node.as_str(), db.name.as_deref()),
        (GuestKind::Lxc, "pve1", Some("db1"))
    );
    assert_eq!(
        (db.status.as_deref(), db.uptime, db.mem),
        (Some("running"), Some(204), Some(12_472_320))
    );
    assert_eq!(db.tags().collect::<Vec<_>>(), ["db", "prod"]);
    assert_eq!(
        resources
            .guests
            .iter()
            .filter(|guest| guest.kind == GuestKind::Qemu)
            .count(),
        1
    );
    let dead = resources
        .nodes
        .iter()
        .find(|node| node.node == "pve2")
        .context("node pve2")?;
    assert_eq!(
        (dead.status.as_deref(), dead.uptime, dead.maxcpu),
        (Some("offline"), None, Some(2))
    );

    for (name, guests) in [
        ("cluster-resources", 3),
        ("cluster-resources-8.4.17", 4),
        ("cluster-resources-noperm", 0),
    ] {
        let server = Server::replaying(name).await?;
        let resources = client(&[&server]).resources().await.context(name)?;
        assert_eq!(resources.guests.len(), guests, "{name}");
        assert_eq!(server.seen()[0].target, "/api2/json/cluster/resources");
    }
    Ok(())
}

#[tokio::test]
async fn resources_of_unknown_types_are_left_out() -> Result<()> {
    let server = Server::start(|_| {
        json(
            r#"{"data":[{"type":"pool","id":"/pool/x","pool":"x"},{"type":"network","network":[]},{"id":"untyped"},7,
                {"type":"lxc","id":"lxc/7","vmid":"7","node":"pve1","template":"","cpu":"0.5","brand-new":{"a":[]}}]}"#,
        )
    })
    .await?;
    let resources = client(&[&server]).resources().await?;
    assert_eq!((resources.nodes.len(), resources.storages.len()), (0, 0));
    let [guest] = resources.guests.as_slice() else {
        anyhow::bail!("one guest: {:?}", resources.guests)
    };
    assert_eq!(
        (guest.vmid, guest.template, guest.cpu, guest.status.as_deref()),
        (7, false, Some(0.5), None)
    );
    Ok(())
}

#[tokio::test]
async fn nodes() -> Result<()> {
    let server = Server::replaying("nodes-one-offline").await?;
    let nodes = client(&[&server]).nodes().await?;
    let mut states: Vec<_> = nodes.iter().map(|n| (n.node.as_str(), n.status.as_deref())).collect();
    states.sort_unstable();
    assert_eq!(states, [("pve1", Some("online")), ("pve2", Some("offline"))]);
    let pve1 = nodes.iter().find(|node| node.node == "pve1").context("node pve1")?;
    let fingerprint: Fingerprint = pve1.ssl_fingerprint.as_deref().context("a fingerprint")?.parse()?;
    assert!(fingerprint.to_string().starts_with("D7:70:78:90:"), "{fingerprint}");

    let server = Server::replaying("node-status").await?;
    let status = client(&[&server]).node_status("pve1").await?;
    assert_eq!(status.pveversion.as_deref(), Some("pve-manager/9.1.9/f40095996bcb6bf7"));
    assert_eq!(
        (status.cpuinfo.cpus, status.memory.total, status.uptime),
        (Some(2), Some(25_276_510_208), Some(2555))
    );
    Ok(())
}

#[tokio::test]
async fn container_lists() -> Result<()> {
    for name in ["lxc-list", "lxc-list-8.4.17"] {
        let server = Server::replaying(name).await?;
        let list = client(&[&server]).lxc_list("pve1").await.context(name)?;
        let web = list.iter().find(|guest| guest.vmid == 100).context("guest 100")?;
        assert_eq!(
            (web.status.as_str(), web.name.as_deref(), web.is_up()),
            ("running", Some("web1"), true)
        );
    }
    let server = Server::replaying("qemu-list").await?;
    let list = client(&[&server]).qemu_list("pve1").await?;
    assert_eq!((list.len(), list[0].vmid, list[0].is_up()), (1, 200, false));
    Ok(())
}

#[tokio::test]
async fn container_states() -> Result<()> {
    let server = Server::replaying("lxc-status-current").await?;
    let status = client(&[&server]).lxc_status("pve1", 100).await?;
    assert_eq!(
        (status.vmid, status.pid, status.lock.clone(), status.is_up()),
        (100, Some(553), None, true)
    );
    assert_eq!(status.ha.map(|ha| ha.managed), Some(false));

    let server = Server::replaying("lxc-status-locked-stopped").await?;
    let status = client(&[&server]).lxc_status("pve1", 101).await?;
    assert_eq!((status.lock.as_deref(), status.is_up()), (Some("backup"), false));
    Ok(())
}

#[tokio::test]
async fn a_container_that_is_starting_is_not_up() -> Result<()> {
    let server = Server::start(|_| json(r#"{"data":{"vmid":100,"status":"running","uptime":0}}"#)).await?;
    assert!(!client(&[&server]).lxc_status("pve1", 100).await?.is_up());
    Ok(())
}

#[tokio::test]
async fn container_configurations() -> Result<()> {
    let server = Server::replaying("lxc-config").await?;
    let config = client(&[&server]).lxc_config("pve1", 100, ConfigView::Current).await?;
    assert_eq!(
        (config.ostype.as_deref(), config.unprivileged, config.console_mode()),
        (Some("debian"), true, "shell")
    );
    assert_eq!(config.networks().map(|(name, _)| name).collect::<Vec<_>>(), ["net0"]);
    assert_eq!(
        server.seen()[0].target,
        "/api2/json/nodes/pve1/lxc/100/config?current=1"
    );

    let server = Server::replaying("lxc-config-current-cmode-pending").await?;
    let config = client(&[&server]).lxc_config("pve1", 101, ConfigView::Current).await?;
    assert_eq!(config.console_mode(), "tty");
    let server = Server::replaying("lxc-config-cmode-pending").await?;
    let config = client(&[&server]).lxc_config("pve1", 101, ConfigView::Pending).await?;
    assert_eq!(config.console_mode(), "shell");
    assert_eq!(server.seen()[0].target, "/api2/json/nodes/pve1/lxc/101/config");

    let server = Server::replaying("lxc-config-locked").await?;
    let config = client(&[&server]).lxc_config("pve1", 103, ConfigView::Current).await?;
    assert_eq!(
        (config.lock.as_deref(), config.description.as_deref()),
        (Some("create"), Some("second container\n"))
    );
    let server = Server::replaying("lxc-config-8.4.17").await?;
    assert!(
        client(&[&server])
            .lxc_config("pve1", 100, ConfigView::Current)
            .await?
            .unprivileged
    );
    Ok(())
}

#[tokio::test]
async fn mount_points_are_found_among_the_other_keys() -> Result<()> {
    let server = Server::start(|_| {
        json(r#"{"data":{"mp0":"local:1,mp=/data","mp11":"/srv,mp=/srv","mpx":"no","lxc":[["lxc.cap.drop",""]],"tty":"0"}}"#)
    })
    .await?;
    let config = client(&[&server]).lxc_config("pve1", 100, ConfigView::Current).await?;
    let points: Vec<_> = config.mount_points().collect();
    assert_eq!(points, [("mp0", "local:1,mp=/data"), ("mp11", "/srv,mp=/srv")]);
    assert_eq!(config.tty, Some(0));
    Ok(())
}

#[tokio::test]
async fn container_interfaces() -> Result<()> {
    let server = Server::replaying("lxc-interfaces").await?;
    let interfaces = client(&[&server])
        .lxc_interfaces("pve1", 100)
        .await?
        .context("it runs")?;
    let eth0 = interfaces
        .iter()
        .find(|interface| interface.name == "eth0")
        .context("eth0")?;
    assert_eq!(eth0.mac.as_deref(), Some("bc:24:11:bd:15:69"));
    let shown: Vec<_> = eth0.addresses.iter().map(|a| (a.ip.to_string(), a.prefix)).collect();
    assert_eq!(
        shown,
        [
            ("10.98.77.100".to_owned(), Some(24)),
            ("fe80::be24:11ff:febd:1569".to_owned(), Some(64))
        ]
    );

    let server = Server::replaying("lxc-interfaces-stopped").await?;
    assert_eq!(client(&[&server]).lxc_interfaces("pve1", 101).await?, None);
    Ok(())
}

/// No machine with a guest agent was recorded; the form is that of qemu-server, `PVE/API2/Qemu/Agent.pm`.
#[tokio::test]
async fn answers_of_the_guest_agent() -> Result<()> {
    let server = Server::start(|seen| {
        json(if seen.target.ends_with("get-osinfo") {
            r#"{"data":{"result":{"id":"debian","pretty-name":"Debian GNU/Linux 13 (trixie)","version-id":"13"}}}"#
        } else {
            r#"{"data":{"result":[{"name":"eth0","ip-addresses":[{"ip-address":"192.0.2.60","prefix":24}]}]}}"#
        })
    })
    .await?;
    let client = client(&[&server]);
    let system = client.qemu_osinfo("pve1", 200).await?;
    assert_eq!(
        (system.id.as_deref(), system.version_id.as_deref()),
        (Some("debian"), Some("13"))
    );
    let interfaces = client.qemu_interfaces("pve1", 200).await?;
    assert_eq!(interfaces[0].addresses[0].ip.to_string(), "192.0.2.60");
    Ok(())
}

#[tokio::test]
async fn permissions() -> Result<()> {
    let server = Server::replaying("auth-permissions-sep").await?;
    let permissions = client(&[&server]).permissions().await?;
    assert!(permissions.has("/", "VM.Audit") && permissions.has("/vms", "Sys.Audit"));
    assert!(!permissions.has("/", "VM.Console") && !permissions.has("/nowhere", "VM.Audit"));

    let server = Server::replaying("auth-permissions-none").await?;
    assert!(client(&[&server]).permissions().await?.by_path.is_empty());

    let server = Server::start(|_| json(r#"{"data":{"/vms/100":{"VM.Audit":1,"VM.Console":0}}}"#)).await?;
    let granted = client(&[&server]).permissions_on("/vms/100").await?;
    assert_eq!(granted.into_iter().collect::<Vec<_>>(), ["VM.Audit", "VM.Console"]);
    assert_eq!(
        server.seen()[0].target,
        "/api2/json/access/permissions?path=%2Fvms%2F100"
    );
    Ok(())
}

#[tokio::test]
async fn storages_and_missing_backups() -> Result<()> {
    let server = Server::replaying("storage-list").await?;
    let storages = client(&[&server]).storages().await?;
    let mut shown: Vec<_> = storages.iter().map(|s| (s.storage.as_str(), s.kind.as_str())).collect();
    shown.sort_unstable();
    assert_eq!(shown, [("btr", "btrfs"), ("local", "dir")]);

    let server = Server::start(|_| json(r#"{"data":[{"vmid":"100","name":"web","type":"lxc"}]}"#)).await?;
    let missing = client(&[&server]).not_backed_up().await?;
    assert_eq!((missing[0].vmid, missing[0].kind), (100, GuestKind::Lxc));
    Ok(())
}

/// Not recorded, since the recording machine had no package cache; the keys are those of PVE's description of 9.1.
#[tokio::test]
async fn packages() -> Result<()> {
    let server = Server::start(|seen| {
        json(if seen.target.ends_with("update") {
            r#"{"data":[{"Package":"pve-manager","Version":"9.1.9","OldVersion":"9.1.8","Origin":"Proxmox"},
                {"Package":"new-library","Version":"1"}]}"#
        } else {
            r#"{"data":[{"Package":"pve-container","Version":"6.1.5","OldVersion":"6.1.2","CurrentState":"Installed"},
                {"Package":"ksm-control","Version":"1","OldVersion":"1","CurrentState":"ConfigFiles"}]}"#
        })
    })
    .await?;
    let client = client(&[&server]);
    let updates = client.apt_updates("pve1").await?;
    assert_eq!(
        (updates[0].old_version.as_deref(), updates[1].old_version.as_deref()),
        (Some("9.1.8"), None)
    );
    let versions = client.apt_versions("pve1").await?;
    assert_eq!(
        (versions[0].installed(), versions[1].installed()),
        (Some("6.1.2"), None)
    );
    Ok(())
}

#[tokio::test]
async fn task_lists() -> Result<()> {
    let server = Server::replaying("task-list").await?;
    let tasks = client(&[&server]).tasks("pve1", &TaskFilter::default()).await?;
    assert_eq!(
        (tasks.len(), tasks[0].upid.kind(), tasks[0].end_time),
        (5, "vzdump", Some(1_795_232_967))
    );

    let server = Server::replaying("task-list-running").await?;
    let filter = TaskFilter {
        vmid: Some(101),
        kind: Some("vzstart".to_owned()),
        since: Some(5),
        limit: Some(10),
        source: TaskSource::Running,
    };
    let tasks = client(&[&server]).tasks("pve1", &filter).await?;
    assert_eq!((tasks[0].status.as_deref(), tasks[0].end_time), (Some("RUNNING"), None));
    assert_eq!(
        server.seen()[0].target,
        "/api2/json/nodes/pve1/tasks?source=active&vmid=101&typefilter=vzstart&since=5&limit=10"
    );
    Ok(())
}
