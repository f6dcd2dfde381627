//! How a command gets into a guest: the ways in order of preference, each with its state and the reason for it.
//!
//! Only ways that this version of Muster can use are listed.

mod console;
mod through_pve;

#[cfg(test)]
mod tests;

use crate::fleet::{AgentState, GuestKind, GuestState, GuestStatus, words};

pub use console::{CONSOLE_PACKAGES, ConsoleMode, Packages, TokenConsole};
pub use through_pve::QemuAgent;

words! {
    /// A way in.
    Transport {
        /// Our agent in the guest.
        Agent = "agent",
        /// A PVE that runs commands in containers by its API.
        ExecEndpoint = "exec_endpoint",
        /// The guest agent of QEMU in a VM.
        QemuAgent = "qemu_agent",
        /// The console of a container, opened with the API token.
        TokenConsole = "token_console",
        /// The console of a container, opened with a user's password.
        TicketConsole = "ticket_console",
        /// Somebody pastes a line.
        ByHand = "by_hand",
    }

    /// Whether a way can be used.
    WayState {
        /// Now.
        Ready = "ready",
        /// Nothing speaks against it; the first use will show.
        Untried = "untried",
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
            Transport::QemuAgent => "QEMU agent",
            Transport::TokenConsole => "token console",
            Transport::TicketConsole => "ticket console",
            Transport::ByHand => "by hand",
        }
    }
}

impl Way {
    fn new(transport: Transport, state: WayState, reason: impl Into<String>, action: Option<&'static str>) -> Way {
        Way {
            transport,
            state,
            reason: reason.into(),
            action,
        }
    }
}

impl Reach {
    /// The ways through PVE that are worth a try, preferred ones first. The agent is none of them, and neither is a person.
    pub fn through_pve(&self) -> Vec<Transport> {
        self.leading_in(|way| matches!(way.state, WayState::Ready | WayState::Untried))
    }

    /// The ways through its console that open when the console shows a shell, preferred ones first.
    pub fn behind_console_mode(&self) -> Vec<Transport> {
        self.leading_in(|way| way.action == Some(console::SET_CONSOLE_MODE))
    }

    /// Whether a way through PVE is ready.
    pub fn is_ready_through_pve(&self) -> bool {
        !self.leading_in(|way| way.state == WayState::Ready).is_empty()
    }

    fn leading_in(&self, wanted: impl Fn(&Way) -> bool) -> Vec<Transport> {
        self.ways
            .iter()
            .filter(|way| !matches!(way.transport, Transport::Agent | Transport::ByHand) && wanted(way))
            .map(|way| way.transport)
            .collect()
    }
}

/// The ways into a guest.
pub fn of(guest: &GuestState) -> Reach {
    let mut ways = vec![agent(guest)];
    match guest.kind {
        GuestKind::Lxc => {
            ways.push(through_pve::exec_endpoint(guest));
            ways.push(console::by_token(guest));
            ways.push(console::by_ticket(guest));
        }
        GuestKind::Qemu => ways.push(through_pve::qemu_agent(guest)),
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
    let way = |state, reason: &str, action| Way::new(Transport::Agent, state, reason, action);
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
            "An agent is being installed: paste the line of its installation, if it waits for one.",
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

fn by_hand(guest: &GuestState) -> Way {
    let (state, reason) = obstacle(guest).unwrap_or_else(|| {
        let place = match guest.kind {
            GuestKind::Lxc => "Paste one line in the container, or one line in the shell of its node for many at once.",
            GuestKind::Qemu => "Paste one line in the VM.",
        };
        (WayState::Ready, place.to_owned())
    });
    Way::new(Transport::ByHand, state, reason, None)
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
