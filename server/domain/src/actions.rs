//! What a caller may do with a thing now, and why not: computed once, here, for every screen and script.

use crate::access::Role;
use crate::eligible::{self, LeftOut};
use crate::fleet::{AgentState, GuestState};
use crate::rollup::{ClusterState, Rollup};

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Stable name.
    pub name: &'static str,
    /// Why it cannot be done now; `None` when it can.
    pub refused: Option<String>,
}

/// What a caller may do with a cluster.
pub fn of_cluster(role: Role, cluster: ClusterState<'_>, rollup: &Rollup) -> Vec<Action> {
    let paused = || {
        cluster
            .paused
            .then(|| "The cluster is paused: resume it first.".to_owned())
    };
    let never = || (!cluster.discovered).then(|| "Nothing is known of the cluster yet: discover it first.".to_owned());
    let pause = if cluster.paused { "resume" } else { "pause" };
    vec![
        action("discover", needs(role, Role::Operator).or_else(paused)),
        action(
            "bulk_scan",
            needs(role, Role::Operator)
                .or_else(never)
                .or_else(|| nothing_runs(rollup)),
        ),
        action(
            "bulk_install",
            needs(role, Role::Operator)
                .or_else(never)
                .or_else(|| nothing_runs(rollup))
                .or_else(|| (rollup.no_agent == 0).then(|| "Every guest that runs has an agent.".to_owned())),
        ),
        action("test", needs(role, Role::Operator)),
        action("edit", needs(role, Role::Admin)),
        action(pause, needs(role, Role::Admin)),
        action("rotate_token", needs(role, Role::Admin)),
        action("remove", needs(role, Role::Admin)),
    ]
}

/// What a caller may do with the guests of a node.
pub fn of_node(role: Role, name: &str, online: bool, rollup: &Rollup) -> Vec<Action> {
    let silent = || (!online).then(|| format!("{name} does not answer."));
    vec![
        action(
            "bulk_scan",
            needs(role, Role::Operator)
                .or_else(silent)
                .or_else(|| nothing_runs(rollup)),
        ),
        action(
            "bulk_install",
            needs(role, Role::Operator)
                .or_else(silent)
                .or_else(|| nothing_runs(rollup))
                .or_else(|| (rollup.no_agent == 0).then(|| "Every guest that runs has an agent.".to_owned())),
        ),
    ]
}

/// What a caller may do with a guest.
pub fn of_guest(role: Role, guest: &GuestState) -> Vec<Action> {
    let operator = || needs(role, Role::Operator);
    let has_agent = !matches!(guest.agent, AgentState::None | AgentState::Enrolling);
    let install = if has_agent { "reinstall_agent" } else { "install_agent" };
    vec![
        action("scan", operator().or_else(|| why(eligible::for_scan(guest, false)))),
        action(
            install,
            operator().or_else(|| why(eligible::for_install(guest, has_agent, false))),
        ),
        action(
            "set_console_mode",
            operator().or_else(|| match eligible::for_install(guest, has_agent, false) {
                Ok(install) if install.may_open_console => None,
                Ok(_) => Some("Its console is not what keeps Muster out.".to_owned()),
                Err(left_out) => Some(left_out.detail),
            }),
        ),
        action(
            "remove_agent",
            operator().or_else(|| (guest.agent == AgentState::None).then(|| "There is no agent.".to_owned())),
        ),
    ]
}

fn why<T>(decision: Result<T, LeftOut>) -> Option<String> {
    decision.err().map(|left_out| left_out.detail)
}

fn nothing_runs(rollup: &Rollup) -> Option<String> {
    (rollup.running == 0).then(|| "No guest runs here.".to_owned())
}

fn needs(role: Role, needed: Role) -> Option<String> {
    (!role.includes(needed)).then(|| format!("This needs the role {}: an admin can give it.", needed.as_str()))
}

fn action(name: &'static str, refused: Option<String>) -> Action {
    Action { name, refused }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::container;
    use crate::fleet::{ExecEndpoint, GuestStatus};
    use crate::rollup::Alike;

    fn refused<'a>(actions: &'a [Action], name: &str) -> Option<&'a str> {
        let found = actions.iter().find(|action| action.name == name).expect("listed");
        found.refused.as_deref()
    }

    #[test]
    fn a_viewer_sees_the_role_it_takes() {
        let actions = of_guest(Role::Viewer, &container());
        assert_eq!(
            refused(&actions, "install_agent"),
            Some("This needs the role operator: an admin can give it.")
        );
    }

    #[test]
    fn a_scan_needs_an_agent_and_says_so() {
        let alone = GuestState {
            exec_endpoint: ExecEndpoint::Missing,
            ..container()
        };
        let actions = of_guest(Role::Operator, &alone);
        assert_eq!(refused(&actions, "scan"), Some("There is no agent yet: install it."));
        assert_eq!(refused(&actions, "install_agent"), None);
        let connected = GuestState {
            agent: AgentState::Online,
            ..container()
        };
        let actions = of_guest(Role::Operator, &connected);
        assert_eq!(refused(&actions, "scan"), None);
        assert_eq!(refused(&actions, "reinstall_agent"), None);
        assert_eq!(refused(&actions, "remove_agent"), None);
    }

    #[test]
    fn locks_and_stops_keep_an_installation_out() {
        let locked = GuestState {
            lock: Some("backup".to_owned()),
            ..container()
        };
        assert_eq!(
            refused(&of_guest(Role::Operator, &locked), "install_agent"),
            Some("Locked by PVE (backup): wait until that is over.")
        );
        let stopped = GuestState {
            status: GuestStatus::Stopped,
            ..container()
        };
        assert_eq!(
            refused(&of_guest(Role::Operator, &stopped), "install_agent"),
            Some("The guest is stopped: start it.")
        );
    }

    #[test]
    fn a_cluster_without_running_guests_has_nothing_to_scan() {
        let cluster = ClusterState {
            paused: false,
            discovered: true,
            error: None,
        };
        let empty = of_cluster(Role::Admin, cluster, &Rollup::default());
        assert_eq!(refused(&empty, "bulk_scan"), Some("No guest runs here."));
        assert_eq!(refused(&empty, "remove"), None);
        let full = of_cluster(Role::Operator, cluster, &Rollup::of([Alike::one(&container())]));
        assert_eq!(refused(&full, "bulk_install"), None);
        assert!(refused(&full, "remove").is_some());
    }
}
