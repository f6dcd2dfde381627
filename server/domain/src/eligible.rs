//! Which guests a bulk action takes, and why not the others. The same answer serves the preview and the real thing.

use crate::fleet::{AgentState, ExecEndpoint, GuestKind, GuestState, GuestStatus};
use crate::reach::{self, Transport};

/// Why a guest is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Stable code, e.g. `stopped`.
    pub code: &'static str,
    /// What is, and what to do.
    pub detail: String,
}

impl LeftOut {
    /// There is no such guest any more.
    pub fn gone() -> LeftOut {
        LeftOut {
            code: "gone",
            detail: "The guest no longer exists.".to_owned(),
        }
    }

    /// No way leads into the guest that needs nobody.
    pub fn no_reach(step: Option<String>) -> LeftOut {
        let usual = || "There is no way into the guest that needs nobody: install the agent.".to_owned();
        LeftOut {
            code: "no_reach",
            detail: step.unwrap_or_else(usual),
        }
    }
}

/// The way by which a guest would be scanned. `scanning` says that a job is about to do so already.
pub fn for_scan(guest: &GuestState, scanning: bool) -> Result<Transport, LeftOut> {
    obstacle(guest)?;
    if scanning {
        return left_out("already_scanning", "A scan of this guest is under way already.");
    }
    if guest.agent == AgentState::Online {
        return Ok(Transport::Agent);
    }
    if guest.is_windows() {
        return left_out("unsupported_system", "Windows cannot be scanned.");
    }
    // A node that was never asked is asked by the first scan; its 501 is remembered.
    if guest.kind == GuestKind::Lxc && guest.exec_endpoint != ExecEndpoint::Missing {
        return Ok(Transport::ExecEndpoint);
    }
    Err(LeftOut::no_reach(reach::of(guest).needs_step))
}

/// Whether the agent can be installed by a pasted line. `again` asks for a new installation over a working one.
pub fn for_install(guest: &GuestState, again: bool) -> Result<(), LeftOut> {
    obstacle(guest)?;
    if guest.is_windows() {
        return left_out("unsupported_system", "The agent runs on Linux only.");
    }
    if guest.agent == AgentState::Online && !again {
        return left_out("agent_online", "The agent is installed and online.");
    }
    Ok(())
}

/// What keeps every action out.
fn obstacle(guest: &GuestState) -> Result<(), LeftOut> {
    if guest.gone {
        return Err(LeftOut::gone());
    }
    if guest.template {
        return left_out("template", "A template never runs.");
    }
    if let Some(reason) = guest.silence() {
        return left_out("stale", reason);
    }
    match guest.status {
        _ if guest.runs() => {}
        GuestStatus::Running => {}
        GuestStatus::Stopped => return left_out("stopped", "The guest is stopped: start it."),
        GuestStatus::Paused => return left_out("paused", "The guest is paused: resume it."),
        GuestStatus::Unknown => return left_out("status_unknown", "PVE does not say whether the guest runs."),
    }
    match guest.lock.as_deref() {
        Some(lock) => left_out("locked", format!("Locked by PVE ({lock}): wait until that is over.")),
        None => Ok(()),
    }
}

fn left_out<T>(code: &'static str, detail: impl Into<String>) -> Result<T, LeftOut> {
    Err(LeftOut {
        code,
        detail: detail.into(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fleet::tests::container;

    fn code<T>(decision: Result<T, LeftOut>) -> &'static str {
        decision.err().map_or("accepted", |left| left.code)
    }

    #[test]
    fn an_agent_goes_before_the_exec_call() {
        let guest = GuestState {
            agent: AgentState::Online,
            exec_endpoint: ExecEndpoint::Works,
            ..container()
        };
        assert_eq!(for_scan(&guest, false), Ok(Transport::Agent));
        assert_eq!(code(for_scan(&guest, true)), "already_scanning");
    }

    #[test]
    fn a_node_that_was_never_asked_is_asked_and_one_that_said_501_is_not() {
        assert_eq!(for_scan(&container(), false), Ok(Transport::ExecEndpoint));
        let missing = GuestState {
            exec_endpoint: ExecEndpoint::Missing,
            ..container()
        };
        let left = for_scan(&missing, false).expect_err("left out");
        assert_eq!(left.code, "no_reach");
        assert_eq!(left.detail, "There is no agent yet: install it.");
    }

    #[test]
    fn a_vm_without_agent_has_no_way_in() {
        let vm = GuestState {
            kind: GuestKind::Qemu,
            ..container()
        };
        assert_eq!(code(for_scan(&vm, false)), "no_reach");
        assert_eq!(code(for_install(&vm, false)), "accepted");
        let windows = GuestState {
            system: Some("win11".to_owned()),
            ..vm
        };
        assert_eq!(code(for_scan(&windows, false)), "unsupported_system");
        assert_eq!(code(for_install(&windows, false)), "unsupported_system");
    }

    #[test]
    fn a_working_agent_is_replaced_only_on_request() {
        let guest = GuestState {
            agent: AgentState::Online,
            ..container()
        };
        assert_eq!(code(for_install(&guest, false)), "agent_online");
        assert_eq!(code(for_install(&guest, true)), "accepted");
    }

    #[test]
    fn every_obstacle_has_its_word() {
        let with = |change: fn(&mut GuestState)| {
            let mut guest = container();
            change(&mut guest);
            guest
        };
        let cases: [(GuestState, &str); 7] = [
            (with(|guest| guest.gone = true), "gone"),
            (with(|guest| guest.template = true), "template"),
            (with(|guest| guest.stale = true), "stale"),
            (with(|guest| guest.status = GuestStatus::Stopped), "stopped"),
            (with(|guest| guest.status = GuestStatus::Paused), "paused"),
            (with(|guest| guest.status = GuestStatus::Unknown), "status_unknown"),
            (with(|guest| guest.lock = Some("backup".to_owned())), "locked"),
        ];
        for (guest, word) in cases {
            assert_eq!(code(for_scan(&guest, false)), word);
            assert_eq!(code(for_install(&guest, true)), word);
        }
    }

    proptest! {
        /// Nothing that does not run now is ever taken.
        #[test]
        fn only_what_runs_is_taken(
            status in prop::sample::select(GuestStatus::ALL),
            agent in prop::sample::select(AgentState::ALL),
            exec_endpoint in prop::sample::select(ExecEndpoint::ALL),
            kind in prop::sample::select(GuestKind::ALL),
            stale in any::<bool>(),
            template in any::<bool>(),
            gone in any::<bool>(),
            scanning in any::<bool>(),
        ) {
            let guest = GuestState { status, agent, exec_endpoint, kind, stale, template, gone, ..container() };
            prop_assert!(for_scan(&guest, scanning).is_err() || guest.runs());
            prop_assert!(for_install(&guest, scanning).is_err() || guest.runs());
            for left in [for_scan(&guest, scanning).err(), for_install(&guest, scanning).err()].into_iter().flatten() {
                prop_assert!(left.detail.ends_with('.'), "{}", left.detail);
            }
        }
    }
}
