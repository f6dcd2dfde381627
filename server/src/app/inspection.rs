//! Whether the stored rows contradict each other. Only reads, and needs no key: it works beside a server and without one.

use std::time::Duration;

use muster_domain::Timestamp;
use muster_store::Tx;
use muster_store::inspect::{Finding, Judgement};

use super::settings::Settings;
use super::{Error, retention};
use crate::agents::SERVER;
use crate::jobs::AT_ONCE;

/// What was due so long ago, a running server would have done: its slowest loop for such things comes by every ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Housekeeping comes by every hour, and may miss a turn.
const HOUSEKEEPING: Duration = Duration::from_secs(2 * 3600);

/// Everything wrong that one consistent view of the database shows.
pub async fn inspect(tx: &mut Tx, now: Timestamp) -> Result<Vec<Finding>, Error> {
    let keep = Settings::read(tx).await?.retention;
    let judgement = Judgement {
        now,
        settled: now - PATIENCE,
        soon: now + PATIENCE,
        jobs_at_once: i64::try_from(AT_ONCE).unwrap_or(i64::MAX),
        server: SERVER,
        dropped: retention::dropped_before(&keep, now - HOUSEKEEPING),
    };
    Ok(tx.inspect(&judgement).await?)
}
