//! Tasks: lists, states, logs, and stopping them.

use serde_json::{Map, Value, json};

use super::rows::row;
use super::{ApiError, Call};
use crate::world::{Task, Upid};

/// How many ended tasks per node `GET /cluster/tasks` shows.
const CLUSTER_LIST_PER_NODE: usize = 25;

/// Running tasks and the last ones of each node.
///
/// Who is no auditor of `/` sees nothing, if a token, not even its own: the owner is compared after the token's name
/// was split off (PVE/API2/Cluster.pm).
pub(super) fn of_cluster(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let is_auditor = call.may("/", "Sys.Audit");
    let mut seen = std::collections::HashMap::new();
    let shown = call
        .cluster
        .tasks()
        .filter(|task| is_auditor || task.upid.plain_user() == call.caller);
    let rows = shown.filter_map(|task| {
        let ended = seen.entry(task.upid.node.as_str()).or_insert(0);
        *ended += usize::from(task.end.is_some());
        (task.end.is_none() || *ended <= CLUSTER_LIST_PER_NODE).then(|| cluster_row(task))
    });
    Ok(rows.collect())
}

fn cluster_row(task: &Task) -> Value {
    let mut entry = names(&task.upid);
    entry.insert("saved".to_owned(), json!(if task.end.is_some() { "1" } else { "0" }));
    match &task.end {
        Some(end) => {
            entry.insert("status".to_owned(), json!(end.status));
            entry.insert("endtime".to_owned(), json!(end.at));
        }
        None => drop(entry.insert("pid".to_owned(), json!(task.upid.pid))),
    }
    Value::Object(entry)
}

/// The tasks of a node: by default only ended ones.
pub(super) fn of_node(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let node = call.node();
    let is_auditor = call.may(&format!("/nodes/{node}"), "Sys.Audit");
    let source = call.params.text("source").unwrap_or("archive");
    let chosen: Vec<Value> = call
        .cluster
        .tasks()
        .filter(|task| task.upid.node == node && (is_auditor || owns(call.caller, &task.upid)))
        .filter(|task| source == "all" || (source == "active") == task.end.is_none())
        .filter(|task| is_wanted(call, task))
        .map(node_row)
        .collect();
    let start = usize::try_from(call.params.integer("start").unwrap_or(0)).unwrap_or(0);
    let limit = usize::try_from(call.params.integer("limit").unwrap_or(50)).unwrap_or(50);
    // Somebody who may see none gets no total either (recorded from PVE 9.1.9).
    call.total = (!chosen.is_empty() || is_auditor).then_some(chosen.len());
    Ok(chosen.into_iter().skip(start).take(limit).collect())
}

fn is_wanted(call: &Call<'_>, task: &Task) -> bool {
    let params = &call.params;
    let end = task.end.as_ref().map(|end| end.status.as_str());
    let failed = end.is_some_and(|status| status != "OK" && !status.starts_with("WARNINGS"));
    params.text("vmid").is_none_or(|vmid| vmid == task.upid.id)
        && params.text("typefilter").is_none_or(|kind| kind == task.upid.kind)
        && params
            .text("userfilter")
            .is_none_or(|user| task.upid.user.contains(user))
        && params
            .integer("since")
            .is_none_or(|since| task.upid.starttime as i64 >= since)
        && params
            .integer("until")
            .is_none_or(|until| task.upid.starttime as i64 <= until)
        && (!params.flag("errors") || failed)
        && params
            .text("statusfilter")
            .is_none_or(|wanted| wanted.split(',').any(|one| one == status_class(end)))
}

fn status_class(end: Option<&str>) -> &'static str {
    match end {
        Some("OK") => "ok",
        Some(status) if status.starts_with("WARNINGS") => "warning",
        Some("unexpected status") | None => "unknown",
        Some(_) => "error",
    }
}

