//! The rows and objects in which Proxmox VE describes guests and nodes, with its mix of encodings.

use serde_json::{Map, Value, json};

use crate::world::{Guest, Kind, Millis, Node, Release, Run};

/// A JSON object that is being filled.
pub(super) type Row = Map<String, Value>;

/// Makes a row of a `json!` object.
pub(super) fn row(object: Value) -> Row {
    match object {
        Value::Object(map) => map,
        _ => Row::new(),
    }
}

/// What is measured of a guest in state `run`.
pub(super) struct Load {
    pub(super) uptime: u64,
    pub(super) cpu: f64,
    pub(super) mem: u64,
    pub(super) disk: u64,
    pub(super) netin: u64,
    pub(super) netout: u64,
    pub(super) diskread: u64,
    pub(super) diskwrite: u64,
}

impl Load {
    /// The measurements at a moment; zeros for a guest that is off.
    pub(super) fn of(guest: &Guest, run: Run, now: Millis) -> Load {
        let Run::Running { since, pid } = run else {
            return Load {
                uptime: 0,
                cpu: 0.0,
                mem: 0,
                disk: 0,
                netin: 0,
                netout: 0,
                diskread: 0,
                diskwrite: 0,
            };
        };
        let uptime = if pid.is_some() {
            now.saturating_sub(since) / 1000
        } else {
            0
        };
        let figures = guest.figures;
        let share = |what, least: f64, most: f64| least + figures.at(what, now / 1000) * (most - least);
        let disk_share = if guest.kind == Kind::Lxc {
            0.1 + 0.5 * figures.constant(3)
        } else {
            0.0
        };
        Load {
            uptime,
            cpu: share(1, 0.0005, 0.08),
            mem: (guest.memory() as f64 * share(2, 0.15, 0.6)) as u64,
            disk: (guest.disk_size() as f64 * disk_share) as u64,
            netin: uptime * figures.between(4, 200, 90_000),
            netout: uptime * figures.between(5, 100, 40_000),
            diskread: uptime * figures.between(6, 0, 20_000),
            diskwrite: uptime * figures.between(8, 50, 60_000),
        }
    }

    pub(super) fn put(&self, row: &mut Row) {
        row.insert("uptime".to_owned(), json!(self.uptime));
        row.insert("cpu".to_owned(), fraction(self.cpu));
        for (key, value) in [
            ("mem", self.mem),
            ("disk", self.disk),
            ("netin", self.netin),
            ("netout", self.netout),
            ("diskread", self.diskread),
            ("diskwrite", self.diskwrite),
        ] {
            row.insert(key.to_owned(), json!(value));
        }
    }
}

/// Perl prints 0 without a decimal point.
pub(super) fn fraction(value: f64) -> Value {
    if value == 0.0 { json!(0) } else { json!(value) }
}

/// Status, processor and memory of a guest as the lists of a node and `status/current` have it.
pub(super) fn guest_status(guest: &Guest, release: Release, now: Millis) -> Row {
    let mut row = row(json!({
        "vmid": guest.vmid,
        "name": guest.name(),
        "status": guest.status(),
        "cpus": guest.number("cores", 1),
        "maxmem": guest.memory(),
        "maxdisk": guest.disk_size(),
    }));
    Load::of(guest, guest.run, now).put(&mut row);
    put_labels(guest, &mut row);
    if let Run::Running { pid: Some(pid), .. } = guest.run {
        row.insert("pid".to_owned(), json!(pid));
    }
    if guest.config.active.get("template") == Some(&json!(1)) {
        row.insert("template".to_owned(), json!(1));
    }
    match guest.kind {
        Kind::Lxc => put_container_fields(guest, release, &mut row),
        Kind::Qemu => put_machine_fields(guest, release, &mut row),
    }
    row
}

fn put_container_fields(guest: &Guest, release: Release, row: &mut Row) {
    row.insert("type".to_owned(), json!("lxc"));
    row.insert("swap".to_owned(), json!(0));
    row.insert("maxswap".to_owned(), json!(guest.number("swap", 0) << 20));
    if release == Release::Pve9 && guest.is_running() {
        for (at, what) in ["cpusome", "cpufull", "iosome", "iofull", "memorysome", "memoryfull"]
            .iter()
            .enumerate()
        {
            // The kernel's text is passed on as it is: strings, unlike the numbers of virtual machines.
            let share = guest.figures.constant(40 + at as u64) * 0.3;
            row.insert(format!("pressure{what}"), json!(format!("{share:.2}")));
        }
    }
}

fn put_machine_fields(guest: &Guest, release: Release, row: &mut Row) {
    if release == Release::Pve9 {
        row.insert("memhost".to_owned(), row["mem"].clone());
    }
    // QEMU itself counts these.
    if !guest.is_running() {
        row.remove("diskread");
        row.remove("diskwrite");
    }
}

/// The row of a guest in `/cluster/resources`: what its node last reported, and what the configuration says.
pub(super) fn guest_resource(guest: &Guest, pool: Option<&str>, release: Release, shown: bool) -> Row {
    let id = format!("{}/{}", guest.kind.word(), guest.vmid);
    let mut row = row(json!({ "id": id, "type": guest.kind.word(), "vmid": guest.vmid, "node": guest.node }));
    if let Some(pool) = pool {
        row.insert("pool".to_owned(), json!(pool));
    }
    put_labels(guest, &mut row);
    let Some(report) = guest.published.as_ref().filter(|_| shown) else {
        row.insert("status".to_owned(), json!("unknown"));
        return row;
    };
    let load = Load::of(guest, report.run, report.at);
    load.put(&mut row);
    row.insert("status".to_owned(), json!(report.status));
    row.insert("name".to_owned(), json!(report.name));
    row.insert("maxcpu".to_owned(), json!(guest.number("cores", 1)));
    row.insert("maxmem".to_owned(), json!(guest.memory()));
    row.insert("maxdisk".to_owned(), json!(guest.disk_size()));
    row.insert("template".to_owned(), json!(guest.number("template", 0)));
    if release == Release::Pve9 {
        row.insert("memhost".to_owned(), json!(load.mem));
    }
    row
}

fn put_labels(guest: &Guest, row: &mut Row) {
    if let Some(tags) = guest.config.active.get("tags") {
        row.insert("tags".to_owned(), tags.clone());
    }
    if let Some(lock) = guest.lock() {
        row.insert("lock".to_owned(), json!(lock));
    }
}

/// The figures of a node that `/nodes` and `/cluster/resources` share; `None` where only auditors may see them.
pub(super) fn node_load(node: &Node, now: Millis) -> Row {
    let figures = node.figures;
    row(json!({
        "uptime": now.saturating_sub(node.booted_at) / 1000,
        "cpu": fraction(0.01 + 0.2 * figures.at(1, now / 1000)),
        "maxcpu": node.cpus,
        "mem": (node.memory as f64 * (0.3 + 0.3 * figures.at(2, now / 1000))) as u64,
        "maxmem": node.memory,
        "disk": (node.disk as f64 * (0.2 + 0.2 * figures.constant(3))) as u64,
        "maxdisk": node.disk,
    }))
}
