//! How a command gets into a guest: the ways in order of preference, each with its state and the reason for it.
//!
//! Only ways that this version of Muster can use are listed.

use crate::fleet::{AgentState, ExecEndpoint, GuestKind, GuestState, GuestStatus, words};

words! {
    /// A way in.
    Transport {
        /// Our agent in the guest.
        Agent = "agent",
        /// A PVE that runs commands in containers by its API.
        ExecEndpoint = "exec_endpoint",
        /// Somebody pastes a line.
        ByHand = "by_hand",
    }

    /// Whether a way can be used.
    WayState {
        /// Now.
        Ready = "ready",
        /// After one step.
        Needs = "needs",
        /// Never, as things are.
        Impossible = "impossible",
    }
}

/// One way into a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Which.
    pub transport: Transport,
    /// Whether it can be used.
    pub state: WayState,
    /// Why, in a sentence.
    pub reason: String,
    /// The action that does the step, e.g. `install_agent`.
    pub action: Option<&'static str>,
}

/// What a row shows of all that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// All ways, preferred ones first.
    pub ways: Vec<Way>,
    /// The first that is ready.
    pub best: Option<Transport>,
    /// The step that would open a better way than `best`.
    pub needs_step: Option<String>,
}

impl Transport {
    /// The name shown beside a guest.
    pub const fn label(self) -> &'static str {
        match self {
            Transport::Agent => "agent",
            Transport::ExecEndpoint => "exec call",
            Transport::ByHand => "by hand",
        }
    }
}

/// The ways into a guest.
pub fn of(guest: &GuestState) -> Reach {
    let mut ways = vec![agent(guest)];
    if guest.kind == GuestKind::Lxc {
        ways.push(exec_endpoint(guest));
    }
    ways.push(by_hand(guest));
    let best = ways
        .iter()
        .find(|way| way.state == WayState::Ready)
        .map(|way| way.transport);
    let needs_step = ways
        .iter()
        .take_while(|way| way.state != WayState::Ready)
        .find(|way| way.action.is_some() || best.is_none() && way.state == WayState::Needs)
        .map(|way| way.reason.clone());
    Reach { ways, best, needs_step }
}

fn agent(guest: &GuestState) -> Way {
    let way = |state, reason: &str, action| Way {
        transport: Transport::Agent,
        state,
        reason: reason.to_owned(),
        action,
    };
    if guest.is_windows() {
        return way(WayState::Impossible, "The agent runs on Linux only.", None);
    }
    if let Some(obstacle) = obstacle(guest) {
        return way(obstacle.0, &obstacle.1, None);
    }
    match guest.agent {
        AgentState::Online => way(WayState::Ready, "The agent is connected.", None),
        AgentState::Enrolling => way(
            WayState::Needs,
            "An agent is expected: paste the line of its installation.",
            Some("install_agent"),
        ),
        AgentState::Late => way(
            WayState::Needs,
            "The agent was connected and is overdue. It comes back by itself when its network does.",
            None,
        ),
        AgentState::Offline => way(
            WayState::Needs,
            "The agent is offline: start the service muster-agent in the guest, or install it again.",
            Some("reinstall_agent"),
        ),
        AgentState::Quarantined => way(
            WayState::Needs,
            "The agent is in quarantine, since two seem to share its key: install it again.",
            Some("reinstall_agent"),
        ),
        AgentState::None => way(
            WayState::Needs,
            "There is no agent yet: install it.",
            Some("install_agent"),
        ),
    }
}

fn exec_endpoint(guest: &GuestState) -> Way {
    let version = guest.node_version.as_deref().unwrap_or("an unknown version");
    let (state, reason) = match (guest.exec_endpoint, obstacle(guest)) {
        (ExecEndpoint::Missing, _) => (
            WayState::Impossible,
            format!(
                "PVE {version} on {} has no call that runs a command in a container (it answered 501).",
                guest.node
            ),
        ),
        (_, Some(obstacle)) => obstacle,
        (ExecEndpoint::Works, None) => (
            WayState::Ready,
            format!("PVE {version} on {} runs commands in containers.", guest.node),
        ),
        (ExecEndpoint::Unknown, None) => (
            WayState::Needs,
            format!(
                "Nobody has tried whether PVE {version} on {} runs commands in containers; releases up to 9.1 do not.",
                guest.node
            ),
        ),
    };
    Way {
        transport: Transport::ExecEndpoint,
        state,
        reason,
        action: None,
    }
}

