//! The mark each guest gets in the roll call, the counts of a node or cluster, and the one thing to do next there.

use crate::fleet::{AgentState, Backup, GuestState, GuestStatus, UpdatesState, words};

words! {
    /// The mark of one guest.
    Tick {
        /// Nothing waits.
        UpToDate = "up_to_date",
        /// Updates wait.
        Updates = "updates",
        /// Security updates wait.
        Security = "security",
        /// Something runs there.
        Running = "running",
        /// Something waits for a person or a free place.
        Waiting = "waiting",
        /// The last scan failed.
        Failed = "failed",
        /// An update was undone.
        RolledBack = "rolled_back",
        /// Somebody has to look.
        NeedsAttention = "needs_attention",
        /// Unknown or old.
        Unknown = "unknown",
        /// Stopped, or nothing to count.
        Off = "off",
    }
}

/// The counts of a node or a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollup {
    /// Guests, templates included.
    pub guests: u32,
    /// Those that run.
    pub running: u32,
    /// Those that run and have no agent.
    pub no_agent: u32,
    /// Updates that wait, all together.
    pub updates_total: u32,
    /// Security updates among them.
    pub security_total: u32,
    /// Guests in which updates wait.
    pub out_of_date: u32,
    /// Guests that run and whose updates are not known.
    pub unknown: u32,
    /// Guests that run, have an agent that is online, and were never scanned.
    pub unscanned: u32,
    /// Guests that no backup job covers.
    pub not_backed_up: u32,
}

/// What to do next in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// In words: what is, and what to do.
    pub text: String,
    /// The action of the cluster that does it.
    pub action: &'static str,
}

/// What is known of a cluster beside its guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterState<'a> {
    /// Whether Muster leaves it alone.
    pub paused: bool,
    /// Whether it was ever read.
    pub discovered: bool,
    /// Why it cannot be read: stable code.
    pub error: Option<&'a str>,
}

/// The mark of a guest.
pub fn tick(guest: &GuestState) -> Tick {
    if guest.template {
        return Tick::Off;
    }
    if !guest.runs() && (guest.stale || guest.status == GuestStatus::Unknown) {
        return Tick::Unknown;
    }
    if !guest.runs() && guest.status == GuestStatus::Stopped {
        return Tick::Off;
    }
    match guest.updates {
        UpdatesState::Failed => Tick::Failed,
        UpdatesState::Unsupported => Tick::Off,
        UpdatesState::Unknown if guest.agent == AgentState::Enrolling => Tick::Waiting,
        UpdatesState::Unknown | UpdatesState::Stale => Tick::Unknown,
        UpdatesState::Fresh if guest.updates_security > Some(0) => Tick::Security,
        UpdatesState::Fresh if guest.updates_total > Some(0) => Tick::Updates,
        UpdatesState::Fresh => Tick::UpToDate,
    }
}

impl Rollup {
    /// Counts a guest in.
    pub fn add(&mut self, guest: &GuestState) {
        let total = guest.updates_total.unwrap_or(0);
        self.guests += 1;
        self.updates_total += total;
        self.security_total += guest.updates_security.unwrap_or(0);
        self.out_of_date += u32::from(total > 0);
        self.not_backed_up += u32::from(guest.backup == Backup::None);
        if guest.runs() {
            let known = matches!(guest.updates, UpdatesState::Fresh | UpdatesState::Unsupported);
            self.running += 1;
            self.no_agent += u32::from(guest.agent == AgentState::None);
            self.unknown += u32::from(!known);
            self.unscanned += u32::from(guest.agent == AgentState::Online && guest.updates == UpdatesState::Unknown);
        }
    }

    /// The counts of several guests.
    pub fn of<'a>(guests: impl IntoIterator<Item = &'a GuestState>) -> Rollup {
        let mut rollup = Rollup::default();
        for guest in guests {
            rollup.add(guest);
        }
        rollup
    }
}

/// The one thing to do next in a cluster; `None` when all is well.
pub fn next_step(cluster: ClusterState<'_>, rollup: &Rollup) -> Option<NextStep> {
    let step = |text: String, action| Some(NextStep { text, action });
    if cluster.paused {
        return step(
            "The cluster is paused, what you see is old: resume it.".to_owned(),
            "resume",
        );
    }
    match cluster.error {
        Some("token_refused") => {
            return step(
                "PVE refuses the token: give Muster a new one.".to_owned(),
                "rotate_token",
            );
        }
        Some("certificate_changed") => {
            return step(
                "A certificate changed: compare both fingerprints, then accept the new one.".to_owned(),
                "edit",
            );
        }
        Some(_) => return step("The cluster cannot be read: test the connection.".to_owned(), "test"),
        None => {}
    }
    if !cluster.discovered {
        return step(
            "Nothing is known of the cluster yet: discover it.".to_owned(),
            "discover",
        );
    }
    if rollup.no_agent > 0 {
        let count = counted(rollup.no_agent, "guest runs", "guests run");
        return step(format!("{count} without an agent: install it."), "bulk_install");
    }
    if rollup.unscanned > 0 {
        let count = counted(rollup.unscanned, "guest was", "guests were");
        return step(format!("{count} never scanned: scan."), "bulk_scan");
    }
    None
}

