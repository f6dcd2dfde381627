use proptest::prelude::*;

use super::*;
use crate::fleet::ExecEndpoint;
use crate::fleet::tests::container;
use crate::rights::{GuestRights, Major};

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
            (Transport::ExecEndpoint, WayState::Untried),
            (Transport::TokenConsole, WayState::Needs),
            (Transport::TicketConsole, WayState::Needs),
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
            (Transport::QemuAgent, WayState::Impossible),
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

fn way(guest: &GuestState, transport: Transport) -> Way {
    let found = of(guest).ways.into_iter().find(|way| way.transport == transport);
    found.expect("the way is listed")
}

#[test]
fn a_console_needs_a_shell_rights_and_packages() {
    let shell = GuestState {
        console_mode: Some(ConsoleMode::Shell),
        ..container()
    };
    let by_token = |guest: &GuestState| way(guest, Transport::TokenConsole);
    assert_eq!(by_token(&shell).state, WayState::Ready);
    let login = by_token(&container());
    assert_eq!((login.state, login.action), (WayState::Needs, Some("set_console_mode")));
    let waits = by_token(&GuestState {
        console_pending: Some(ConsoleMode::Shell),
        ..container()
    });
    assert!(waits.reason.contains("next restart"), "{}", waits.reason);
    let denied = GuestRights {
        console: false,
        ..GuestRights::ALL
    };
    let denied = by_token(&GuestState {
        rights: Some(denied),
        ..shell.clone()
    });
    assert_eq!((denied.state, denied.action), (WayState::Needs, None));
    assert!(denied.reason.contains("VM.Console on /vms/100"), "{}", denied.reason);
    let bound = by_token(&GuestState {
        rights: Some(GuestRights {
            options: false,
            ..GuestRights::ALL
        }),
        ..container()
    });
    assert!(bound.reason.contains("VM.Config.Options"), "{}", bound.reason);
    let old = by_token(&GuestState {
        token_console: TokenConsole::Refused,
        packages: Packages([("pve-container".to_owned(), "6.1.2".to_owned())].into()),
        ..shell.clone()
    });
    assert_eq!(old.state, WayState::Impossible);
    assert!(
        old.reason.contains("pve-container 6.1.2 (needed: 6.1.3)"),
        "{}",
        old.reason
    );
    let unknown = by_token(&GuestState {
        token_console: TokenConsole::Unknown,
        ..shell
    });
    assert_eq!(unknown.state, WayState::Untried);
}

#[test]
fn a_user_with_a_password_goes_where_the_token_may_not() {
    let guest = GuestState {
        console_mode: Some(ConsoleMode::Shell),
        token_console: TokenConsole::Refused,
        exec_endpoint: ExecEndpoint::Missing,
        login: Some("muster@pve".to_owned()),
        ..container()
    };
    assert_eq!(of(&guest).through_pve(), [Transport::TicketConsole]);
}

#[test]
fn a_vm_says_what_its_guest_agent_lacks() {
    let vm = |qemu_agent| GuestState {
        kind: GuestKind::Qemu,
        qemu_agent,
        ..container()
    };
    assert_eq!(of(&vm(QemuAgent::Answers)).best, Some(Transport::QemuAgent));
    assert_eq!(
        way(&vm(QemuAgent::Unknown), Transport::QemuAgent).state,
        WayState::Untried
    );
    assert!(
        way(&vm(QemuAgent::Off), Transport::QemuAgent)
            .reason
            .contains("switch it on")
    );
    let bound = GuestState {
        rights: Some(GuestRights {
            guest_agent: false,
            ..GuestRights::ALL
        }),
        major: Major::Eight,
        ..vm(QemuAgent::Answers)
    };
    assert!(
        way(&bound, Transport::QemuAgent)
            .reason
            .contains("VM.Monitor on /vms/100")
    );
}
