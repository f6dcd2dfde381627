//! The words for states of nodes, guests, agents and updates: one table for database, JSON and screen.

use crate::job::TargetState;
use crate::reach::{ConsoleMode, Packages, QemuAgent, TokenConsole};
use crate::rights::{GuestRights, Major};

/// Declares an enum of words with `as_str`, `parse` and the list of all.
macro_rules! words {
    ($($(#[doc = $doc_text:literal])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[doc = $doc_text])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize
        )]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every word, in order.
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// The word used in the database, in JSON and on the screen.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// What the word means; `None` when it means nothing.
            pub fn parse(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|known| known.as_str() == word)
            }
        }

        // By hand: the derive does not see a word that comes out of a macro and would describe the variant's name.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(concat!($($doc_text, "\n"),*).trim()))
                    .enum_values(Some($name::ALL.iter().map(|word| word.as_str())))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}
pub(crate) use words;

words! {
    /// Whether a node answers.
    NodeStatus {
        /// It is a live member of its cluster.
        Online = "online",
        /// The cluster does not hear it.
        Offline = "offline",
        /// PVE has no data of it yet.
        Unknown = "unknown",
    }

    /// What a guest is.
    GuestKind {
        /// A container.
        Lxc = "lxc",
        /// A virtual machine.
        Qemu = "qemu",
    }

    /// What a guest does.
    GuestStatus {
        /// It runs.
        Running = "running",
        /// It is off.
        Stopped = "stopped",
        /// It is frozen.
        Paused = "paused",
        /// PVE does not say.
        Unknown = "unknown",
    }

    /// How the agent in a guest is.
    AgentState {
        /// There is none.
        None = "none",
        /// A permission to enrol waits to be used.
        Enrolling = "enrolling",
        /// It is connected.
        Online = "online",
        /// It should have been heard of by now.
        Late = "late",
        /// It has not been heard of for a while.
        Offline = "offline",
        /// It is connected but not trusted.
        Quarantined = "quarantined",
    }

    /// What is known of the updates that wait in a target.
    UpdatesState {
        /// Nothing.
        Unknown = "unknown",
        /// A recent scan.
        Fresh = "fresh",
        /// A scan of some time ago.
        Stale = "stale",
        /// The last scan failed.
        Failed = "failed",
        /// There is nothing that could be counted.
        Unsupported = "unsupported",
    }

    /// How grave the metadata calls what an update fixes.
    Severity {
        /// Low.
        Low = "low",
        /// Moderate.
        Moderate = "moderate",
        /// Important.
        Important = "important",
        /// Critical.
        Critical = "critical",
    }

    /// Whether a backup job covers a guest.
    Backup {
        /// At least one does.
        Covered = "covered",
        /// None does.
        None = "none",
        /// The token may not ask.
        Unknown = "unknown",
    }

    /// Whether a node has the call that runs a command in a container.
    ExecEndpoint {
        /// Nobody tried with this version of the node.
        Unknown = "unknown",
        /// It ran a command.
        Works = "works",
        /// It answered 501.
        Missing = "missing",
    }
}

