//! Who may do what.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ApiError, Call};
use crate::world::Propagate;

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
