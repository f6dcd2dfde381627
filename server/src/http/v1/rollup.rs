//! The counts of a cluster or node, as they stand in several views.

use std::collections::BTreeMap;

use muster_domain::GuestId;
use muster_domain::rollup::Tick;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::fleet::Counts;

/// Longest strip of single marks; above it the counts by mark say the same.
const LONGEST_STRIP: usize = 400;

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
    /// Updates that wait in all of them.
    updates_total: u32,
    /// Security updates among them.
    security_total: u32,
    /// Guests in which updates wait.
    out_of_date: u32,
    /// Guests that run and whose updates are not known.
    unknown: u32,
    /// Guests that no backup job covers.
    not_backed_up: u32,
    /// How many guests have each mark.
    marks: BTreeMap<Tick, u32>,
    /// The mark of each guest, in the order of nodes and numbers; empty when there are more than 400.
    ticks: Vec<TickView>,
}

/// The mark of one guest.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = GuestTick)]
struct TickView {
    id: GuestId,
    tick: Tick,
}

impl From<Counts> for RollupView {
    fn from(counts: Counts) -> RollupView {
        let mut marks = BTreeMap::new();
        for (_, tick) in &counts.ticks {
            *marks.entry(*tick).or_default() += 1;
        }
        let ticks = match counts.ticks.len() {
            0..=LONGEST_STRIP => counts
                .ticks
                .into_iter()
                .map(|(id, tick)| TickView { id, tick })
                .collect(),
            _ => Vec::new(),
        };
        RollupView {
            guests: counts.rollup.guests,
            running: counts.rollup.running,
            no_agent: counts.rollup.no_agent,
            updates_total: counts.rollup.updates_total,
            security_total: counts.rollup.security_total,
            out_of_date: counts.rollup.out_of_date,
            unknown: counts.rollup.unknown,
            not_backed_up: counts.rollup.not_backed_up,
            marks,
            ticks,
        }
    }
}
