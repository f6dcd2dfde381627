//! What could not be read, and what that does to what is shown.

use muster_domain::{ClusterId, NodeId, Timestamp};
use muster_store::{StoreError, Tx};

use super::{Summary, Trigger, Trouble, log};
use crate::app::{App, Error, fleet};
use crate::pve::Failure;

/// After so many lists in a row that could not be read, everything known of the cluster is marked stale.
const PATIENCE: u32 = 3;

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble {
            node: None,
            code: failure.code,
            detail: failure.detail,
        }
    }
}

/// Adds failures about nodes: each kind once per node, the same words being of no further use.
pub(super) fn collect(troubles: &mut Vec<Trouble>, failures: impl Iterator<Item = (String, Failure)>) {
    for (node, failure) in failures {
        let known = troubles
            .iter()
            .any(|known| known.node.as_ref() == Some(&node) && known.code == failure.code);
        if !known {
            troubles.push(Trouble {
                node: Some(node),
                ..failure.into()
            });
        }
    }
}

/// Writes down that the list could not be read, and returns the error for whoever asked.
pub(super) async fn note(
    app: &App,
    cluster: ClusterId,
    trigger: Trigger,
    started: Timestamp,
    trouble: Trouble,
) -> Result<Error, Error> {
    let failures = app.pve.of(cluster).note_failure();
    let took = app.clock.now().since(started).as_millis();
    let written: Result<(), Error> = muster_store::write!(app.store, tx => {
        let Some(mut row) = tx.cluster(cluster).await? else { return Ok(()) };
        let is_new = row.error_code.as_deref() != Some(trouble.code);
        let mut events = fleet::Changed::of(cluster);
        if is_new || row.error_detail.as_deref() != Some(trouble.detail.as_str()) {
            row.error_since = if is_new { Some(started.as_micros()) } else { row.error_since };
            row.error_code = Some(trouble.code.to_owned());
            row.error_detail = Some(trouble.detail.clone());
            tx.save_cluster(&row).await?;
            events.cluster();
        }
        if failures == PATIENCE {
            mark_stale(tx, cluster, started, &mut events).await?;
        }
        events.publish(tx, started).await?;
        if is_new || trigger == Trigger::Request {
            let summary = Summary {
                errors: vec![trouble.clone()],
                duration_ms: u64::try_from(took).unwrap_or(u64::MAX),
                ..Summary::default()
            };
            log(app, tx, cluster, trigger, started, &summary).await?;
        }
        Ok(())
    });
    written?;
    Ok(Error::Upstream {
        code: trouble.code,
        detail: trouble.detail,
    })
}

async fn mark_stale(
    tx: &mut Tx,
    cluster: ClusterId,
    since: Timestamp,
    events: &mut fleet::Changed,
) -> Result<(), StoreError> {
    for mut node in tx.nodes_of(cluster).await? {
        if node.stale_since.is_none() && node.gone_at.is_none() {
            node.stale_since = Some(since.as_micros());
            tx.save_node(&node).await?;
            events.node(NodeId(node.id));
        }
    }
    for mut guest in tx.guests_of(cluster).await? {
        if guest.stale_since.is_none() {
            guest.stale_since = Some(since.as_micros());
            super::listing::put_reach(&mut guest)?;
            tx.save_guest(&guest).await?;
            events.guest(&guest);
        }
    }
    Ok(())
}
