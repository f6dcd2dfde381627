//! Every call that this client makes, as data.
//!
//! The client builds its paths from these entries, so what stands here is what is sent. Use [`CALLS`] to tell which
//! privileges a token needs, or which calls a PVE version lacks.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Error;

/// A call of the PVE API.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Its name: that of the method of [`Client`](crate::Client) where there is only one call behind it.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path below `/api2/json`, with `{parameters}`.
    pub path: &'static str,
    /// The parameters outside the path that the client may send.
    pub params: &'static [&'static str],
    /// What the token needs; nothing means that any valid token may call it, and sees what it has rights to.
    pub rights: &'static [Right],
    /// The major versions of PVE that have it.
    pub majors: &'static [u8],
}

/// HTTP methods that PVE knows and this client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; repeated freely.
    Get,
    /// Changes something; never repeated by the client.
    Post,
    /// Sets something; never repeated by the client either.
    Put,
}

/// A privilege that a call needs.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Right {
    /// The major versions of PVE in which it is needed.
    pub majors: &'static [u8],
    /// The object in PVE's permission tree, with `{parameters}` of the call's path.
    pub path: &'static str,
    /// Privileges of which one is enough.
    pub any_of: &'static [&'static str],
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        })
    }
}

const BOTH: &[u8] = &[8, 9];

const AUDIT_CLUSTER: &[Right] = &[Right {
    majors: BOTH,
    path: "/",
    any_of: &["Sys.Audit"],
}];
const AUDIT_NODE: &[Right] = &[Right {
    majors: BOTH,
    path: "/nodes/{node}",
    any_of: &["Sys.Audit"],
}];
const AUDIT_GUEST: &[Right] = &[Right {
    majors: BOTH,
    path: "/vms/{vmid}",
    any_of: &["VM.Audit"],
}];
const ASK_AGENT: &[Right] = &[
    Right {
        majors: &[8],
        path: "/vms/{vmid}",
        any_of: &["VM.Monitor"],
    },
    Right {
        majors: &[9],
        path: "/vms/{vmid}",
        any_of: &["VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"],
    },
];

const CONSOLE: &[Right] = &[Right {
    majors: BOTH,
    path: "/vms/{vmid}",
    any_of: &["VM.Console"],
}];
/// What PVE checks before it looks at the single options, each of which needs its own of these.
const CONFIGURE_LXC: &[Right] = &[Right {
    majors: BOTH,
    path: "/vms/{vmid}",
    any_of: &[
        "VM.Config.Disk",
        "VM.Config.CPU",
        "VM.Config.Memory",
        "VM.Config.Network",
        "VM.Config.Options",
    ],
}];
const COMMAND_AGENT: &[Right] = &[
    Right {
        majors: &[8],
        path: "/vms/{vmid}",
        any_of: &["VM.Monitor"],
    },
    Right {
        majors: &[9],
        path: "/vms/{vmid}",
        any_of: &["VM.GuestAgent.Unrestricted"],
    },
];

/// A call that reads.
const fn get(name: &'static str, path: &'static str, rights: &'static [Right]) -> Call {
    call(Method::Get, name, path, rights)
}

/// A call that starts or makes something.
const fn post(name: &'static str, path: &'static str, rights: &'static [Right]) -> Call {
    call(Method::Post, name, path, rights)
}

/// A call that sets something.
const fn put(name: &'static str, path: &'static str, rights: &'static [Right]) -> Call {
    call(Method::Put, name, path, rights)
}

const fn call(method: Method, name: &'static str, path: &'static str, rights: &'static [Right]) -> Call {
    Call {
        name,
        method,
        path,
        params: &[],
        rights,
        majors: BOTH,
    }
}

