//! Storages: as configured, and as a node sees them.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::rows::row;
use super::{ApiError, Call};
use crate::world::Storage;

/// The storage configuration.
pub(super) fn configured(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let names: Vec<&str> = call
        .cluster
        .storages
        .iter()
        .map(|storage| storage.name.as_str())
        .collect();
    let digest = hex::encode(&Sha256::digest(names.join(","))[..20]);
    let only = call.params.text("type");
    let chosen = visible(call).filter(|storage| only.is_none_or(|only| only == storage.plugin));
    let rows = chosen.map(|storage| {
        let mut entry = row(json!({
            "storage": storage.name, "type": storage.plugin, "content": storage.content, "digest": digest,
        }));
        if let Some(path) = storage.path {
            entry.insert("path".to_owned(), json!(path));
        }
        if storage.shared {
            entry.insert("shared".to_owned(), json!(1));
        }
        Value::Object(entry)
    });
    Ok(rows.collect())
}

/// The storages of a node with their use.
pub(super) fn of_node(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let content = call.params.text("content");
    let name = call.params.text("storage");
    let has = |storage: &&Storage, content: &str| storage.content.split(',').any(|one| one == content);
    let chosen = visible(call)
        .filter(|storage| content.is_none_or(|content| has(storage, content)))
        .filter(|storage| name.is_none_or(|name| name == storage.name));
    let rows = chosen.map(|storage| {
        let (total, used) = (storage.size, storage.used());
        json!({
            "storage": storage.name, "type": storage.plugin, "content": storage.content, "enabled": 1, "active": 1,
            "shared": u8::from(storage.shared), "total": total, "used": used, "avail": total - used,
            "used_fraction": used as f64 / total as f64,
        })
    });
    Ok(rows.collect())
}

fn visible<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Storage> {
    call.cluster.storages.iter().filter(|storage| {
        let path = format!("/storage/{}", storage.name);
        call.may(&path, "Datastore.Audit") || call.may(&path, "Datastore.AllocateSpace")
    })
}
