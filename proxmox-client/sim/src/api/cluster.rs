//! Calls about the whole cluster.

use serde_json::{Value, json};

use super::rows::{guest_resource, row};
use super::{ApiError, Call, node};
use crate::schema::Errors;
use crate::world::{Guest, Node, REPORT_LINGERS, Storage};

/// Members and quorum. A node that is in no cluster lists only itself.
pub(super) fn status(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let cluster = &*call.cluster;
    let mut rows = Vec::new();
    if !cluster.standalone {
        let (name, nodes) = (&cluster.name, cluster.nodes.len());
        let quorate = u8::from(cluster.is_quorate());
        rows.push(json!({
            "type": "cluster", "id": "cluster", "name": name, "nodes": nodes, "version": nodes, "quorate": quorate,
        }));
    }
    for (index, node) in cluster.nodes.iter().enumerate() {
        let mut entry = row(json!({
            "type": "node",
            "id": format!("node/{}", node.name),
            "name": node.name,
            "nodeid": if cluster.standalone { 0 } else { index + 1 },
            "local": u8::from(node.name == call.asked_node),
            "online": u8::from(node.online),
            "level": "",
        }));
        // The address comes from corosync, which knows only nodes that have been there since the asked one booted.
        if node.published_at.is_some() {
            entry.insert("ip".to_owned(), json!(node.ip));
        }
        rows.push(Value::Object(entry));
    }
    Ok(Value::Array(rows))
}

/// Guests, nodes and storages as the cluster last heard of them; what the caller may not see is left out.
pub(super) fn resources(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let wanted = |what: &str| call.params.text("type").is_none_or(|only| only == what);
    let mut rows: Vec<Value> = Vec::new();
    if wanted("vm") {
        let visible = call.visible_guests();
        let mut guests: Vec<&Guest> = call
            .cluster
            .guests
            .values()
            .filter(|g| visible.contains(&g.vmid))
            .collect();
        // Perl's hashes have no order.
        guests.sort_by_key(|guest| guest.figures.bits(99));
        rows.extend(guests.into_iter().map(|guest| Value::Object(guest_row(call, guest))));
    }
    if wanted("node") {
        rows.extend(
            call.cluster
                .nodes
                .iter()
                .map(|node| Value::Object(node_row(call, node))),
        );
    }
    if wanted("storage") {
        for storage in &call.cluster.storages {
            let visible = call.may(&format!("/storage/{}", storage.name), "Datastore.Audit");
            let on_nodes = call.cluster.nodes.iter().filter(|_| visible);
            rows.extend(on_nodes.map(|node| storage_row(call, storage, node)));
        }
    }
    Ok(Value::Array(rows))
}

fn guest_row(call: &Call<'_>, guest: &Guest) -> serde_json::Map<String, Value> {
    let pool = call
        .cluster
        .pools
        .iter()
        .find(|(_, members)| members.contains(&guest.vmid))
        .map(|(name, _)| name);
    let pool = pool.filter(|pool| call.may(&format!("/pool/{pool}"), "Pool.Audit"));
    let shown = guest
        .published
        .as_ref()
        .is_some_and(|report| call.now <= report.at + REPORT_LINGERS);
    guest_resource(guest, pool.map(String::as_str), call.cluster.release, shown)
}

fn node_row(call: &Call<'_>, node: &Node) -> serde_json::Map<String, Value> {
    let mut entry = node::summary(call, node);
    if entry.contains_key("level") {
        entry.insert("cgroup-mode".to_owned(), json!(2));
    }
    entry
}

fn storage_row(call: &Call<'_>, storage: &Storage, node: &Node) -> Value {
    let reported = node.published_at.is_some_and(|at| call.now <= at + REPORT_LINGERS);
    let mut entry = row(json!({
        "id": format!("storage/{}/{}", node.name, storage.name),
        "type": "storage",
        "storage": storage.name,
        "node": node.name,
        "plugintype": storage.plugin,
        "content": storage.content,
        "shared": u8::from(storage.shared),
        "status": if reported { "available" } else { "unknown" },
    }));
    if reported {
        entry.insert("disk".to_owned(), json!(storage.used()));
        entry.insert("maxdisk".to_owned(), json!(storage.size));
    }
    Value::Object(entry)
}

/// Guests that no backup job covers.
pub(super) fn not_backed_up(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let missing = call.cluster.guests.values().filter(|guest| !guest.backed_up);
    let rows = missing.map(|guest| json!({ "vmid": guest.vmid, "name": guest.name(), "type": guest.kind.word() }));
    Ok(rows.collect())
}

/// A number that no guest has; the one that is asked for, unless it is taken. Tells of guests that the caller may not see.
pub(super) fn next_id(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let taken = |vmid: u32| call.cluster.guests.contains_key(&vmid);
    let wanted = call.params.text("vmid").and_then(|text| text.parse().ok());
    if let Some(vmid) = wanted.filter(|vmid| taken(*vmid)) {
        let complaint = format!("VM {vmid} already exists");
        return Err(ApiError::parameters(Errors::from([("vmid".to_owned(), complaint)])));
    }
    let free = wanted.or_else(|| (100..).find(|vmid| !taken(*vmid)));
    Ok(json!(free.unwrap_or_default().to_string()))
}

/// No guest is managed by the high-availability manager.
pub(super) fn ha_resources(_: &mut Call<'_>) -> Result<Value, ApiError> {
    Ok(json!([]))
}

pub(super) fn pools(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let visible = call
        .cluster
        .pools
        .keys()
        .filter(|pool| call.may(&format!("/pool/{pool}"), "Pool.Audit"));
    Ok(visible.map(|pool| json!({ "poolid": pool })).collect())
}
