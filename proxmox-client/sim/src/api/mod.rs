//! Answers a call from the state of a cluster: who may, which node is meant, are the parameters right, then the code of
//! the call. Pure: time is handed in, waiting is left to the caller.

mod access;
mod agent;
mod backup;
mod cluster;
mod config;
mod console;
mod error;
mod exec;
mod guest;
mod node;
mod power;
mod rows;
mod snapshot;
mod storage;
mod task;

use std::collections::BTreeSet;

use serde_json::Value;

pub(crate) use error::{ApiError, Late};

use crate::qga::Wish;
use crate::schema::{self, Endpoint, Errors, Found, Params, PathValues, Permission, RawParams, Schema};
use crate::world::{Cluster, Millis};

/// A call as it came in, with the caller known.
pub(crate) struct Request<'a> {
    /// GET, POST, PUT or DELETE.
    pub(crate) method: &'a str,
    /// Below the format: `/nodes/pve1/lxc`, percent-decoded.
    pub(crate) path: &'a str,
    /// From the query and the body.
    pub(crate) params: RawParams,
    /// User or full token id.
    pub(crate) caller: &'a str,
    /// The node that was asked.
    pub(crate) asked_node: &'a str,
}

/// What comes back.
#[derive(Debug)]
pub(crate) enum Reply {
    /// `data`, and what stands beside it (`total`).
    Data { data: Value, total: Option<usize> },
    /// The same, with something to be done where there is more than the state of the cluster.
    Errand { data: Value, errand: Errand },
    /// An error in Proxmox VE's form.
    Error(ApiError),
    /// The node that is meant does not answer the one that was asked: 595, no body, after a while.
    Unreachable,
    /// The call exists in Proxmox VE, but the simulator has no answer for it.
    NotModelled,
}

/// What only the surroundings of the world can do.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Connect to the terminal program on that port of the asked node.
    Console { port: u16 },
    /// Ask the agent in a virtual machine; what it says is the answer.
    Agent { vmid: u32, wish: Wish },
}

/// The code of a call.
type Handler = fn(&mut Call<'_>) -> Result<Value, ApiError>;

/// Everything the code of a call works with.
pub(crate) struct Call<'a> {
    cluster: &'a mut Cluster,
    endpoint: &'static Endpoint,
    params: Params,
    path_values: PathValues,
    caller: &'a str,
    /// The node that was asked.
    asked_node: &'a str,
    now: Millis,
    /// What stands beside `data` as `total`.
    total: Option<usize>,
    errand: Option<Errand>,
}

/// Answers a call in the order of Proxmox VE: does it exist, may the caller, does the node answer, are the parameters
/// right, the code.
pub(crate) fn answer(cluster: &mut Cluster, request: Request<'_>, now: Millis) -> Reply {
    match try_answer(cluster, request, now) {
        Ok(reply) => reply,
        Err(error) => Reply::Error(error),
    }
}

fn try_answer(cluster: &mut Cluster, request: Request<'_>, now: Millis) -> Result<Reply, ApiError> {
    let Request {
        method,
        path,
        params: sent,
        caller,
        asked_node,
    } = request;
    let extension = if cluster.lxc_exec {
        Schema::get().find_extension(method, path)
    } else {
        None
    };
    let found = extension.or_else(|| Schema::get().find(cluster.release, method, path));
    let Found { endpoint, path_values } = found.ok_or_else(|| ApiError::not_implemented(method, path))?;
    let (Some(route), Some(handler)) = (&endpoint.route, handler(endpoint.method(), endpoint.template())) else {
        return Ok(Reply::NotModelled);
    };
    check_permission(cluster, (caller, path), route.permission(cluster.release), &path_values)?;
    if route.forwarded && !node_answers(cluster, asked_node, &path_values)? {
        return Ok(Reply::Unreachable);
    }
    check_path(&path_values, &sent)?;
    let params = Params::check(route.params(cluster.release), &sent).map_err(ApiError::parameters)?;
    let mut call = Call {
        cluster,
        endpoint,
        params,
        path_values,
        caller,
        asked_node,
        now,
        total: None,
        errand: None,
    };
    let data = handler(&mut call)?;
    Ok(match call.errand {
        Some(errand) => Reply::Errand { data, errand },
        None => Reply::Data {
            data,
            total: call.total,
        },
    })
}

