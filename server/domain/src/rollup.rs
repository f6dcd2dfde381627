//! The mark each guest gets in the roll call, the counts of a node or cluster, and the one thing to do next there.

use std::collections::BTreeMap;

use crate::fleet::{self, AgentState, Backup, GuestState, GuestStatus, UpdatesState, words};
use crate::job::TargetState;

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

/// All that marks and counts look at in a guest that is not gone. Guests that are equal in it are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// What it does, as last heard.
    pub status: GuestStatus,
    /// Whether that is old.
    pub stale: bool,
    /// Whether it is a template.
    pub template: bool,
    /// How its agent is.
    pub agent: AgentState,
    /// What is known of its updates.
    pub updates: UpdatesState,
    /// Whether updates wait.
    pub outdated: bool,
    /// Whether security updates wait.
    pub insecure: bool,
    /// Whether it is backed up.
    pub backup: Backup,
    /// Where the job stands that is at work in it.
    pub work: Option<TargetState>,
}

/// Guests with the same traits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alike {
    /// What they have in common.
    pub traits: Traits,
    /// How many they are.
    pub guests: u32,
    /// Updates that wait in all of them, where that is known.
    pub updates: u32,
    /// Security updates among them.
    pub security: u32,
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
    /// Updates that wait in those whose updates are known, be it from an old scan; `None` when they are known of none.
    pub updates_total: Option<u32>,
    /// Security updates among them.
    pub security_total: Option<u32>,
    /// Guests in which updates wait.
    pub out_of_date: u32,
    /// Guests in which security updates wait.
    pub insecure: u32,
    /// Guests that are in the sums with an old scan.
    pub stale: u32,
    /// Guests that are not in the sums, though something could be counted there: never scanned, or their scan failed.
    pub unknown: u32,
    /// Guests that run, have an agent that is online, and were never scanned.
    pub unscanned: u32,
    /// Guests that no backup job covers.
    pub not_backed_up: u32,
    /// How many guests have each mark.
    pub marks: BTreeMap<Tick, u32>,
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

impl Traits {
    /// Those of one guest.
    pub fn of(guest: &GuestState) -> Traits {
        Traits {
            status: guest.status,
            stale: guest.stale,
            template: guest.template,
            agent: guest.agent,
            updates: guest.updates,
            outdated: guest.updates_total > Some(0),
            insecure: guest.updates_security > Some(0),
            backup: guest.backup,
            work: guest.work,
        }
    }

    /// Whether it runs now; see [`GuestState::runs`].
    pub fn runs(&self) -> bool {
        fleet::runs(self.status, self.stale, self.agent) && !self.template
    }

    /// The mark of a guest: what is done there now, else the worst that is known.
    pub fn tick(&self) -> Tick {
        match self.work {
            Some(TargetState::Running) => return Tick::Running,
            Some(TargetState::Waiting) => return Tick::Waiting,
            _ => {}
        }
        if self.template {
            return Tick::Off;
        }
        if !self.runs() && (self.stale || self.status == GuestStatus::Unknown) {
            return Tick::Unknown;
        }
        if !self.runs() && self.status == GuestStatus::Stopped {
            return Tick::Off;
        }
        match self.updates {
            UpdatesState::Failed => Tick::Failed,
            UpdatesState::Unsupported => Tick::Off,
            UpdatesState::Unknown if self.agent == AgentState::Enrolling => Tick::Waiting,
            UpdatesState::Unknown | UpdatesState::Stale => Tick::Unknown,
            UpdatesState::Fresh if self.insecure => Tick::Security,
            UpdatesState::Fresh if self.outdated => Tick::Updates,
            UpdatesState::Fresh => Tick::UpToDate,
        }
    }
}

impl Alike {
    /// One guest.
    pub fn one(guest: &GuestState) -> Alike {
        Alike {
            traits: Traits::of(guest),
            guests: 1,
            updates: guest.updates_total.unwrap_or(0),
            security: guest.updates_security.unwrap_or(0),
        }
    }
}

impl Rollup {
    /// Counts guests in.
    pub fn add(&mut self, alike: &Alike) {
        let (traits, guests) = (&alike.traits, alike.guests);
        let if_so = |it_is: bool| if it_is { guests } else { 0 };
        self.guests += guests;
        self.out_of_date += if_so(traits.outdated);
        self.insecure += if_so(traits.insecure);
        self.not_backed_up += if_so(traits.backup == Backup::None);
        self.stale += if_so(traits.updates == UpdatesState::Stale);
        let uncounted = matches!(traits.updates, UpdatesState::Unknown | UpdatesState::Failed);
        self.unknown += if_so(uncounted && !traits.template);
        *self.marks.entry(traits.tick()).or_default() += guests;
        if matches!(traits.updates, UpdatesState::Fresh | UpdatesState::Stale) {
            *self.updates_total.get_or_insert(0) += alike.updates;
            *self.security_total.get_or_insert(0) += alike.security;
        }
        if traits.runs() {
            let never = traits.updates == UpdatesState::Unknown;
            self.running += guests;
            self.no_agent += if_so(traits.agent == AgentState::None);
            self.unscanned += if_so(traits.agent == AgentState::Online && never);
        }
    }

