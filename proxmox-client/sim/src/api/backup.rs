//! Backups, and the archives on storages.

use serde_json::{Value, json};

use super::rows::row;
use super::{ApiError, Call};
use crate::schema::Errors;
use crate::world::{Archive, Backups};

/// Backs up the guests of this node among those asked for; if none is, there is no task.
pub(super) fn start(call: &mut Call<'_>) -> Result<Value, ApiError> {
    check_options(call)?;
    let Some(vmids) = call.params.text("vmid") else {
        return Err(ApiError::failed(
            "proxmox-sim: only backups of guests named by vmid are modelled",
        ));
    };
    let vmids: Result<Vec<u32>, _> = vmids.split([',', ';', ' ']).map(str::parse).collect();
    let vmids =
        vmids.map_err(|_| ApiError::parameter("vmid", "invalid format - value does not look like a valid VM ID\n"))?;
    let storage = call.params.text("storage").unwrap_or("local").to_owned();
    for vmid in &vmids {
        expect(call, &format!("/vms/{vmid}"), "VM.Backup")?;
    }
    expect(call, &format!("/storage/{storage}"), "Datastore.AllocateSpace")?;
    let (node, now) = (call.node(), call.now);
    let here: Vec<u32> = vmids
        .into_iter()
        .filter(|vmid| call.cluster.guests.get(vmid).is_none_or(|guest| guest.node == node))
        .collect();
    if here.is_empty() {
        return Ok(json!("OK"));
    }
    let id = if let [vmid] = here[..] {
        vmid.to_string()
    } else {
        String::new()
    };
    let upid = call
        .cluster
        .begin_task(&node, "vzdump".to_owned(), id, call.caller, now);
    let asked = call
        .params
        .iter()
        .map(|(name, value)| format!(" --{name} {value}"))
        .collect::<String>();
    call.cluster.log(
        &upid,
        format!("INFO: starting new backup job: vzdump{asked} --node {node}"),
    );
    let takes = call
        .cluster
        .storages
        .iter()
        .find(|of| of.name == storage)
        .map(|of| of.has("backup"));
    let problem = match takes {
        None => Some(format!("storage '{storage}' does not exist")),
        Some(false) => Some(format!(
            "can't use storage '{storage}' for backups - wrong content type"
        )),
        Some(true) => None,
    };
    if let Some(problem) = problem {
        let text = format!("could not get storage information for '{storage}': {problem}");
        call.cluster.finish_task(&upid, now, Err(text));
        return Ok(json!(upid.to_string()));
    }
    let left = here.into_iter().map(|vmid| archive(call, vmid, &storage)).collect();
    let backups = Backups {
        upid: upid.clone(),
        left,
        has_failed: false,
    };
    call.cluster.backup_next(backups, now);
    Ok(json!(upid.to_string()))
}

fn archive(call: &Call<'_>, vmid: u32, storage: &str) -> Archive {
    let guest = call.cluster.guests.get(&vmid);
    let notes = call.params.text("notes-template").map(|template| {
        let name = guest.map(|guest| guest.name()).unwrap_or_default();
        template
            .replace("{{guestname}}", &name)
            .replace("{{vmid}}", &vmid.to_string())
    });
    Archive {
        vmid,
        kind: guest.map_or(crate::world::Kind::Lxc, |guest| guest.kind),
        storage: storage.to_owned(),
        node: call.node(),
        at: call.now,
        size: guest.map_or(0, |guest| guest.disk_size() / 20),
        notes,
        protected: call.params.flag("protected"),
    }
}

/// Options that need more than a backup does.
fn check_options(call: &Call<'_>) -> Result<(), ApiError> {
    let has = |name: &&str| call.params.text(name).is_some();
    let of_root = ["tmpdir", "dumpdir", "script", "job-id"].into_iter().filter(has);
    let errors: Errors = of_root
        .map(|name| (name.to_owned(), "Only root may set this option.".to_owned()))
        .collect();
    if !errors.is_empty() && call.caller != "root@pam" {
        return Err(ApiError::parameters(errors));
    }
    if ["bwlimit", "ionice", "performance"].iter().any(has) {
        expect(call, "/", "Sys.Modify")?;
    }
    if has(&"prune-backups") {
        let storage = call.params.text("storage").unwrap_or("local");
        expect(call, &format!("/storage/{storage}"), "Datastore.Allocate")?;
    }
    Ok(())
}

fn expect(call: &Call<'_>, path: &str, privilege: &str) -> Result<(), ApiError> {
    match call.may(path, privilege) {
        true => Ok(()),
        false => Err(ApiError::denied(&format!("{path}, {privilege}"))),
    }
}

/// What is on a storage: archives only.
pub(super) fn content(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = call.path_value("storage");
    let storage = call.cluster.storages.iter().find(|storage| storage.name == name);
    let storage = storage.ok_or_else(|| ApiError::failed(format!("storage '{name}' does not exist")))?;
    let node = call.node();
    let wanted = call.params.text("content").is_none_or(|content| content == "backup");
    let of = call.params.text("vmid");
    let there = call.cluster.archives.iter().filter(|archive| {
        wanted
            && archive.storage == storage.name
            && (storage.shared || archive.node == node)
            && of.is_none_or(|vmid| vmid == archive.vmid.to_string())
            && call.may(&format!("/vms/{}", archive.vmid), "VM.Backup")
    });
    let rows = there.map(|archive| {
        let mut entry = row(json!({
            "volid": format!("{}:backup/{}", archive.storage, archive.file()),
            "content": "backup", "format": archive.format(), "subtype": archive.kind.word(), "vmid": archive.vmid,
            "ctime": archive.at / 1000, "size": archive.size,
        }));
        if let Some(notes) = &archive.notes {
            entry.insert("notes".to_owned(), json!(notes));
        }
        if archive.protected {
            entry.insert("protected".to_owned(), json!(1));
        }
        Value::Object(entry)
    });
    Ok(rows.collect())
}
