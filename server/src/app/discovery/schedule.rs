//! The loop that discovers every cluster again and again, each at its own pace.

use std::sync::Arc;
use std::time::Duration;

use muster_domain::{ClusterId, Timestamp};
use muster_store::clusters::ClusterRow;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Trigger, run};
use crate::app::App;

/// How often it is looked which clusters are due.
const TURN: Duration = Duration::from_secs(1);
/// Clusters that are discovered at once.
const AT_ONCE: usize = 8;
/// How long a discovery counts among those. One that takes longer waits for PVE, which costs us nothing, and the others must
/// not wait with it.
const PLACE_FOR: Duration = Duration::from_secs(5);
/// The longest pause between two tries of a cluster that cannot be read.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Starts the loop. Adding or changing a cluster kicks it.
pub fn start(app: &App) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let this = app.clone();
    app.lifecycle.every("discovery", TURN, app.pve.kick(), move || {
        let (app, places) = (this.clone(), places.clone());
        async move { Ok(turn(&app, &places).await?) }
    });
}

async fn turn(app: &App, places: &Arc<Semaphore>) -> Result<String, crate::app::Error> {
    let clusters = app.store.read().await?.clusters().await?;
    let now = app.clock.now();
    let mut started = 0;
    for row in clusters.iter().filter(|row| !row.paused && is_due(app, row, now)) {
        let Ok(place) = places.clone().try_acquire_owned() else {
            break;
        };
        let (id, trigger) = (ClusterId(row.id), trigger(row));
        app.pve.of(id).note_try(now);
        started += 1;
        let app = app.clone();
        app.lifecycle.clone().spawn("discovery of a cluster", async move {
            let stop = app.lifecycle.stopping();
            tokio::select! {
                () = stop.cancelled() => {}
                () = discover(&app, id, trigger, place) => {}
            }
            app.pve.of(id).note_end();
        });
    }
    Ok(format!("{started} of {} clusters were due", clusters.len()))
}

async fn discover(app: &App, id: ClusterId, trigger: Trigger, place: OwnedSemaphorePermit) {
    let mut work = std::pin::pin!(run(app, id, trigger));
    let outcome = match tokio::time::timeout(PLACE_FOR, work.as_mut()).await {
        Ok(outcome) => outcome,
        Err(_) => {
            drop(place);
            work.await
        }
    };
    if let Err(error) = outcome {
        tracing::warn!(cluster.id = %id, %error, "a cluster could not be discovered");
    }
}

fn is_due(app: &App, row: &ClusterRow, now: Timestamp) -> bool {
    let memory = app.pve.of(ClusterId(row.id));
    let pace = Duration::from_secs(u64::try_from(row.state_seconds).unwrap_or(0));
    // Every failure in a row doubles the pause: PVE delays each refused token by seconds, and a log fills.
    let pause = pace
        .saturating_mul(1 << memory.failures().min(8))
        .min(LONGEST_PAUSE.max(pace));
    memory.is_due(pause, now)
}

fn trigger(row: &ClusterRow) -> Trigger {
    match row.last_discovered_at {
        None => Trigger::Added,
        Some(_) => Trigger::Schedule,
    }
}
