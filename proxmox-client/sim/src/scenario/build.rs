//! Makes a cluster's state from its description.

use serde_json::json;

use super::spec::{ClusterSpec, GuestSpec};
use crate::world::{
    AclEntry, Cluster, Config, Figures, Guest, Kind, Millis, Mishaps, Node, Release, Run, Snapshots, Storage, Token,
};

/// The user, the token with all rights that a manager of updates needs, and the one that may only look.
pub(crate) const USER: &str = "muster@pve";
/// Full id of the token that may also act.
pub(crate) const MAIN_TOKEN: &str = "muster@pve!main";
/// Full id of the token that may only look.
pub(crate) const AUDIT_TOKEN: &str = "muster@pve!audit";

const MAIN_ROLE: &str = "MusterOps";
const AUDIT_ROLE: &str = "MusterAudit";

const AUDIT_PRIVILEGES: &[&str] = &["VM.Audit", "Sys.Audit", "Datastore.Audit", "Pool.Audit", "SDN.Audit"];

const ACTING_PRIVILEGES: &[&str] = &[
    "VM.Console",
    "VM.PowerMgmt",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
    "VM.Backup",
    "VM.Config.Options",
    "Datastore.AllocateSpace",
    "Sys.Modify",
];

/// The address of a node: each cluster has a network, each node an address in it.
pub(crate) fn address_of(cluster: usize, node: usize) -> std::net::Ipv4Addr {
    let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
    std::net::Ipv4Addr::new(127, byte(70 + cluster), 0, byte(10 + node))
}

/// The cluster with everything in it. Certificates are made elsewhere: fingerprints are still empty.
pub(crate) fn build(spec: &ClusterSpec, index: usize, seed: u64, now: Millis) -> Cluster {
    let mut cluster = Cluster::new(&spec.name, spec.release, spec.standalone, seed);
    cluster.nodes = spec
        .nodes
        .iter()
        .enumerate()
        .map(|(at, name)| node(spec, index, at, name, seed, now))
        .collect();
    if spec.storages {
        cluster.storages = storages(spec);
    }
    for guest in &spec.guests {
        add_guest(&mut cluster, guest, seed, now);
    }
    give_tokens(&mut cluster, spec.release);
    cluster.advance(now);
    cluster
}

/// Adds one described guest.
pub(crate) fn add_guest(cluster: &mut Cluster, spec: &GuestSpec, seed: u64, now: Millis) {
    let figures = Figures::of(seed, &format!("{}/{}", cluster.name, spec.vmid));
    let address = spec
        .address
        .clone()
        .unwrap_or_else(|| format!("10.0.{}.{}/16", spec.vmid / 250, spec.vmid % 250));
    let mut guest = Guest {
        vmid: spec.vmid,
        kind: spec.kind,
        node: spec.node.clone(),
        os: spec.os,
        shell: spec.shell,
        config: Config::default(),
        snapshots: Snapshots::default(),
        mount_waits: false,
        mishaps: Mishaps::default(),
        run: Run::Stopped,
        paused: false,
        agent_runs: true,
        published: None,
        address,
        backed_up: spec.backed_up,
        networked: spec.networked,
        figures,
    };
    guest.config = config(spec, &guest);
    let since = now.saturating_sub(figures.between(20, 3_600_000, 40 * 86_400_000));
    cluster.add_guest(guest, spec.running.then_some(since));
    if let Some(pool) = spec.pool {
        cluster.pools.entry(pool.to_owned()).or_default().insert(spec.vmid);
    }
}

fn config(spec: &GuestSpec, guest: &Guest) -> Config {
    let mut config = Config::default();
    let disk = format!("{},size={}G", volume(spec, 0), spec.disk_gib);
    config.set("cores", json!(spec.cores));
    config.set("onboot", json!(1));
    match spec.kind {
        Kind::Lxc => set_container(spec, guest, &disk, &mut config),
        Kind::Qemu => set_machine(spec, guest, &disk, &mut config),
    }
    if let Some(tags) = spec.tags {
        config.set("tags", json!(tags));
    }
    if let Some(lock) = spec.lock {
        config.set("lock", json!(lock));
    }
    if spec.template {
        config.set("template", json!(1));
    }
    config
}

fn set_container(spec: &GuestSpec, guest: &Guest, disk: &str, config: &mut Config) {
    let hardware = guest.hardware_address();
    config.set("arch", json!("amd64"));
    config.set("hostname", json!(spec.name));
    config.set("ostype", json!(spec.os.ostype()));
    config.set("memory", json!(spec.memory_mib));
    config.set("swap", json!(512));
    config.set("rootfs", json!(disk));
    config.set(
        "net0",
        json!(format!(
            "name=eth0,bridge=vmbr0,hwaddr={hardware},ip={},type=veth",
            guest.address
        )),
    );
    if !spec.privileged {
        config.set("unprivileged", json!(1));
        config.set("features", json!("nesting=1"));
    }
    if spec.shell_console {
        config.set("cmode", json!("shell"));
    }
    if spec.mount_point {
        config.set(
            "mp0",
            json!(format!("{},mp=/srv/data,backup=1,size=200G", volume(spec, 1))),
        );
    }
}