/// What the rules need to know of a guest.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestState {
    /// Its number in PVE.
    pub vmid: i64,
    /// Container or VM.
    pub kind: GuestKind,
    /// What it does, as last heard.
    pub status: GuestStatus,
    /// Whether that is old, since its node does not answer.
    pub stale: bool,
    /// Whether it exists although the token cannot see it.
    pub hidden: bool,
    /// Whether it is a template.
    pub template: bool,
    /// Whether it no longer exists.
    pub gone: bool,
    /// What holds it, e.g. `backup`.
    pub lock: Option<String>,
    /// Its system, e.g. `debian`.
    pub system: Option<String>,
    /// The name of its node.
    pub node: String,
    /// Whether that node answers its cluster.
    pub node_status: NodeStatus,
    /// Whether what is known of that node is old, since the cluster cannot be read.
    pub node_stale: bool,
    /// That node's PVE version.
    pub node_version: Option<String>,
    /// Whether that node runs commands in containers.
    pub exec_endpoint: ExecEndpoint,
    /// Whether that node lets API tokens use consoles.
    pub token_console: TokenConsole,
    /// That node's packages that decide about it.
    pub packages: Packages,
    /// The major of its cluster's PVE.
    pub major: Major,
    /// The user whose password opens consoles in its cluster.
    pub login: Option<String>,
    /// What the cluster's token may do with it; `None` while nobody has asked.
    pub rights: Option<GuestRights>,
    /// What its console shows; containers only.
    pub console_mode: Option<ConsoleMode>,
    /// What it will show after the next restart, where that differs.
    pub console_pending: Option<ConsoleMode>,
    /// What is known of its QEMU guest agent; VMs only.
    pub qemu_agent: QemuAgent,
    /// How its agent is.
    pub agent: AgentState,
    /// What is known of its updates.
    pub updates: UpdatesState,
    /// How many wait.
    pub updates_total: Option<u32>,
    /// How many of them are security updates.
    pub updates_security: Option<u32>,
    /// Whether it is backed up.
    pub backup: Backup,
    /// Where the job stands that is at work in it, running or waiting; `None` when there is none, or its turn has not come.
    pub work: Option<TargetState>,
}

impl GuestState {
    /// Whether it runs now. An agent that is connected knows better than an old answer of PVE.
    pub fn runs(&self) -> bool {
        runs(self.status, self.stale, self.agent) && !self.template && !self.gone
    }

    /// Why nothing recent is known of it; `None` when something is.
    pub fn silence(&self) -> Option<String> {
        let node = &self.node;
        if self.hidden && !self.runs() {
            return Some(
                "The token no longer sees the guest: it lacks VM.Audit on it. What is known is old until it has the right again."
                    .to_owned(),
            );
        }
        match (self.stale && !self.runs(), self.node_status, self.node_stale) {
            (false, _, _) => None,
            (true, NodeStatus::Online, false) => Some(format!(
                "PVE has had no news of the guest for a while: look whether pvestatd runs on {node}."
            )),
            (true, NodeStatus::Online, true) => {
                Some("The cluster cannot be read: what is known of the guest is old.".to_owned())
            }
            (true, NodeStatus::Offline | NodeStatus::Unknown, _) => {
                Some(format!("{node} does not answer: what is known of the guest is old."))
            }
        }
    }

    /// Whether its system is Windows, where no agent of ours runs. PVE's `ostype` says `w2k8`, `win11`, …, a guest agent `mswindows`.
    pub fn is_windows(&self) -> bool {
        self.system.as_deref().is_some_and(|id| {
            id.starts_with("win") || id.starts_with("w2k") || id.starts_with("wxp") || id == "mswindows"
        })
    }
}

/// Whether a guest that is there and no template runs.
pub(crate) fn runs(status: GuestStatus, stale: bool, agent: AgentState) -> bool {
    status == GuestStatus::Running && !stale || agent == AgentState::Online
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A running container without agent.
    pub(crate) fn container() -> GuestState {
        GuestState {
            vmid: 100,
            kind: GuestKind::Lxc,
            status: GuestStatus::Running,
            stale: false,
            hidden: false,
            template: false,
            gone: false,
            lock: None,
            system: Some("debian".to_owned()),
            node: "pve1".to_owned(),
            node_status: NodeStatus::Online,
            node_stale: false,
            node_version: Some("9.1.9".to_owned()),
            exec_endpoint: ExecEndpoint::Unknown,
            token_console: TokenConsole::Works,
            packages: Packages::default(),
            major: Major::Nine,
            login: None,
            rights: Some(GuestRights::ALL),
            console_mode: Some(ConsoleMode::Tty),
            console_pending: None,
            qemu_agent: QemuAgent::Unknown,
            agent: AgentState::None,
            updates: UpdatesState::Unknown,
            updates_total: None,
            updates_security: None,
            backup: Backup::Unknown,
            work: None,
        }
    }

    #[test]
    fn every_word_is_read_back() {
        for state in AgentState::ALL {
            assert_eq!(AgentState::parse(state.as_str()), Some(*state));
        }
        assert_eq!(AgentState::parse("asleep"), None);
    }
}