    /// The counts of several groups of guests.
    pub fn of(groups: impl IntoIterator<Item = Alike>) -> Rollup {
        let mut rollup = Rollup::default();
        for alike in groups {
            rollup.add(&alike);
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

    fn tick(guest: &GuestState) -> Tick {
        Traits::of(guest).tick()
    }

    fn rollup(guests: &[GuestState]) -> Rollup {
        Rollup::of(guests.iter().map(Alike::one))
    }

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
        let expected = Rollup {
            guests: 4,
            running: 3,
            no_agent: 1,
            updates_total: Some(3),
            security_total: Some(1),
            out_of_date: 1,
            insecure: 1,
            stale: 0,
            unknown: 2,
            unscanned: 0,
            not_backed_up: 2,
            marks: BTreeMap::from([
                (Tick::UpToDate, 1),
                (Tick::Security, 1),
                (Tick::Unknown, 1),
                (Tick::Off, 1),
            ]),
        };
        assert_eq!(rollup(&[scanned(3, 1), scanned(0, 0), container(), stopped]), expected);
    }

    #[test]
    fn nothing_counted_is_no_zero() {
        let with = |updates| GuestState { updates, ..container() };
        let never = rollup(&[container(), with(UpdatesState::Failed), with(UpdatesState::Unsupported)]);
        assert_eq!(
            (never.updates_total, never.security_total, never.unknown),
            (None, None, 2)
        );
        assert_eq!(Rollup::default().updates_total, None);
        let some = rollup(&[container(), scanned(0, 0)]);
        assert_eq!(
            (some.updates_total, some.security_total, some.unknown),
            (Some(0), Some(0), 1)
        );
        let old = GuestState {
            updates: UpdatesState::Stale,
            ..scanned(4, 0)
        };
        let old = rollup(&[old]);
        assert_eq!((old.updates_total, old.stale, old.unknown), (Some(4), 1, 0));
    }

    #[test]
    fn work_shows_before_what_is_known() {
        let at = |work| GuestState {
            work: Some(work),
            ..scanned(3, 1)
        };
        let counts = rollup(&[at(TargetState::Running), at(TargetState::Waiting), scanned(3, 1)]);
        let expected = [(Tick::Security, 1), (Tick::Running, 1), (Tick::Waiting, 1)];
        assert_eq!(counts.marks, BTreeMap::from(expected));
        assert_eq!(counts.insecure, 3, "what is known counts on");
    }

    #[test]
    fn the_next_step_is_the_first_that_stands_in_the_way() {
        let fine = ClusterState {
            paused: false,
            discovered: true,
            error: None,
        };
        let action = |cluster, rollup: &Rollup| next_step(cluster, rollup).map(|step| step.action);
        let one = rollup(&[container()]);
        let broken = ClusterState {
            error: Some("token_refused"),
            ..fine
        };
        let new = ClusterState {
            discovered: false,
            ..fine
        };
        assert_eq!(action(broken, &one), Some("rotate_token"));
        assert_eq!(action(new, &one), Some("discover"));
        assert_eq!(action(fine, &one), Some("bulk_install"));
        let connected = GuestState {
            agent: AgentState::Online,
            ..container()
        };
        assert_eq!(action(fine, &rollup(&[connected])), Some("bulk_scan"));
        assert_eq!(action(fine, &rollup(&[scanned(0, 0)])), None);
    }

    #[test]
    fn one_guest_is_not_one_guests() {
        let fine = ClusterState {
            paused: false,
            discovered: true,
            error: None,
        };
        let step = next_step(fine, &rollup(&[container()])).expect("a step");
        assert_eq!(step.text, "1 guest runs without an agent: install it.");
    }

    proptest! {
        /// The database counts guests in groups, the tree one by one: both must come to the same.
        #[test]
        fn a_group_counts_as_its_guests_do(
            status in prop::sample::select(GuestStatus::ALL),
            updates in prop::sample::select(UpdatesState::ALL),
            agent in prop::sample::select(AgentState::ALL),
            backup in prop::sample::select(Backup::ALL),
            work in prop::option::of(prop::sample::select(TargetState::ALL)),
            stale in any::<bool>(),
            template in any::<bool>(),
            total in prop::option::of(0..5u32),
            guests in 1..9u32,
        ) {
            let guest = GuestState {
                status, updates, agent, backup, work, stale, template, updates_total: total, ..container()
            };
            let one = Alike::one(&guest);
            let group = Alike { guests, updates: one.updates * guests, ..one };
            prop_assert_eq!(Rollup::of([group]), Rollup::of((0..guests).map(|_| one)));
        }

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
