//! Which guests a bulk action takes, and why not the others. The same answer serves the preview and the real thing.

use crate::fleet::{AgentState, GuestState, GuestStatus};
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

/// How the agent gets into a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// The ways to try, preferred ones first.
    pub ways: Vec<Transport>,
    /// Whether the console is to be made to show a shell first, which restarts the container.
    pub opens_console: bool,
    /// Whether that is possible, and would open a way where there is none.
    pub may_open_console: bool,
    /// Whether a person gets a line to paste, in case no way leads in.
    pub by_hand: bool,
}

/// The ways by which a guest would be scanned, preferred ones first. `scanning` says that a job is about to do so already.
pub fn for_scan(guest: &GuestState, scanning: bool) -> Result<Vec<Transport>, LeftOut> {
    obstacle(guest)?;
    if scanning {
        return left_out("already_scanning", "A scan of this guest is under way already.");
    }
    let reach = reach::of(guest);
    let mut ways = reach.through_pve();
    if guest.agent == AgentState::Online {
        ways.insert(0, Transport::Agent);
    }
    if guest.is_windows() {
        return left_out("unsupported_system", "Windows cannot be scanned.");
    }
    match ways.is_empty() {
        true => Err(LeftOut::no_reach(reach.needs_step)),
        false => Ok(ways),
    }
}

/// How the agent would be installed. `again` asks for a new installation over a working one, `open_consoles` for consoles
/// to be switched where nothing else leads in.
pub fn for_install(guest: &GuestState, again: bool, open_consoles: bool) -> Result<Install, LeftOut> {
    obstacle(guest)?;
    if guest.is_windows() {
        return left_out("unsupported_system", "The agent runs on Linux only.");
    }
    if guest.agent == AgentState::Online && !again {
        return left_out("agent_online", "The agent is installed and online.");
    }
    let reach = reach::of(guest);
    let ready = reach.is_ready_through_pve();
    let behind = reach.behind_console_mode();
    let may_open_console = !ready && !behind.is_empty();
    let opens_console = may_open_console && open_consoles;
    let mut ways = reach.through_pve();
    if opens_console {
        ways.extend(behind);
    }
    Ok(Install {
        by_hand: !ready && !opens_console,
        ways,
        opens_console,
        may_open_console,
    })
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
    use crate::fleet::{ExecEndpoint, GuestKind};
    use crate::reach::{ConsoleMode, QemuAgent};

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
        assert_eq!(
            for_scan(&guest, false),
            Ok(vec![Transport::Agent, Transport::ExecEndpoint])
        );
        assert_eq!(code(for_scan(&guest, true)), "already_scanning");
    }

    #[test]
    fn a_node_that_was_never_asked_is_asked_and_one_that_said_501_is_not() {
        assert_eq!(for_scan(&container(), false), Ok(vec![Transport::ExecEndpoint]));
        let missing = GuestState {
            exec_endpoint: ExecEndpoint::Missing,
            ..container()
        };
        let left = for_scan(&missing, false).expect_err("left out");
        assert_eq!(left.code, "no_reach");
        assert_eq!(left.detail, "There is no agent yet: install it.");
    }

    #[test]
    fn a_vm_goes_by_its_guest_agent_and_windows_by_nothing() {
        let vm = GuestState {
            kind: GuestKind::Qemu,
            qemu_agent: QemuAgent::Answers,
            ..container()
        };
        assert_eq!(for_scan(&vm, false), Ok(vec![Transport::QemuAgent]));
        let windows = GuestState {
            system: Some("win11".to_owned()),
            ..vm.clone()
        };
        assert_eq!(code(for_scan(&windows, false)), "unsupported_system");
        assert_eq!(code(for_install(&windows, false, true)), "unsupported_system");
        let alone = GuestState {
            qemu_agent: QemuAgent::Off,
            ..vm
        };
        assert_eq!(code(for_scan(&alone, false)), "no_reach");
        let by_hand = for_install(&alone, false, true).expect("accepted");
        assert!(by_hand.by_hand && by_hand.ways.is_empty() && !by_hand.may_open_console);
    }

    #[test]
    fn a_console_is_switched_only_on_request_and_only_where_nothing_else_leads_in() {
        let guest = GuestState {
            exec_endpoint: ExecEndpoint::Missing,
            ..container()
        };
        let left_alone = for_install(&guest, false, false).expect("accepted");
        assert!(left_alone.may_open_console && left_alone.by_hand && !left_alone.opens_console);
        assert_eq!(left_alone.ways, []);
        let opened = for_install(&guest, false, true).expect("accepted");
        assert!(opened.opens_console && !opened.by_hand);
        assert_eq!(opened.ways, [Transport::TokenConsole]);
        let has_shell = GuestState {
            console_mode: Some(ConsoleMode::Shell),
            ..guest
        };
        let plain = for_install(&has_shell, false, true).expect("accepted");
        assert!(!plain.opens_console && !plain.may_open_console && !plain.by_hand);
        assert_eq!(plain.ways, [Transport::TokenConsole]);
    }

    #[test]
    fn a_line_is_given_where_no_way_is_sure() {
        let untried = for_install(&container(), false, false).expect("accepted");
        assert!(untried.by_hand);
        assert_eq!(untried.ways, [Transport::ExecEndpoint]);
    }

    #[test]
    fn a_working_agent_is_replaced_only_on_request() {
        let guest = GuestState {
            agent: AgentState::Online,
            ..container()
        };
        assert_eq!(code(for_install(&guest, false, false)), "agent_online");
        assert_eq!(code(for_install(&guest, true, false)), "accepted");
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
            assert_eq!(code(for_install(&guest, true, true)), word);
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
            prop_assert!(for_install(&guest, scanning, true).is_err() || guest.runs());
            for left in [for_scan(&guest, scanning).err(), for_install(&guest, scanning, true).err()].into_iter().flatten() {
                prop_assert!(left.detail.ends_with('.'), "{}", left.detail);
            }
        }
    }
}
