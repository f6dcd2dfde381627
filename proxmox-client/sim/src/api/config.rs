//! A guest's configuration: what is in force, what is pending, and changes by PUT.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::rows::row;
use super::{ApiError, Call};
use crate::schema;
use crate::world::{Config, Kind};

/// The configuration with pending changes merged in, unless `current=1` asks for what is in force.
pub(super) fn show(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let guest = call.guest()?;
    if let Some(snapshot) = call.params.text("snapshot") {
        return match guest.snapshots.get(snapshot) {
            Some(kept) => Ok(kept.config.clone().into_iter().collect()),
            None => Err(ApiError::failed(format!("snapshot '{snapshot}' does not exist"))),
        };
    }
    let shown = match call.params.flag("current") {
        true => guest.config.current(),
        false => guest.config.with_pending(),
    };
    Ok(shown.into_iter().collect())
}

/// Each key with its value in force and, where they differ, the one of the next start.
pub(super) fn pending(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let config = &call.guest()?.config;
    let current = config.current();
    let keys: BTreeSet<&String> = current.keys().chain(config.pending.keys()).collect();
    let rows = keys.into_iter().map(|key| {
        let mut entry = row(json!({ "key": key }));
        if let Some(value) = current.get(key) {
            entry.insert("value".to_owned(), value.clone());
        }
        match config.pending.get(key) {
            Some(Some(value)) => drop(entry.insert("pending".to_owned(), value.clone())),
            Some(None) => drop(entry.insert("delete".to_owned(), json!(1))),
            None => {}
        }
        Value::Object(entry)
    });
    Ok(rows.collect())
}

/// Options of a container that change at once while it runs; the others wait for its next start
/// (PVE/LXC/Config.pm).
const AT_ONCE: [&str; 12] = [
    "description",
    "onboot",
    "startup",
    "protection",
    "hostname",
    "hookscript",
    "cores",
    "tags",
    "lock",
    "memory",
    "swap",
    "nameserver",
];

/// Changes a container's configuration.
pub(super) fn change(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (node, vmid, caller) = (call.node(), call.vmid(), call.caller.to_owned());
    let changes = Changes::of(call);
    if let Some(denied) = changes.keys().find_map(|key| denial(call, &caller, vmid, key)) {
        return Err(denied);
    }
    let guest = call.guest()?;
    if let Some(lock) = guest.lock() {
        return Err(ApiError::failed(format!("CT is locked ({lock})")));
    }
    call.expect_quorum()?;
    let expected = call.params.text("digest");
    if expected.is_some_and(|digest| digest != guest.config.digest()) {
        return Err(ApiError::failed(
            "detected modified configuration - file changed by other user? Try again.",
        ));
    }
    let is_running = guest.is_running();
    let Some(guest) = call.cluster.guests.get_mut(&vmid).filter(|guest| guest.node == node) else {
        return Err(ApiError::no_guest(&node, Kind::Lxc, vmid));
    };
    changes.apply(&mut guest.config, is_running);
    Ok(Value::Null)
}

/// What a PUT asks for.
struct Changes {
    set: Vec<(String, Value)>,
    delete: Vec<String>,
    revert: Vec<String>,
}

impl Changes {
    fn of(call: &Call<'_>) -> Changes {
        let list = |name: &str| -> Vec<String> {
            let names = call.params.text(name).unwrap_or_default().split([',', ';', ' ']);
            names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        let steering = ["delete", "revert", "digest"];
        let values = call.params.iter().filter(|(name, _)| !steering.contains(name));
        let set = values
            .map(|(name, value)| (name.to_owned(), stored(call, name, value)))
            .collect();
        Changes {
            set,
            delete: list("delete"),
            revert: list("revert"),
        }
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        let set = self.set.iter().map(|(key, _)| key.as_str());
        set.chain(self.delete.iter().chain(&self.revert).map(String::as_str))
    }

    fn apply(self, config: &mut Config, is_running: bool) {
        for key in self.revert {
            config.pending.remove(&key);
        }
        let wanted = self.set.into_iter().map(|(key, value)| (key, Some(value)));
        let unwanted = self.delete.into_iter().map(|key| (key, None));
        for (key, value) in wanted.chain(unwanted) {
            config.pending.remove(&key);
            if is_running && !AT_ONCE.contains(&key.as_str()) {
                if config.active.get(&key) != value.as_ref() {
                    config.pending.insert(key, value);
                }
                continue;
            }
            match value {
                Some(value) => drop(config.active.insert(key, value)),
                None => drop(config.active.remove(&key)),
            }
        }
    }
}

/// A value in the form in which the configuration shows it: integers and booleans as numbers, the rest as text, a
/// description with a line feed at its end.
fn stored(call: &Call<'_>, name: &str, value: &str) -> Value {
    let number = || {
        value
            .parse::<i64>()
            .map_or_else(|_| json!(value), |number| json!(number))
    };
    match call.kind_of_param(name) {
        Some(schema::Kind::Boolean | schema::Kind::Integer { .. }) => number(),
        _ if name == "description" => json!(format!("{}\n", value.trim_end_matches('\n'))),
        _ => json!(value),
    }
}

/// The privilege that a change of one option needs (PVE/LXC.pm, check_ct_modify_config_perm).
fn denial(call: &Call<'_>, caller: &str, vmid: u32, key: &str) -> Option<ApiError> {
    let family = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let privilege = match family {
        "cores" | "cpulimit" | "cpuunits" => "VM.Config.CPU",
        "memory" | "swap" => "VM.Config.Memory",
        "net" | "hostname" | "nameserver" | "searchdomain" => "VM.Config.Network",
        "rootfs" | "mp" | "unused" => "VM.Config.Disk",
        "hookscript" | "dev" => return (caller != "root@pam").then(|| ApiError::denied("user != root@pam")),
        _ => "VM.Config.Options",
    };
    let path = format!("/vms/{vmid}");
    (!call.may(&path, privilege)).then(|| ApiError::denied(&format!("{path}, {privilege}")))
}
