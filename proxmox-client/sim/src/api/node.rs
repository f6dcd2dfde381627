//! Nodes: who is there, what they run, what could be updated on them.

use serde_json::{Value, json};

use super::rows::{node_load, row};
use super::{ApiError, Call};
use crate::world::{Node, Packages, Release};

pub(super) fn asked_version(call: &mut Call<'_>) -> Result<Value, ApiError> {
    Ok(version_of(call, call.asked_node))
}

pub(super) fn version(call: &mut Call<'_>) -> Result<Value, ApiError> {
    Ok(version_of(call, &call.node()))
}

fn version_of(call: &Call<'_>, node: &str) -> Value {
    let release = call.cluster.release;
    let (version, repoid) = packages_of(call, node).version(release);
    json!({ "version": version, "release": release.number(), "repoid": repoid })
}

fn packages_of(call: &Call<'_>, node: &str) -> Packages {
    let node = call.cluster.node(node);
    node.map_or(call.cluster.release.packages(), |node| node.packages)
}

/// All nodes with the fingerprints of their certificates; the measurements only for who may audit the node.
pub(super) fn list(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let rows = call.cluster.nodes.iter().map(|node| {
        let mut entry = summary(call, node);
        entry.insert("ssl_fingerprint".to_owned(), json!(node.fingerprint));
        Value::Object(entry)
    });
    Ok(rows.collect())
}

/// What `/nodes` and `/cluster/resources` both say of a node.
///
/// A dead node keeps its `level` and sizes for the five minutes that its last report is shown; one that has not
/// reported since it joined is `unknown`.
pub(super) fn summary(call: &Call<'_>, node: &Node) -> serde_json::Map<String, Value> {
    let id = format!("node/{}", node.name);
    let mut entry = row(json!({ "id": id, "node": node.name, "type": "node" }));
    let auditor = call.may(&format!("/nodes/{}", node.name), "Sys.Audit");
    let reported = node
        .published_at
        .is_some_and(|at| call.now <= at + crate::world::REPORT_LINGERS);
    let status = match (node.online, reported) {
        (true, true) => "online",
        (true, false) => "unknown",
        (false, _) => "offline",
    };
    entry.insert("status".to_owned(), json!(status));
    if !reported {
        return entry;
    }
    entry.insert("level".to_owned(), json!(""));
    if auditor {
        let mut load = node_load(node, call.now);
        load.retain(|key, _| node.online || key.starts_with("max"));
        entry.append(&mut load);
    }
    entry
}

pub(super) fn status(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = call.node();
    let (release, now) = (call.cluster.release, call.now);
    let Some(node) = call.cluster.node(&name) else {
        return Ok(Value::Null);
    };
    let load = node_load(node, now);
    let number = |key: &str| load[key].as_u64().unwrap_or_default();
    let (used, total) = (number("mem"), number("maxmem"));
    let mut memory = row(json!({ "total": total, "used": used, "free": total - used }));
    if release == Release::Pve9 {
        memory.insert("available".to_owned(), json!(total - used));
    }
    let (version, repoid) = node.packages.version(release);
    let kernel = release.kernel();
    let build = "#1 SMP PREEMPT_DYNAMIC PMX";
    let average = |what| format!("{:.2}", 2.0 * node.figures.at(what, now / 1000));
    let (disk, disk_total) = (number("disk"), number("maxdisk"));
    Ok(json!({
        "uptime": number("uptime"),
        "cpu": load["cpu"],
        "idle": 0,
        "wait": 0,
        "loadavg": [average(11), average(12), average(13)],
        "kversion": format!("Linux {kernel} {build}"),
        "current-kernel": { "sysname": "Linux", "release": kernel, "version": build, "machine": "x86_64" },
        "boot-info": { "mode": "efi", "secureboot": 0 },
        "cpuinfo": {
            "cpus": node.cpus, "cores": node.cpus / 2, "sockets": 1, "model": "Simulated CPU", "mhz": "2600.000",
            "user_hz": 100, "hvm": "1", "flags": "fpu sse sse2", "vendor": "GenuineIntel", "family": "6",
        },
        "memory": memory,
        "swap": { "total": 0, "used": 0, "free": 0 },
        "ksm": { "shared": 0 },
        "rootfs": { "total": disk_total, "used": disk, "free": disk_total - disk, "avail": disk_total - disk },
        "pveversion": format!("pve-manager/{version}/{repoid}"),
    }))
}

/// Packages of the host for which apt knows a newer version (PVE/API2/APT.pm: capitalised keys).
pub(super) fn updates(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let Some(node) = call.cluster.node(&call.node()) else {
        return Ok(json!([]));
    };
    let rows = node.updates.iter().map(|(name, from, to)| {
        json!({
            "Package": name,
            "Title": format!("{name} for Proxmox VE"),
            "Description": format!("Package {name}."),
            "OldVersion": from,
            "Version": to,
            "Origin": if name.starts_with("pve") || name.starts_with("proxmox") { "Proxmox" } else { "Debian" },
            "Arch": "amd64",
            "Section": "admin",
            "Priority": "optional",
        })
    });
    Ok(rows.collect())
}

/// Versions of the packages Proxmox VE consists of. The installed one is `OldVersion`.
pub(super) fn versions(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let release = call.cluster.release;
    let packages = packages_of(call, &call.node());
    let (version, repoid) = packages.version(release);
    let kernel = release.kernel();
    let rows = [("proxmox-ve", version), ("pve-manager", version)]
        .into_iter()
        .chain(packages.parts(release))
        .map(|(name, version)| {
            let mut entry = row(json!({
                "Package": name,
                "Title": format!("{name} for Proxmox VE"),
                "Description": format!("Package {name}."),
                "Version": version,
                "OldVersion": version,
                "Origin": "Proxmox",
                "Arch": "all",
                "Section": "admin",
                "Priority": "optional",
                "CurrentState": "Installed",
            }));
            match name {
                "pve-manager" => drop(entry.insert("ManagerVersion".to_owned(), json!(format!("{version}/{repoid}")))),
                "proxmox-ve" => drop(entry.insert("RunningKernel".to_owned(), json!(kernel))),
                _ => {}
            }
            Value::Object(entry)
        });
    Ok(rows.collect())
}