fn node_row(task: &Task) -> Value {
    let upid = &task.upid;
    let mut entry = names(upid);
    entry.insert("pid".to_owned(), json!(upid.pid));
    entry.insert("pstart".to_owned(), json!(upid.pstart));
    match &task.end {
        Some(end) => {
            entry.insert("status".to_owned(), json!(end.status));
            entry.insert("endtime".to_owned(), json!(end.at));
        }
        None => {
            // A running task is listed with its owner unsplit.
            entry.remove("tokenid");
            entry.insert("user".to_owned(), json!(upid.user));
            entry.insert("status".to_owned(), json!("RUNNING"));
            entry.insert("saved".to_owned(), json!("0"));
        }
    }
    Value::Object(entry)
}

pub(super) fn status(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let task = known_task(call, "Sys.Audit")?;
    let upid = &task.upid;
    let mut entry = names(upid);
    entry.insert("pid".to_owned(), json!(upid.pid));
    entry.insert("pstart".to_owned(), json!(upid.pstart));
    entry.insert(
        "status".to_owned(),
        json!(if task.end.is_some() { "stopped" } else { "running" }),
    );
    if let Some(end) = &task.end {
        entry.insert("exitstatus".to_owned(), json!(end.status));
    }
    Ok(Value::Object(entry))
}

/// The lines a task wrote. Also an unknown task has a log: one that says so.
pub(super) fn log(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let upid = parse(call)?;
    let lines = match call.cluster.task(&upid).filter(|_| upid.node == call.node()) {
        None => vec!["unable to open file - No such file or directory".to_owned()],
        Some(task) => {
            check_owner(call, &upid, "Sys.Audit")?;
            if task.log.is_empty() {
                vec!["no content".to_owned()]
            } else {
                task.log.clone()
            }
        }
    };
    call.total = Some(lines.len());
    let start = usize::try_from(call.params.integer("start").unwrap_or(0)).unwrap_or(0);
    let limit = match call.params.integer("limit") {
        None => 50,
        Some(0) => usize::MAX,
        Some(limit) => usize::try_from(limit).unwrap_or(50),
    };
    let numbered = lines.iter().enumerate().skip(start).take(limit);
    Ok(numbered.map(|(at, text)| json!({ "n": at + 1, "t": text })).collect())
}

pub(super) fn stop(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let upid = known_task(call, "Sys.Modify")?.upid.clone();
    call.cluster.interrupt_task(&upid, call.now);
    Ok(Value::Null)
}

fn parse(call: &Call<'_>) -> Result<Upid, ApiError> {
    Upid::parse(call.path_value("upid")).ok_or_else(|| ApiError::parameter("upid", "unable to parse worker upid"))
}

fn known_task<'a>(call: &'a Call<'_>, privilege: &str) -> Result<&'a Task, ApiError> {
    let upid = parse(call)?;
    check_owner(call, &upid, privilege)?;
    let task = call.cluster.task(&upid).filter(|task| task.upid.node == call.node());
    task.ok_or_else(|| ApiError::parameter("upid", "no such task"))
}

fn check_owner(call: &Call<'_>, upid: &Upid, privilege: &str) -> Result<(), ApiError> {
    let path = format!("/nodes/{}", call.node());
    match owns(call.caller, upid) || call.may(&path, privilege) {
        true => Ok(()),
        false => Err(ApiError::denied(&format!("{path}, {privilege}"))),
    }
}

/// A token owns its own tasks, a user those of its tokens, too.
fn owns(caller: &str, upid: &Upid) -> bool {
    caller == upid.user || caller == upid.plain_user()
}

fn names(upid: &Upid) -> Map<String, Value> {
    let mut entry = row(json!({
        "upid": upid.to_string(), "node": upid.node, "type": upid.kind, "id": upid.id, "user": upid.plain_user(),
        "starttime": upid.starttime,
    }));
    if let Some(token) = upid.token_name() {
        entry.insert("tokenid".to_owned(), json!(token));
    }
    entry
}
