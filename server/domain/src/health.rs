//! What is wrong with a cluster that can be read, and what to do about each.

use serde::{Deserialize, Serialize};

use crate::fleet::{NodeStatus, words};
use crate::rollup::counted;
use crate::time::Timestamp;

words! {
    /// How bad it is.
    Gravity {
        /// Worth knowing.
        Note = "note",
        /// Will hurt sooner or later.
        Warning = "warning",
        /// Hurts now.
        Critical = "critical",
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code of docs/errors.md.
    pub code: String,
    /// How bad it is.
    pub gravity: Gravity,
    /// The node, or the storage on its node; none for the cluster as a whole.
    pub subject: Option<String>,
    /// What is, and what to do.
    pub detail: String,
    /// Since when it is so, as far as Muster knows.
    pub since: Timestamp,
}

/// What health is judged by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Whether the cluster has a majority of its votes; none when that is not known or it is a standalone node.
    pub quorate: Option<bool>,
    /// The nodes with whether they answer their cluster.
    pub nodes: Vec<(String, NodeStatus)>,
    /// How full the storages are.
    pub storages: Vec<Storage>,
    /// How far clocks are off, by node or address.
    pub clocks: Vec<Clock>,
    /// Numbers of the guests that exist and that the token cannot see.
    pub hidden: Vec<i64>,
    /// Guests that no backup job covers.
    pub not_backed_up: u32,
    /// What Muster would do if the token had the rights.
    pub lacking: Vec<Lacking>,
}

/// Something that the token does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// Stable name of the feature.
    pub feature: &'static str,
    /// What it does.
    pub label: &'static str,
    /// The rights that are missing, with their paths.
    pub rights: String,
}

/// A storage as one node sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// Its name; with its node unless all nodes share it.
    pub name: String,
    /// Bytes in use.
    pub used: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// A clock that was read over the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// The node, or its address when it is not known which node answers there.
    pub name: String,
    /// Seconds by which it is ahead of ours for certain; negative when behind, 0 when it may be right.
    pub ahead: i64,
}

/// Proxmox VE refuses tickets that seem to come from more than 5 minutes in the future, and logs and tasks can no longer be
/// put in order (`PVE/AccessControl.pm`, `verify_ticket`).
const MOST_SKEW: i64 = 300;
/// Share of a storage in use from which it is said, and from which backups and snapshots are about to fail.
const FILLING: u64 = 85;
const FULL: u64 = 95;
/// So many guests are named in one sentence.
const NAMED: usize = 8;

/// How far a clock is ahead of ours at least, in seconds, when an answer that is dated `date` (whole seconds since 1970)
/// was asked for at `sent` and came at `received`.
pub fn ahead(date: i64, sent: Timestamp, received: Timestamp) -> i64 {
    let seconds = |at: Timestamp| at.as_micros().div_euclid(1_000_000);
    // The date was written between the two, and somewhere within its second.
    let (least, most) = (date - seconds(received) - 1, date + 1 - seconds(sent));
    if least > 0 {
        least
    } else if most < 0 {
        most
    } else {
        0
    }
}

/// What is wrong, the worst first. What was wrong before keeps its moment.
pub fn reasons(facts: &Facts, before: &[Reason], now: Timestamp) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |gravity, code: &str, subject: Option<&str>, detail: String| {
        let known = before
            .iter()
            .find(|known| known.code == code && known.subject.as_deref() == subject);
        reasons.push(Reason {
            code: code.to_owned(),
            gravity,
            subject: subject.map(str::to_owned),
            detail,
            since: known.map_or(now, |known| known.since),
        });
    };
    if facts.quorate == Some(false) {
        let detail = "The cluster has no quorum: it can be read, but refuses every change. Bring nodes back until more than half of the votes are there.";
        add(Gravity::Critical, "no_quorum", None, detail.to_owned());
    }
    for (node, _) in facts.nodes.iter().filter(|(_, status)| *status == NodeStatus::Offline) {
        let detail =
            format!("{node} does not answer its cluster: what is shown of its guests is old. Look after the node.");
        add(Gravity::Critical, "node_down", Some(node), detail);
    }
    for storage in &facts.storages {
        let percent = storage.used.saturating_mul(100) / storage.size.max(1);
        let gravity = match percent {
            ..FILLING => continue,
            FILLING..FULL => Gravity::Warning,
            FULL.. => Gravity::Critical,
        };
        let detail = format!(
            "The storage {} is {percent} % full: make room before backups and snapshots fail.",
            storage.name
        );
        add(gravity, "storage_full", Some(&storage.name), detail);
    }
    for clock in facts.clocks.iter().filter(|clock| clock.ahead.abs() >= MOST_SKEW) {
        let side = if clock.ahead > 0 { "ahead of" } else { "behind" };
        let detail = format!(
            "The clock of {} is {} {side} Muster's. One of them is wrong: compare both with the true time and let chrony set it; logins, tasks and logs go wrong otherwise.",
            clock.name,
            span(clock.ahead)
        );
        add(Gravity::Warning, "clock_skew", Some(&clock.name), detail);
    }
    if !facts.hidden.is_empty() {
        add(Gravity::Warning, "missing_right", None, hidden_words(&facts.hidden));
    }
    if facts.not_backed_up > 0 {
        let count = counted(facts.not_backed_up, "guest is", "guests are");
        let detail = format!("{count} in no backup job: add one under Datacenter, Backup.");
        add(Gravity::Note, "not_backed_up", None, detail);
    }
    for Lacking { feature, label, rights } in &facts.lacking {
        let detail = format!(
            "{label}: left out, since the token lacks {rights}. The connection test prints the pveum lines that give it."
        );
        add(Gravity::Note, "missing_right", Some(feature), detail);
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.gravity));
    reasons
}