fn by_hand(guest: &GuestState) -> Way {
    let (state, reason) = obstacle(guest).unwrap_or_else(|| {
        let place = match guest.kind {
            GuestKind::Lxc => "Paste one line in the container, or one line in the shell of its node for many at once.",
            GuestKind::Qemu => "Paste one line in the VM.",
        };
        (WayState::Ready, place.to_owned())
    });
    Way {
        transport: Transport::ByHand,
        state,
        reason,
        action: None,
    }
}

/// What keeps everything out, whatever the way.
fn obstacle(guest: &GuestState) -> Option<(WayState, String)> {
    if guest.gone {
        return Some((WayState::Impossible, "The guest no longer exists.".to_owned()));
    }
    if guest.template {
        return Some((WayState::Impossible, "A template never runs.".to_owned()));
    }
    if guest.runs() {
        return None;
    }
    if let Some(reason) = guest.silence() {
        return Some((WayState::Needs, reason));
    }
    let reason = match guest.status {
        GuestStatus::Running => return None,
        GuestStatus::Stopped => "The guest is stopped: start it.",
        GuestStatus::Paused => "The guest is paused: resume it.",
        GuestStatus::Unknown => "PVE does not say whether the guest runs.",
    };
    Some((WayState::Needs, reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fleet::tests::container;

    fn states(reach: &Reach) -> Vec<(Transport, WayState)> {
        reach.ways.iter().map(|way| (way.transport, way.state)).collect()
    }

    #[test]
    fn the_first_day_is_by_hand_with_one_step_to_something_better() {
        let reach = of(&container());
        assert_eq!(
            states(&reach),
            [
                (Transport::Agent, WayState::Needs),
                (Transport::ExecEndpoint, WayState::Needs),
                (Transport::ByHand, WayState::Ready)
            ]
        );
        assert_eq!(reach.best, Some(Transport::ByHand));
        assert_eq!(reach.needs_step.as_deref(), Some("There is no agent yet: install it."));
    }

    #[test]
    fn a_connected_agent_is_the_best_way_and_needs_nothing() {
        let reach = of(&GuestState {
            agent: AgentState::Online,
            ..container()
        });
        assert_eq!(reach.best, Some(Transport::Agent));
        assert_eq!(reach.needs_step, None);
    }

    #[test]
    fn a_501_is_remembered_with_the_version() {
        let reach = of(&GuestState {
            exec_endpoint: ExecEndpoint::Missing,
            ..container()
        });
        assert_eq!(reach.ways[1].state, WayState::Impossible);
        assert!(reach.ways[1].reason.contains("9.1.9"), "{}", reach.ways[1].reason);
    }

    #[test]
    fn an_exec_call_that_works_is_better_than_by_hand() {
        let reach = of(&GuestState {
            exec_endpoint: ExecEndpoint::Works,
            ..container()
        });
        assert_eq!(reach.best, Some(Transport::ExecEndpoint));
    }

    #[test]
    fn a_stopped_guest_has_no_way_in_and_says_what_to_do() {
        let reach = of(&GuestState {
            status: GuestStatus::Stopped,
            ..container()
        });
        assert_eq!(reach.best, None);
        assert_eq!(reach.needs_step.as_deref(), Some("The guest is stopped: start it."));
    }

    #[test]
    fn vms_have_no_container_call_and_windows_no_agent() {
        let reach = of(&GuestState {
            kind: GuestKind::Qemu,
            system: Some("win11".to_owned()),
            ..container()
        });
        assert_eq!(
            states(&reach),
            [
                (Transport::Agent, WayState::Impossible),
                (Transport::ByHand, WayState::Ready)
            ]
        );
    }

    proptest! {
        #[test]
        fn a_way_is_ready_only_into_what_runs(
            status in prop::sample::select(GuestStatus::ALL),
            agent in prop::sample::select(AgentState::ALL),
            exec_endpoint in prop::sample::select(ExecEndpoint::ALL),
            stale in any::<bool>(),
            template in any::<bool>(),
            gone in any::<bool>(),
        ) {
            let guest = GuestState { status, agent, exec_endpoint, stale, template, gone, ..container() };
            let reach = of(&guest);
            prop_assert_eq!(reach.best.is_some(), guest.runs());
            for way in &reach.ways {
                prop_assert!(way.reason.ends_with('.'), "{}", way.reason);
            }
        }
    }
}
