//! The counts of a cluster or node, as they stand in several views.

use std::collections::BTreeMap;

use muster_domain::rollup::{Rollup, Tick};
use serde::Serialize;
use utoipa::ToSchema;

/// Guests in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Rollup)]
pub(super) struct RollupView {
    /// All guests, templates included.
    guests: u32,
    /// Those that run.
    running: u32,
    /// Those that run without an agent.
    no_agent: u32,
    /// Updates that wait in the guests whose updates are known, be it from an old scan. Null when they are known of none.
    updates_total: Option<u32>,
    /// Security updates among them.
    security_total: Option<u32>,
    /// Guests in which updates wait.
    out_of_date: u32,
    /// Guests in which security updates wait.
    insecure: u32,
    /// Guests that are in the sums with an old scan.
    stale: u32,
    /// Guests that are not in the sums though something could be counted there: never scanned, or their scan failed.
    unknown: u32,
    /// Guests that no backup job covers.
    not_backed_up: u32,
    /// How many guests have each mark.
    marks: BTreeMap<Tick, u32>,
}

impl From<Rollup> for RollupView {
    fn from(rollup: Rollup) -> RollupView {
        RollupView {
            guests: rollup.guests,
            running: rollup.running,
            no_agent: rollup.no_agent,
            updates_total: rollup.updates_total,
            security_total: rollup.security_total,
            out_of_date: rollup.out_of_date,
            insecure: rollup.insecure,
            stale: rollup.stale,
            unknown: rollup.unknown,
            not_backed_up: rollup.not_backed_up,
            marks: rollup.marks,
        }
    }
}
