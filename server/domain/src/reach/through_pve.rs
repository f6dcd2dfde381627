//! The ways by calls of PVE that run a command: the exec call for containers, and the guest agent of VMs.

use super::{Transport, Way, WayState, obstacle};
use crate::fleet::{ExecEndpoint, GuestState, words};

words! {
    /// What is known of the guest agent of QEMU in a VM.
    QemuAgent {
        /// Nobody has asked.
        Unknown = "unknown",
        /// It is switched off in the VM's options.
        Off = "off",
        /// It is switched on and does not answer.
        Silent = "silent",
        /// It answers.
        Answers = "answers",
    }
}

pub(super) fn exec_endpoint(guest: &GuestState) -> Way {
    let version = guest.node_version.as_deref().unwrap_or("of an unknown version");
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
            WayState::Untried,
            format!(
                "Nobody has tried whether PVE {version} on {} runs commands in containers; releases up to 9.2 do not.",
                guest.node
            ),
        ),
    };
    Way::new(Transport::ExecEndpoint, state, reason, None)
}

pub(super) fn qemu_agent(guest: &GuestState) -> Way {
    let way = |state, reason: String| Way::new(Transport::QemuAgent, state, reason, None);
    if guest.is_windows() {
        return way(
            WayState::Impossible,
            "Muster's scripts are for Linux; this VM has Windows.".to_owned(),
        );
    }
    if let Some((state, reason)) = obstacle(guest) {
        return way(state, reason);
    }
    if guest.rights.is_some_and(|rights| !rights.guest_agent) {
        let reason = format!(
            "The token may not run commands by the guest agent: it lacks {} on /vms/{}.",
            guest.major.guest_agent_right(),
            guest.vmid
        );
        return way(WayState::Needs, reason);
    }
    match guest.qemu_agent {
        QemuAgent::Answers => way(WayState::Ready, "The QEMU guest agent answers.".to_owned()),
        QemuAgent::Unknown => way(
            WayState::Untried,
            "Nobody has asked whether the QEMU guest agent answers.".to_owned(),
        ),
        QemuAgent::Off => way(
            WayState::Needs,
            "The QEMU guest agent is off: install qemu-guest-agent in the VM and switch it on in the VM's options."
                .to_owned(),
        ),
        QemuAgent::Silent => way(
            WayState::Needs,
            "The QEMU guest agent is switched on, but does not answer: install or start qemu-guest-agent in the VM."
                .to_owned(),
        ),
    }
}