impl Call {
    const fn with(mut self, params: &'static [&'static str]) -> Self {
        self.params = params;
        self
    }
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $id:ident = $call:expr;)*) => {
        $($(#[$doc])* pub static $id: Call = $call;)*

        /// All calls of the client.
        pub static CALLS: &[&Call] = &[$(&$id),*];
    };
}

catalogue! {
    /// The version of the node that answers.
    VERSION = get("version", "/version", &[]);
    /// Members and quorum.
    CLUSTER_STATUS = get("cluster_status", "/cluster/status", AUDIT_CLUSTER);
    /// Everything in the cluster with its current state, filtered by the token's rights.
    RESOURCES = get("resources", "/cluster/resources", &[]);
    /// Guests without any backup job.
    NOT_BACKED_UP = get("not_backed_up", "/cluster/backup-info/not-backed-up", AUDIT_CLUSTER);
    /// A number that no guest has; with `vmid`, whether that one is free.
    NEXT_ID = get("next_id", "/cluster/nextid", &[]).with(&["vmid"]);
    /// Turns a user's password into a ticket for two hours.
    TICKET = post("ticket", "/access/ticket", &[]).with(&["password", "username"]);
    /// The token's own rights.
    PERMISSIONS = get("permissions", "/access/permissions", &[]).with(&["path"]);
    /// The configured storages.
    STORAGES = get("storages", "/storage", &[]);
    /// The nodes with their certificates.
    NODES = get("nodes", "/nodes", &[]);
    /// The version of one node.
    NODE_VERSION = get("node_version", "/nodes/{node}/version", &[]);
    /// Hardware and load of one node.
    NODE_STATUS = get("node_status", "/nodes/{node}/status", AUDIT_NODE);
    /// Packages that a node could update.
    APT_UPDATES = get(
        "apt_updates",
        "/nodes/{node}/apt/update",
        &[Right { majors: BOTH, path: "/nodes/{node}", any_of: &["Sys.Modify"] }],
    );
    /// The installed versions of Proxmox's packages.
    APT_VERSIONS = get("apt_versions", "/nodes/{node}/apt/versions", AUDIT_NODE);
    /// The containers of a node.
    LXC_LIST = get("lxc_list", "/nodes/{node}/lxc", &[]);
    /// A container's configuration.
    LXC_CONFIG = get("lxc_config", "/nodes/{node}/lxc/{vmid}/config", AUDIT_GUEST).with(&["current"]);
    /// A container's state.
    LXC_STATUS = get("lxc_status", "/nodes/{node}/lxc/{vmid}/status/current", AUDIT_GUEST);
    /// A running container's network interfaces.
    LXC_INTERFACES = get("lxc_interfaces", "/nodes/{node}/lxc/{vmid}/interfaces", AUDIT_GUEST);
    /// Sets options of a container; the console's mode needs `VM.Config.Options`.
    LXC_SET_CONFIG =
        put("lxc_set_config", "/nodes/{node}/lxc/{vmid}/config", CONFIGURE_LXC).with(&["cmode", "delete", "revert"]);
    /// Restarts a container, which puts its pending changes in force.
    LXC_REBOOT = post(
        "lxc_reboot",
        "/nodes/{node}/lxc/{vmid}/status/reboot",
        &[Right { majors: BOTH, path: "/vms/{vmid}", any_of: &["VM.PowerMgmt"] }],
    )
    .with(&["timeout"]);
    /// Starts a terminal for a container's console, which waits 10 s for [`LXC_VNCWEBSOCKET`].
    LXC_TERMPROXY = post("lxc_termproxy", "/nodes/{node}/lxc/{vmid}/termproxy", CONSOLE);
    /// Turns a connection into a WebSocket to the terminal that [`LXC_TERMPROXY`] started on the same node.
    LXC_VNCWEBSOCKET =
        get("lxc_vncwebsocket", "/nodes/{node}/lxc/{vmid}/vncwebsocket", CONSOLE).with(&["port", "vncticket"]);
    /// Runs a command in a container. No PVE has it up to 9.2: the answer is 501. It stands here for a PVE that
    /// learns it, or a proxy that offers it.
    LXC_EXEC = Call {
        name: "lxc_exec",
        method: Method::Post,
        path: "/nodes/{node}/lxc/{vmid}/exec",
        params: &["command"],
        rights: &[],
        majors: &[],
    };
    /// The virtual machines of a node.
    QEMU_LIST = get("qemu_list", "/nodes/{node}/qemu", &[]);
    /// A virtual machine's configuration.
    QEMU_CONFIG = get("qemu_config", "/nodes/{node}/qemu/{vmid}/config", AUDIT_GUEST).with(&["current"]);
    /// A virtual machine's network interfaces, from its guest agent.
    QEMU_INTERFACES =
        get("qemu_interfaces", "/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces", ASK_AGENT);
    /// A virtual machine's operating system, from its guest agent.
    QEMU_OSINFO = get("qemu_osinfo", "/nodes/{node}/qemu/{vmid}/agent/get-osinfo", ASK_AGENT);
    /// Starts a command in a virtual machine, through its guest agent.
    QEMU_EXEC =
        post("qemu_exec", "/nodes/{node}/qemu/{vmid}/agent/exec", COMMAND_AGENT).with(&["command", "input-data"]);
    /// How a command in a virtual machine is doing. Whoever reads that it has ended is the last to know.
    QEMU_EXEC_STATUS =
        get("qemu_exec_status", "/nodes/{node}/qemu/{vmid}/agent/exec-status", COMMAND_AGENT).with(&["pid"]);
    /// The tasks of a node. The owner of a task sees it without further rights.
    TASKS = get("tasks", "/nodes/{node}/tasks", &[])
        .with(&["limit", "since", "source", "typefilter", "vmid"]);
    /// How a task is doing.
    TASK_STATUS = get("task_status", "/nodes/{node}/tasks/{upid}/status", &[]);
    /// What a task has written.
    TASK_LOG = get("task_log", "/nodes/{node}/tasks/{upid}/log", &[]).with(&["limit", "start"]);
}

/// What stands for itself in a path segment.
const IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One call with its arguments.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) call: &'static Call,
    pub(crate) path: String,
    pub(crate) node: Option<String>,
    pub(crate) params: Vec<(&'static str, String)>,
}