fn handler(method: &str, template: &str) -> Option<Handler> {
    let handler: Handler = match (method, template) {
        ("GET", "/version") => node::asked_version,
        ("GET", "/nodes") => node::list,
        ("GET", "/cluster/status") => cluster::status,
        ("GET", "/cluster/resources") => cluster::resources,
        ("GET", "/cluster/tasks") => task::of_cluster,
        ("GET", "/cluster/backup-info/not-backed-up") => cluster::not_backed_up,
        ("GET", "/cluster/ha/resources") => cluster::ha_resources,
        ("POST", "/access/ticket") => access::log_in,
        ("GET", "/cluster/nextid") => cluster::next_id,
        ("GET", "/access/permissions") => access::permissions,
        ("GET", "/access/roles") => access::roles,
        ("GET", "/pools") => cluster::pools,
        ("GET", "/storage") => storage::configured,
        ("GET", "/nodes/{node}/version") => node::version,
        ("GET", "/nodes/{node}/status") => node::status,
        ("GET", "/nodes/{node}/lxc") => guest::list_containers,
        ("GET", "/nodes/{node}/qemu") => guest::list_machines,
        ("GET", "/nodes/{node}/storage") => storage::of_node,
        ("GET", "/nodes/{node}/apt/update") => node::updates,
        ("GET", "/nodes/{node}/apt/versions") => node::versions,
        ("GET", "/nodes/{node}/tasks") => task::of_node,
        ("GET", "/nodes/{node}/tasks/{upid}/status") => task::status,
        ("GET", "/nodes/{node}/tasks/{upid}/log") => task::log,
        ("DELETE", "/nodes/{node}/tasks/{upid}") => task::stop,
        ("GET", "/nodes/{node}/lxc/{vmid}") => guest::index,
        ("GET", "/nodes/{node}/lxc/{vmid}/status") => guest::status_index,
        ("GET", "/nodes/{node}/lxc/{vmid}/interfaces") => guest::interfaces,
        ("PUT", "/nodes/{node}/lxc/{vmid}/config") => config::change,
        ("POST", "/nodes/{node}/lxc/{vmid}/termproxy") => console::start,
        ("GET", "/nodes/{node}/lxc/{vmid}/vncwebsocket") => console::connect,
        ("POST", "/nodes/{node}/lxc/{vmid}/exec") => exec::start,
        ("GET", "/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces") => agent::interfaces,
        ("GET", "/nodes/{node}/qemu/{vmid}/agent/get-osinfo") => agent::osinfo,
        ("GET", "/nodes/{node}/qemu/{vmid}/agent/get-host-name") => agent::host_name,
        ("GET", "/nodes/{node}/qemu/{vmid}/agent/info") => agent::info,
        ("POST", "/nodes/{node}/qemu/{vmid}/agent/ping") => agent::ping,
        ("POST", "/nodes/{node}/qemu/{vmid}/agent/exec") => agent::exec,
        ("GET", "/nodes/{node}/qemu/{vmid}/agent/exec-status") => agent::exec_status,
        ("GET", "/nodes/{node}/qemu/{vmid}/agent/file-read") => agent::file_read,
        ("POST", "/nodes/{node}/qemu/{vmid}/agent/file-write") => agent::file_write,
        ("POST", "/nodes/{node}/vzdump") => backup::start,
        ("GET", "/nodes/{node}/storage/{storage}/content") => backup::content,
        ("GET", _) if template.ends_with("/feature") => snapshot::feature,
        ("GET", _) if template.ends_with("/snapshot") => snapshot::list,
        ("POST", _) if template.ends_with("/snapshot") => snapshot::create,
        ("POST", _) if template.ends_with("/rollback") => snapshot::rollback,
        ("GET", _) if template.ends_with("/snapshot/{snapname}") => snapshot::index,
        ("DELETE", _) if template.ends_with("/snapshot/{snapname}") => snapshot::delete,
        ("GET", _) if template.ends_with("/snapshot/{snapname}/config") => snapshot::config,
        ("PUT", _) if template.ends_with("/snapshot/{snapname}/config") => snapshot::describe,
        ("GET", _) if template.ends_with("/config") => config::show,
        ("GET", _) if template.ends_with("/pending") => config::pending,
        ("GET", _) if template.ends_with("/status/current") => guest::status,
        ("POST", _) if template.ends_with("/status/start") => power::start,
        ("POST", _) if template.ends_with("/status/stop") => power::stop,
        ("POST", _) if template.ends_with("/status/shutdown") => power::shutdown,
        ("POST", _) if template.ends_with("/status/reboot") => power::reboot,
        _ => return None,
    };
    Some(handler)
}

