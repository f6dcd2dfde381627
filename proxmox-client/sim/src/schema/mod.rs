//! What the Proxmox VE API looks like: which calls exist in which release, who may make them and with what parameters.
//!
//! The tables are facts extracted from the schemas that Proxmox publishes with its documentation (8.4 and 9.1). A call
//! that is in no table does not exist and is answered as Proxmox VE does: 501.

mod params;
mod tree;

use std::sync::LazyLock;

pub(crate) use params::{Errors, Kind, Param, Params, RawParams};
pub(crate) use tree::PathValues;
use tree::Tree;

use crate::world::Release;

static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::load);

/// All calls, found by method and path.
pub(crate) struct Schema {
    tree: Tree<Endpoint>,
    extension: Tree<Endpoint>,
}

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Endpoint {
    method: &'static str,
    template: &'static str,
    in_8: bool,
    in_9: bool,
    /// What is known beyond the name; `None` for calls that the simulator does not answer.
    pub(crate) route: Option<Route>,
}

/// Permission, forwarding and parameters of a call that the simulator answers.
#[derive(Debug)]
pub(crate) struct Route {
    permission_8: Permission,
    permission_9: Permission,
    /// Whether any node may be asked, and asks the node that is named in the path.
    pub(crate) forwarded: bool,
    params: Vec<Param>,
}

/// Who may make a call.
#[derive(Debug)]
pub(crate) enum Permission {
    /// Everybody who is logged in; the code behind it filters.
    All,
    /// Everybody, also who is not logged in, but no token.
    NoToken,
    /// Only root@pam, logged in with a password.
    Root,
    /// The privileges (`all`, or one of them) on the path, in which `{vmid}` and `{node}` are filled in.
    Check {
        path: &'static str,
        privileges: Vec<&'static str>,
        any: bool,
    },
}

/// A call that was found, with the values of the variable parts of its path.
pub(crate) struct Found {
    pub(crate) endpoint: &'static Endpoint,
    pub(crate) path_values: PathValues,
}

impl Schema {
    /// The tables as compiled in.
    pub(crate) fn get() -> &'static Schema {
        &SCHEMA
    }

    /// The call behind `method` and `path` (below `/api2/json`), if `release` has it.
    pub(crate) fn find(&'static self, release: Release, method: &str, path: &str) -> Option<Found> {
        let (endpoints, path_values) = self.tree.find(path)?;
        let endpoint = endpoints
            .iter()
            .find(|endpoint| endpoint.method == method && endpoint.is_in(release))?;
        Some(Found { endpoint, path_values })
    }

    /// The same for the calls that the simulator adds to Proxmox VE.
    pub(crate) fn find_extension(&'static self, method: &str, path: &str) -> Option<Found> {
        let (endpoints, path_values) = self.extension.find(path)?;
        let endpoint = endpoints.iter().find(|endpoint| endpoint.method == method)?;
        Some(Found { endpoint, path_values })
    }

    /// Every call that the simulator answers.
    #[cfg(test)]
    pub(crate) fn answered(&'static self) -> impl Iterator<Item = &'static Endpoint> {
        self.tree
            .values()
            .chain(self.extension.values())
            .filter(|endpoint| endpoint.route.is_some())
    }

    fn load() -> Schema {
        let mut tree = Tree::default();
        for endpoint in answered(include_str!("../../schema/routes.tsv")) {
            tree.insert(endpoint.template, endpoint);
        }
        for row in rows(include_str!("../../schema/paths.tsv")) {
            let [method, template, releases] = row[..] else {
                unreachable!("paths.tsv has three columns")
            };
            // The answered ones come first and are found first.
            let (in_8, in_9) = (releases.contains('8'), releases.contains('9'));
            tree.insert(
                template,
                Endpoint {
                    method,
                    template,
                    in_8,
                    in_9,
                    route: None,
                },
            );
        }
        let mut extension = Tree::default();
        for endpoint in answered(include_str!("../../schema/extension.tsv")) {
            extension.insert(endpoint.template, endpoint);
        }
        Schema { tree, extension }
    }
}

impl Endpoint {
    /// The path with `{names}` for its variable parts.
    pub(crate) fn template(&self) -> &'static str {
        self.template
    }

    /// GET, POST, PUT or DELETE.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }

    fn is_in(&self, release: Release) -> bool {
        match release {
            Release::Pve8 => self.in_8,
            Release::Pve9 => self.in_9,
        }
    }
}

impl Route {
    /// Who may make the call in that release.
    pub(crate) fn permission(&self, release: Release) -> &Permission {
        match release {
            Release::Pve8 => &self.permission_8,
            Release::Pve9 => &self.permission_9,
        }
    }

    /// The parameters besides those in the path, in that release.
    pub(crate) fn params(&self, release: Release) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(move |param| param.is_in(release))
    }
}

/// The lines of a table, split at tabs, without comments.
fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').collect())
}

fn answered(table: &'static str) -> impl Iterator<Item = Endpoint> {
    rows(table).map(|row| {
        let [
            method,
            template,
            permission_8,
            permission_9,
            forwarded,
            _protected,
            params,
        ] = row[..]
        else {
            unreachable!("the tables of answered calls have seven columns")
        };
        let route = Route {
            permission_8: Permission::parse(permission_8),
            permission_9: Permission::parse(permission_9),
            forwarded: forwarded == "1",
            params: params.split_whitespace().map(Param::parse).collect(),
        };
        Endpoint {
            method,
            template,
            in_8: true,
            in_9: true,
            route: Some(route),
        }
    })
}

impl Permission {
    fn parse(text: &'static str) -> Permission {
        match text {
            "all" => Permission::All,
            "no-token" => Permission::NoToken,
            "root" => Permission::Root,
            check => {
                let (path, privileges) = check.split_once(':').unwrap_or((check, ""));
                let any = privileges.contains('|');
                Permission::Check {
                    path,
                    privileges: privileges.split(['|', '&']).collect(),
                    any,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exec_in_a_container_does_not_exist_in_any_release() {
        for release in [Release::Pve8, Release::Pve9] {
            assert!(
                Schema::get()
                    .find(release, "POST", "/nodes/pve1/lxc/100/exec")
                    .is_none()
            );
            assert!(
                Schema::get()
                    .find(release, "POST", "/nodes/pve1/qemu/100/agent/exec")
                    .is_some()
            );
        }
    }

    #[test]
    fn the_guest_agents_permission_depends_on_the_release() {
        let path = "/nodes/pve1/qemu/100/agent/get-osinfo";
        let privileges = |release| {
            let found = Schema::get().find(release, "GET", path).expect("the call exists");
            match found
                .endpoint
                .route
                .as_ref()
                .expect("it is answered")
                .permission(release)
            {
                Permission::Check { privileges, .. } => privileges.clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(privileges(Release::Pve8), ["VM.Monitor"]);
        assert_eq!(
            privileges(Release::Pve9),
            ["VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"]
        );
    }

    #[test]
    fn literal_parts_win_over_variable_ones() {
        let found = Schema::get()
            .find(Release::Pve9, "GET", "/nodes/pve1/tasks/UPID:x/status")
            .expect("exists");
        assert_eq!(found.endpoint.template(), "/nodes/{node}/tasks/{upid}/status");
        assert_eq!(
            found.path_values,
            [("node", "pve1".to_owned()), ("upid", "UPID:x".to_owned())]
        );
    }
}