/// That a token cannot see guests which exist.
pub fn hidden_words(hidden: &[i64]) -> String {
    let count = counted(u32::try_from(hidden.len()).unwrap_or(u32::MAX), "guest", "guests");
    let mut named: Vec<String> = hidden.iter().take(NAMED).map(ToString::to_string).collect();
    if hidden.len() > NAMED {
        named.push("…".to_owned());
    }
    format!(
        "The token no longer sees {count} that exist ({}): it lacks VM.Audit on them. Give it back; the connection test prints the pveum lines.",
        named.join(", ")
    )
}

/// Seconds in the largest unit that says enough.
fn span(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    match seconds {
        ..7140 => format!("{} min", (seconds + 30) / 60),
        7140..172_800 => format!("{} h", (seconds + 1800) / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn codes(facts: &Facts) -> Vec<(String, Gravity)> {
        let found = reasons(facts, &[], NOW);
        found.into_iter().map(|reason| (reason.code, reason.gravity)).collect()
    }

    #[test]
    fn nothing_is_wrong_with_a_cluster_of_which_nothing_is_known() {
        assert_eq!(codes(&Facts::default()), []);
    }

    #[test]
    fn the_worst_comes_first() {
        let facts = Facts {
            quorate: Some(false),
            nodes: vec![
                ("pve1".to_owned(), NodeStatus::Online),
                ("pve2".to_owned(), NodeStatus::Offline),
            ],
            storages: vec![storage(84), storage(85), storage(95)],
            clocks: vec![clock(299), clock(-300)],
            hidden: vec![101],
            not_backed_up: 2,
            lacking: vec![Lacking {
                feature: "node_updates",
                label: "See which updates wait on the nodes",
                rights: "Sys.Modify on /nodes".to_owned(),
            }],
        };
        let expected = [
            ("no_quorum", Gravity::Critical),
            ("node_down", Gravity::Critical),
            ("storage_full", Gravity::Critical),
            ("storage_full", Gravity::Warning),
            ("clock_skew", Gravity::Warning),
            ("missing_right", Gravity::Warning),
            ("not_backed_up", Gravity::Note),
            ("missing_right", Gravity::Note),
        ];
        assert_eq!(
            codes(&facts),
            expected.map(|(code, gravity)| (code.to_owned(), gravity))
        );
    }

    #[test]
    fn what_lasts_keeps_its_moment() {
        let facts = Facts {
            clocks: vec![clock(4000)],
            ..Facts::default()
        };
        let before = reasons(&facts, &[], NOW);
        let later = NOW + std::time::Duration::from_secs(60);
        let after = reasons(&facts, &before, later);
        assert_eq!(after, before);
        assert_eq!(reasons(&facts, &[], later)[0].since, later);
        assert!(after[0].detail.contains("67 min ahead of"), "{}", after[0].detail);
    }

    fn storage(percent: u64) -> Storage {
        Storage {
            name: format!("local-{percent}"),
            used: percent,
            size: 100,
        }
    }

    fn clock(ahead: i64) -> Clock {
        Clock {
            name: "pve1".to_owned(),
            ahead,
        }
    }

    proptest! {
        #[test]
        fn a_clock_is_never_said_to_be_further_off_than_it_is(
            sent in 0i64..2_000_000_000_000_000,
            took in 0i64..120_000_000,
            at in 0.0f64..1.0,
            skew in -10_000_000_000i64..10_000_000_000,
        ) {
            let written = sent + (took as f64 * at) as i64 + skew;
            let date = written.div_euclid(1_000_000);
            let found = ahead(date, Timestamp::from_micros(sent), Timestamp::from_micros(sent + took));
            prop_assert!(found.abs() * 1_000_000 <= skew.abs() + 1_000_000, "{found} s for {skew} µs");
            if found != 0 {
                prop_assert_eq!(found > 0, skew > 0);
            }
            let slack = took + 3_000_000;
            prop_assert!(found.abs() * 1_000_000 >= skew.abs() - slack, "{found} s for {skew} µs");
        }
    }
}