/// A number with the right form of its noun.
pub fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fleet::tests::container;

    fn scanned(total: u32, security: u32) -> GuestState {
        GuestState {
            agent: AgentState::Online,
            updates: UpdatesState::Fresh,
            updates_total: Some(total),
            updates_security: Some(security),
            backup: Backup::None,
            ..container()
        }
    }

    #[test]
    fn marks_say_the_worst_that_is_known() {
        assert_eq!(tick(&scanned(0, 0)), Tick::UpToDate);
        assert_eq!(tick(&scanned(3, 0)), Tick::Updates);
        assert_eq!(tick(&scanned(3, 1)), Tick::Security);
        assert_eq!(tick(&container()), Tick::Unknown);
        let failed = GuestState {
            updates: UpdatesState::Failed,
            ..container()
        };
        assert_eq!(tick(&failed), Tick::Failed);
        let waiting = GuestState {
            agent: AgentState::Enrolling,
            ..container()
        };
        assert_eq!(tick(&waiting), Tick::Waiting);
        let off = GuestState {
            status: GuestStatus::Stopped,
            agent: AgentState::Offline,
            ..scanned(3, 1)
        };
        assert_eq!(tick(&off), Tick::Off);
    }

    #[test]
    fn what_is_old_is_unknown() {
        let stale = GuestState {
            stale: true,
            agent: AgentState::Offline,
            ..scanned(0, 0)
        };
        assert_eq!(tick(&stale), Tick::Unknown);
        let heard = GuestState {
            stale: true,
            ..scanned(0, 0)
        };
        assert_eq!(tick(&heard), Tick::UpToDate, "its agent is connected");
        let old = GuestState {
            updates: UpdatesState::Stale,
            ..scanned(0, 0)
        };
        assert_eq!(tick(&old), Tick::Unknown);
    }

    #[test]
    fn counts_add_up() {
        let stopped = GuestState {
            status: GuestStatus::Stopped,
            ..container()
        };
        let rollup = Rollup::of(&[scanned(3, 1), scanned(0, 0), container(), stopped]);
        let expected = Rollup {
            guests: 4,
            running: 3,
            no_agent: 1,
            updates_total: 3,
            security_total: 1,
            out_of_date: 1,
            unknown: 1,
            unscanned: 0,
            not_backed_up: 2,
        };
        assert_eq!(rollup, expected);
    }

    #[test]
    fn the_next_step_is_the_first_that_stands_in_the_way() {
        let fine = ClusterState {
            paused: false,
            discovered: true,
            error: None,
        };
        let action = |cluster, rollup: &Rollup| next_step(cluster, rollup).map(|step| step.action);
        let rollup = Rollup::of(&[container()]);
        let broken = ClusterState {
            error: Some("token_refused"),
            ..fine
        };
        let new = ClusterState {
            discovered: false,
            ..fine
        };
        assert_eq!(action(broken, &rollup), Some("rotate_token"));
        assert_eq!(action(new, &rollup), Some("discover"));
        assert_eq!(action(fine, &rollup), Some("bulk_install"));
        let connected = GuestState {
            agent: AgentState::Online,
            ..container()
        };
        assert_eq!(action(fine, &Rollup::of(&[connected])), Some("bulk_scan"));
        assert_eq!(action(fine, &Rollup::of(&[scanned(0, 0)])), None);
    }

    #[test]
    fn one_guest_is_not_one_guests() {
        let fine = ClusterState {
            paused: false,
            discovered: true,
            error: None,
        };
        let step = next_step(fine, &Rollup::of(&[container()])).expect("a step");
        assert_eq!(step.text, "1 guest runs without an agent: install it.");
    }

    proptest! {
        #[test]
        fn no_scan_is_ever_shown_as_up_to_date(
            status in prop::sample::select(GuestStatus::ALL),
            updates in prop::sample::select(UpdatesState::ALL),
            agent in prop::sample::select(AgentState::ALL),
            stale in any::<bool>(),
        ) {
            let guest = GuestState { status, updates, agent, stale, ..container() };
            if tick(&guest) == Tick::UpToDate {
                prop_assert_eq!(updates, UpdatesState::Fresh);
                prop_assert!(!stale || agent == AgentState::Online);
            }
        }
    }
}