impl Call {
    /// Fills the parameters of the path, in order.
    pub(crate) fn at(&'static self, values: &[&str]) -> Result<Request, Error> {
        let mut request = Request {
            call: self,
            path: String::new(),
            node: None,
            params: Vec::new(),
        };
        let mut values = values.iter();
        for segment in self.path.split('/').skip(1) {
            request.path.push('/');
            if !segment.starts_with('{') {
                request.path.push_str(segment);
                continue;
            }
            let value = values
                .next()
                .expect("the methods of the client pass one value per parameter of the path");
            // A dot segment would be resolved by URL parsers and lead to another call.
            if matches!(*value, "" | "." | "..") {
                return Err(Error::invalid(
                    "path parameter",
                    format!("{segment} cannot be {value:?}"),
                ));
            }
            if segment == "{node}" {
                request.node = Some((*value).to_owned());
            }
            request.path.extend(utf8_percent_encode(value, IN_SEGMENT));
        }
        Ok(request)
    }
}

impl Request {
    /// Adds a parameter of the query, or of the form of a POST or PUT.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        debug_assert!(
            self.call.params.contains(&name),
            "{} does not list the parameter {name}",
            self.call.name
        );
        self.params.push((name, value.to_string()));
        self
    }

    pub(crate) fn changes_something(&self) -> bool {
        self.call.method != Method::Get
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_segment() {
        let request = TASK_STATUS
            .at(&["pve1", "UPID:pve1:0:0:0:x:a/../b:root@pam!x?:"])
            .expect("a path");
        assert_eq!(
            request.path,
            "/nodes/pve1/tasks/UPID%3Apve1%3A0%3A0%3A0%3Ax%3Aa%2F..%2Fb%3Aroot%40pam%21x%3F%3A/status"
        );
        assert_eq!(request.node.as_deref(), Some("pve1"));
        for value in ["", ".", ".."] {
            assert!(NODE_STATUS.at(&[value]).is_err(), "{value:?} was accepted as a node");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = CALLS.iter().map(|call| call.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CALLS.len());
    }
}