fn set_machine(spec: &GuestSpec, guest: &Guest, disk: &str, config: &mut Config) {
    config.set("name", json!(spec.name));
    config.set("ostype", json!("l26"));
    // Virtual machines keep their memory as text since it may have properties.
    config.set("memory", json!(spec.memory_mib.to_string()));
    config.set("sockets", json!(1));
    config.set("scsi0", json!(disk));
    config.set("scsihw", json!("virtio-scsi-single"));
    config.set(
        "net0",
        json!(format!("virtio={},bridge=vmbr0,firewall=1", guest.hardware_address())),
    );
    if spec.guest_agent {
        config.set("agent", json!("1"));
    }
}

fn node(spec: &ClusterSpec, cluster: usize, at: usize, name: &str, seed: u64, now: Millis) -> Node {
    let figures = Figures::of(seed, &format!("{}/node/{name}", spec.name));
    let (from, _) = spec.packages.version(spec.release);
    let to = match spec.release {
        Release::Pve8 => "8.4.22",
        Release::Pve9 => "9.1.11",
    };
    let updates = [
        ("pve-manager", from, to),
        ("pve-container", "6.1.5", "6.1.6"),
        ("openssl", "3.5.4-1", "3.5.4-2"),
    ];
    let count = figures.between(30, 0, 4) as usize;
    Node {
        name: name.to_owned(),
        ip: address_of(cluster, at).to_string(),
        fingerprint: String::new(),
        online: true,
        booted_at: now.saturating_sub(figures.between(31, 41 * 86_400_000, 90 * 86_400_000)),
        published_at: None,
        cpus: 16,
        memory: 64 << 30,
        disk: 100 << 30,
        packages: spec.packages,
        updates: updates
            .iter()
            .take(count)
            .map(|(n, f, t)| (n.to_string(), f.to_string(), t.to_string()))
            .collect(),
        figures,
    }
}

/// A disk of a guest in the words of its storage.
fn volume(spec: &GuestSpec, number: u32) -> String {
    let (storage, vmid) = (spec.storage, spec.vmid);
    match (storage, spec.kind) {
        ("local-zfs", Kind::Lxc) => format!("{storage}:subvol-{vmid}-disk-{number}"),
        ("local-btrfs", _) | ("usb-disk", Kind::Lxc) => format!("{storage}:{vmid}/vm-{vmid}-disk-{number}.raw"),
        ("usb-disk", Kind::Qemu) => format!("{storage}:{vmid}/vm-{vmid}-disk-{number}.qcow2"),
        _ => format!("{storage}:vm-{vmid}-disk-{number}"),
    }
}

/// The storages that every installation has, and those that guests are on.
fn storages(spec: &ClusterSpec) -> Vec<Storage> {
    let storage = |name: &str, plugin, content, path, gib: u64| {
        let (name, size, shared) = (name.to_owned(), gib << 30, false);
        Storage {
            name,
            plugin,
            content,
            path,
            shared,
            size,
            percent: 25,
        }
    };
    let all = [
        storage("local", "dir", "iso,vztmpl,backup", Some("/var/lib/vz"), 100),
        storage("local-lvm", "lvmthin", "rootdir,images", None, 900),
        storage("local-zfs", "zfspool", "rootdir,images", None, 1800),
        storage("local-btrfs", "btrfs", "rootdir,images", Some("/var/lib/btrfs"), 900),
        storage("usb-disk", "dir", "rootdir,images", Some("/mnt/usb"), 2000),
    ];
    let is_used = |name: &str| spec.guests.iter().any(|guest| guest.storage == name);
    let is_there = |name: &str| ["local", "local-lvm"].contains(&name) || is_used(name);
    all.into_iter().filter(|storage| is_there(&storage.name)).collect()
}

fn give_tokens(cluster: &mut Cluster, release: Release) {
    let guest_agent: (&[&str], &[&str]) = match release {
        Release::Pve8 => (&[], &["VM.Monitor"]),
        Release::Pve9 => (
            &["VM.GuestAgent.Audit"],
            &["VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"],
        ),
    };
    let figures = cluster.figures;
    let access = &mut cluster.access;
    access.add_user(USER, None);
    access.set_password(USER, &figures.uuid(55));
    access.add_role(AUDIT_ROLE, [AUDIT_PRIVILEGES, guest_agent.0].concat());
    access.add_role(MAIN_ROLE, [AUDIT_PRIVILEGES, ACTING_PRIVILEGES, guest_agent.1].concat());
    let grant = |who: &str, role: &str| AclEntry {
        path: "/".to_owned(),
        who: who.to_owned(),
        role: role.to_owned(),
        propagate: true,
    };
    access.grant(grant(USER, MAIN_ROLE));
    for (at, (token, role)) in [(MAIN_TOKEN, MAIN_ROLE), (AUDIT_TOKEN, AUDIT_ROLE)]
        .into_iter()
        .enumerate()
    {
        access.add_token(
            token,
            Token {
                secret: figures.uuid(50 + at as u64),
                privsep: true,
                expires: None,
            },
        );
        access.grant(grant(token, role));
    }
}
