//! Guests of a node: lists, states, addresses.

use serde_json::{Value, json};

use super::rows::guest_status;
use super::{ApiError, Call};
use crate::world::{Guest, Kind, Run};

impl Call<'_> {
    /// The kind of guest that the path is about.
    pub(super) fn kind(&self) -> Kind {
        if self.endpoint.template().contains("/qemu/") {
            Kind::Qemu
        } else {
            Kind::Lxc
        }
    }

    /// The guest in the path, if it is on the node in the path.
    pub(super) fn guest(&self) -> Result<&Guest, ApiError> {
        let (node, kind, vmid) = (self.node(), self.kind(), self.vmid());
        self.cluster
            .guest_on(&node, kind, vmid)
            .ok_or_else(|| ApiError::no_guest(&node, kind, vmid))
    }
}

pub(super) fn list_containers(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let rows = on_node(call, Kind::Lxc).map(|guest| guest_status(guest, call.cluster.release, call.now));
    Ok(rows.map(Value::Object).collect())
}

pub(super) fn list_machines(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let full = call.params.flag("full");
    let rows = on_node(call, Kind::Qemu).map(|guest| {
        let mut entry = guest_status(guest, call.cluster.release, call.now);
        if full {
            entry.insert("qmpstatus".to_owned(), json!(guest.qemu_status()));
        }
        Value::Object(entry)
    });
    Ok(rows.collect())
}

fn on_node<'a>(call: &'a Call<'_>, kind: Kind) -> impl Iterator<Item = &'a Guest> {
    let (node, visible) = (call.node(), call.visible_guests());
    let on_it = move |guest: &&Guest| guest.node == node && guest.kind == kind && visible.contains(&guest.vmid);
    let mut guests: Vec<&Guest> = call.cluster.guests.values().filter(on_it).collect();
    guests.sort_by_key(|guest| guest.figures.bits(98));
    guests.into_iter()
}

pub(super) fn status(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let guest = call.guest()?;
    let mut entry = guest_status(guest, call.cluster.release, call.now);
    entry.insert("ha".to_owned(), json!({ "managed": 0 }));
    if guest.kind == Kind::Qemu {
        entry.insert("qmpstatus".to_owned(), json!(guest.qemu_status()));
        if guest.has_agent() {
            entry.insert("agent".to_owned(), json!(1));
        }
    }
    Ok(Value::Object(entry))
}

/// What `ip a` says in the container's network namespace; nothing for a container that is off.
pub(super) fn interfaces(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let guest = call.guest()?;
    if !matches!(guest.run, Run::Running { pid: Some(_), .. }) {
        return Ok(Value::Null);
    }
    let hardware = guest.hardware_address().to_lowercase();
    let (local_v6, (address, prefix)) = (link_local(&hardware), split(&guest.address));
    let of = |inet: (&str, &str), inet6: (&str, &str), name: &str, hardware: &str| {
        json!({
            "name": name,
            "hwaddr": hardware,
            "hardware-address": hardware,
            "inet": format!("{}/{}", inet.0, inet.1),
            "inet6": format!("{}/{}", inet6.0, inet6.1),
            "ip-addresses": [
                { "ip-address": inet.0, "prefix": inet.1, "ip-address-type": "inet" },
                { "ip-address": inet6.0, "prefix": inet6.1, "ip-address-type": "inet6" },
            ],
        })
    };
    Ok(json!([
        of(("127.0.0.1", "8"), ("::1", "128"), "lo", "00:00:00:00:00:00"),
        of((address, prefix), (&local_v6, "64"), "eth0", &hardware),
    ]))
}

/// Subdirectories below a container (recorded from PVE 9.1.9).
pub(super) fn index(call: &mut Call<'_>) -> Result<Value, ApiError> {
    call.guest()?;
    Ok(subdirectories(&[
        "config",
        "pending",
        "status",
        "vncproxy",
        "termproxy",
        "vncwebsocket",
        "spiceproxy",
        "migrate",
        "clone",
        "rrd",
        "rrddata",
        "firewall",
        "snapshot",
        "resize",
        "interfaces",
    ]))
}

pub(super) fn status_index(call: &mut Call<'_>) -> Result<Value, ApiError> {
    call.guest()?;
    Ok(subdirectories(&[
        "current", "start", "stop", "shutdown", "reboot", "migrate",
    ]))
}

fn subdirectories(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "subdir": name })).collect()
}

pub(super) fn split(address: &str) -> (&str, &str) {
    address.split_once('/').unwrap_or((address, "24"))
}

/// The IPv6 address that a network card gives itself.
pub(super) fn link_local(hardware: &str) -> String {
    let bytes: Vec<u8> = hardware
        .split(':')
        .filter_map(|byte| u8::from_str_radix(byte, 16).ok())
        .collect();
    match bytes[..] {
        [a, b, c, d, e, f] => format!(
            "fe80::{:x}:{:x}:fe{d:02x}:{:x}",
            u16::from_be_bytes([a ^ 2, b]),
            u16::from_be_bytes([c, 0xff]),
            u16::from_be_bytes([e, f])
        ),
        _ => "fe80::1".to_owned(),
    }
}
