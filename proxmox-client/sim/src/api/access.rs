//! Who may do what.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ApiError, Call};
use crate::world::Propagate;

/// Turns a password, or a ticket that is still valid, into a ticket.
pub(super) fn log_in(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (name, now) = (call.params.text("username").unwrap_or_default(), call.now);
    let user = match call.params.text("realm") {
        Some(realm) if !name.contains('@') => format!("{name}@{realm}"),
        _ => name.to_owned(),
    };
    let shown = call.params.text("password").unwrap_or_default();
    let cluster = &*call.cluster;
    let is_right = cluster
        .access
        .password_of(&user)
        .is_some_and(|password| password == shown);
    let is_again = cluster.tickets.user_of(shown, now).is_some_and(|of| of == user);
    if !(is_right || is_again) || !cluster.access.user_is_valid(&user, now) {
        return Err(ApiError::unauthorized("authentication failure"));
    }
    let mut answer = json!({
        "username": user,
        "ticket": cluster.tickets.login(&user, now),
        "CSRFPreventionToken": cluster.tickets.csrf(&user, now),
        "cap": capabilities(call, &user),
    });
    if !cluster.standalone {
        answer["clustername"] = json!(cluster.name);
    }
    Ok(answer)
}

/// What the web interface shows of itself to a user: privileges by topic (PVE/API2/AccessControl.pm).
fn capabilities(call: &Call<'_>, user: &str) -> Value {
    let topics: [(&str, &[&str]); 7] = [
        ("access", &["User.", "Group.", "Realm."]),
        ("dc", &["Sys.", "SDN."]),
        ("mapping", &["Mapping."]),
        ("nodes", &["Sys."]),
        ("sdn", &["SDN."]),
        ("storage", &["Datastore."]),
        ("vms", &["VM."]),
    ];
    let held = call.cluster.access.privileges(user, "/", &[]);
    let of_topic = |prefixes: &[&str]| -> Value {
        let about = |privilege: &&String| prefixes.iter().any(|prefix| privilege.starts_with(prefix));
        held.keys()
            .filter(about)
            .map(|privilege| (privilege.clone(), json!(1)))
            .collect()
    };
    topics
        .iter()
        .map(|(topic, prefixes)| ((*topic).to_owned(), of_topic(prefixes)))
        .collect()
}

/// The rights of the caller (or, for auditors of /access, of somebody else) on all paths, or on one.
pub(super) fn permissions(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let who = call.params.text("userid").unwrap_or(call.caller);
    let is_own = who == call.caller || who.strip_prefix(call.caller).is_some_and(|rest| rest.starts_with('!'));
    if !is_own && !call.may("/access", "Sys.Audit") {
        return Err(ApiError::denied("/access, Sys.Audit"));
    }
    let cluster = &*call.cluster;
    let by_path = match call.params.text("path") {
        None => cluster.access.all_privileges(who, &|path| cluster.pools_of(path)),
        Some(path) => {
            let pools = cluster.pools_of(path);
            let pools: Vec<&str> = pools.iter().map(String::as_str).collect();
            BTreeMap::from([(path.to_owned(), cluster.access.privileges(who, path, &pools))])
        }
    };
    Ok(by_path
        .into_iter()
        .map(|(path, privileges)| (path, as_numbers(&privileges)))
        .collect())
}

/// The value of a privilege is whether it propagates; 0 is granted, too.
fn as_numbers(privileges: &Propagate) -> Value {
    privileges
        .iter()
        .map(|(privilege, propagate)| (privilege.clone(), json!(u8::from(*propagate))))
        .collect()
}

pub(super) fn roles(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let rows = call.cluster.access.roles().map(|(name, privileges)| {
        let privileges: Vec<&str> = privileges.iter().map(String::as_str).collect();
        let is_built_in = name == "Administrator" || name == "NoAccess" || name.starts_with("PVE");
        json!({ "roleid": name, "privs": privileges.join(","), "special": u8::from(is_built_in) })
    });
    Ok(rows.collect())
}