fn check_permission(
    cluster: &Cluster,
    (caller, called): (&str, &str),
    permission: &Permission,
    path_values: &[(&'static str, String)],
) -> Result<(), ApiError> {
    let Permission::Check { path, privileges, any } = permission else {
        return match permission {
            Permission::NoToken if caller.contains('!') => Err(ApiError::not_with_token(called)),
            Permission::Root if caller != "root@pam" => Err(ApiError::denied("user != root@pam")),
            _ => Ok(()),
        };
    };
    let path = path_values
        .iter()
        .fold((*path).to_owned(), |p, (name, v)| p.replace(&format!("{{{name}}}"), v));
    let allowed = |privilege: &&&str| cluster.allows(caller, &path, privilege);
    if *any {
        return match privileges.iter().any(|privilege| allowed(&privilege)) {
            true => Ok(()),
            false => Err(ApiError::denied(&format!("{path}, {}", privileges.join("|")))),
        };
    }
    match privileges.iter().find(|privilege| !allowed(privilege)) {
        Some(missing) => Err(ApiError::denied(&format!("{path}, {missing}"))),
        None => Ok(()),
    }
}

/// Whether the node in the path is the asked one or can be reached from there.
fn node_answers(cluster: &Cluster, asked_node: &str, path_values: &[(&'static str, String)]) -> Result<bool, ApiError> {
    let named = path_values
        .iter()
        .find(|(name, _)| *name == "node")
        .map_or(asked_node, |(_, node)| node);
    if named == asked_node || named == "localhost" {
        return Ok(true);
    }
    match cluster.node(named) {
        Some(node) => Ok(node.online),
        None => Err(ApiError::failed(format!(
            "hostname lookup '{named}' failed - failed to get address info for: {named}: Temporary failure in name \
             resolution"
        ))),
    }
}

/// Checks the variable parts of the path, which may not be given a second time as parameters.
fn check_path(path_values: &[(&'static str, String)], sent: &RawParams) -> Result<(), ApiError> {
    let mut errors = Errors::new();
    for (name, value) in path_values {
        if *name == "vmid"
            && let Some(complaint) = schema::Kind::Vmid.complaint(value)
        {
            errors.insert((*name).to_owned(), complaint);
        }
        if sent.get(*name).is_some_and(|other| other.first() != Some(value)) {
            let text = "duplicate parameter (already defined in URI) with conflicting values!";
            errors.insert((*name).to_owned(), text.to_owned());
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ApiError::parameters(errors))
    }
}

impl Call<'_> {
    /// The node in the path.
    fn node(&self) -> String {
        match self.path_value("node") {
            "localhost" => self.asked_node.to_owned(),
            node => node.to_owned(),
        }
    }

    /// The guest number in the path, which has been checked.
    fn vmid(&self) -> u32 {
        self.path_value("vmid").parse().unwrap_or_default()
    }

    fn path_value(&self, name: &str) -> &str {
        self.path_values
            .iter()
            .find(|(n, _)| *n == name)
            .map_or("", |(_, value)| value)
    }

    /// Changes need more than half of the nodes.
    fn expect_quorum(&self) -> Result<(), ApiError> {
        if self.cluster.is_quorate() {
            Ok(())
        } else {
            Err(ApiError::no_quorum())
        }
    }

    fn may(&self, path: &str, privilege: &str) -> bool {
        self.cluster.allows(self.caller, path, privilege)
    }

    /// The type of a parameter.
    fn kind_of_param(&self, name: &str) -> Option<&'static schema::Kind> {
        let mut params = self.endpoint.route.as_ref()?.params(self.cluster.release);
        params.find(|param| param.is_named(name)).map(|param| param.kind())
    }

    /// The guests of which the caller may see more than that they exist.
    fn visible_guests(&self) -> BTreeSet<u32> {
        let visible = |vmid: &&u32| self.may(&format!("/vms/{vmid}"), "VM.Audit");
        self.cluster.guests.keys().filter(visible).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_routes_table_has_code() {
        for call in Schema::get().answered() {
            assert!(
                handler(call.method(), call.template()).is_some(),
                "{} {}",
                call.method(),
                call.template()
            );
        }
    }
}
