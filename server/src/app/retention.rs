//! How long things are kept.

use std::time::Duration;

use muster_domain::Timestamp;
use muster_store::inspect::Dropped;

use super::settings::Retention;
use super::{accounts, events};

/// The answer to a request with an Idempotency-Key is kept so long.
pub const ANSWERS: Duration = Duration::from_secs(24 * 3600);
/// A request with such a key that was not answered for so long died with its server; its key is free again.
pub const ABANDONED: Duration = Duration::from_secs(5 * 60);
/// Commands and enrolments that are over are of use only to somebody who looks for a fault.
const COMMANDS_DAYS: u32 = 7;

/// The moments before which things are dropped.
pub fn dropped_before(keep: &Retention, now: Timestamp) -> Dropped {
    Dropped {
        audit: now - Retention::days(keep.audit_days),
        jobs: now - Retention::days(keep.jobs_days),
        logs: now - Retention::days(keep.log_days),
        discoveries: now - Retention::days(keep.discovery_days),
        events: now - events::KEPT,
        answers: now - ANSWERS,
        abandoned: now - ABANDONED,
        commands: now - Retention::days(COMMANDS_DAYS),
        idle: now - accounts::IDLE,
        ended: now,
    }
}
