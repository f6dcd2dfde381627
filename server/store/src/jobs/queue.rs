//! Who works on a job, and until when: a row says who holds it by a lease.

use muster_domain::job::JobState;
use muster_domain::{ClusterId, JobId, ServerId, Timestamp};
use uuid::Uuid;

use super::JobRow;
use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

/// A job that is due and held by nobody, or held by somebody whose lease ran out.
macro_rules! due {
    ($lock:literal) => {
        concat!(
            "SELECT j.id FROM jobs j WHERE j.state IN ('queued', 'running') AND j.run_at <= $1 ",
            "AND (j.lease_until IS NULL OR j.lease_until <= $1) ",
            "AND (j.concurrency_key IS NULL OR NOT EXISTS (SELECT 1 FROM jobs o ",
            "WHERE o.concurrency_key = j.concurrency_key AND o.id <> j.id AND o.state = 'running')) ",
            "ORDER BY j.run_at, j.id LIMIT 1",
            $lock
        )
    };
}

const DUE: &str = due!("");
const DUE_SKIP_LOCKED: &str = due!(" FOR UPDATE SKIP LOCKED");
const CLAIM: &str = "UPDATE jobs SET state = 'running', run_at = $2, started_at = COALESCE(started_at, $2), lease_owner = $3, \
    interruptions = interruptions + CASE WHEN lease_until IS NULL THEN 0 ELSE 1 END, lease_until = $4 WHERE id = $1";
const RENEW: &str = "UPDATE jobs SET lease_until = $1 WHERE lease_owner = $2 AND lease_until > $3 AND state = 'running' \
    RETURNING id, cancel_requested";
// Woken while it ran, which is noted as 0, it is due again at once.
const PARK: &str = "UPDATE jobs SET lease_owner = NULL, lease_until = NULL, \
    run_at = CASE WHEN run_at = 0 THEN $5 ELSE $1 END, attempt = $2 \
    WHERE id = $3 AND lease_owner = $4 AND state = 'running'";
const WAKE: &str = "UPDATE jobs SET run_at = CASE WHEN lease_owner IS NULL THEN $1 ELSE 0 END \
    WHERE id = $2 AND state IN ('queued', 'running') AND (run_at > $1 OR lease_owner IS NOT NULL)";
const WAKE_FOR_CLUSTER: &str = "UPDATE jobs SET run_at = CASE WHEN lease_owner IS NULL THEN $1 ELSE 0 END \
    WHERE state IN ('queued', 'running') AND (run_at > $1 OR lease_owner IS NOT NULL) \
    AND id IN (SELECT t.job_id FROM job_targets t JOIN guests g ON g.id = t.guest_id \
    WHERE g.cluster_id = $2 AND t.state IN ('queued', 'running', 'waiting'))";
const REQUEST_CANCEL: &str = "UPDATE jobs SET cancel_requested = TRUE WHERE id = $1 AND state IN ('queued', 'running')";
const FINISH: &str = "UPDATE jobs SET state = $1, reason_code = $2, reason_detail = $3, finished_at = $4, \
    started_at = COALESCE(started_at, $4), lease_owner = NULL, lease_until = NULL \
    WHERE id = $5 AND state IN ('queued', 'running')";

impl Tx {
    /// Takes the job that has been due for longest: its lease belongs to `owner` until `until`. A job whose former owner
    /// let the lease run out counts one interruption more.
    pub async fn claim_job(
        &mut self,
        owner: ServerId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<JobRow>, StoreError> {
        let due = if self.is_postgres() { DUE_SKIP_LOCKED } else { DUE };
        let id: Option<Uuid> =
            on!(self, conn => sqlx::query_scalar(due).bind(now.as_micros()).fetch_optional(conn).await)
                .during("look for a due job")?;
        let Some(id) = id else { return Ok(None) };
        on!(self, conn => sqlx::query(CLAIM)
            .bind(id)
            .bind(now.as_micros())
            .bind(owner.0)
            .bind(until.as_micros())
            .execute(conn)
            .await
            .map(drop))
        .during("claim a job")?;
        self.job(JobId(id)).await
    }

    /// Extends the leases of `owner` that have not run out. Answers the jobs it still holds, and which of them somebody
    /// wants stopped.
    pub async fn renew_job_leases(
        &mut self,
        owner: ServerId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(JobId, bool)>, StoreError> {
        let held: Vec<(Uuid, bool)> = on!(self, conn => sqlx::query_as(RENEW)
            .bind(until.as_micros())
            .bind(owner.0)
            .bind(now.as_micros())
            .fetch_all(conn)
            .await)
        .during("renew the leases of jobs")?;
        Ok(held.into_iter().map(|(id, cancel)| (JobId(id), cancel)).collect())
    }

    /// Gives a running job back: it is due again at `run_at`, or now when it was woken while it ran, as attempt number
    /// `attempt`. False when `owner` no longer holds it.
    pub async fn park_job(
        &mut self,
        id: JobId,
        owner: ServerId,
        run_at: Timestamp,
        attempt: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(PARK)
            .bind(run_at.as_micros())
            .bind(attempt)
            .bind(id.0)
            .bind(owner.0)
            .bind(now.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .during("give a job back")
    }

    /// Makes an open job due now, if it was due later; one that runs now is due again when it is given back.
    pub async fn wake_job(&mut self, id: JobId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(WAKE).bind(now.as_micros()).bind(id.0).execute(conn).await.map(drop))
            .during("wake a job")
    }

    /// The same for the jobs with an open target in this cluster.
    pub async fn wake_jobs_waiting_in(&mut self, cluster: ClusterId, now: Timestamp) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(WAKE_FOR_CLUSTER)
            .bind(now.as_micros())
            .bind(cluster.0)
            .execute(conn)
            .await
            .map(drop))
        .during("wake the jobs of a cluster")
    }

    /// Notes that somebody wants the job stopped. False when it has ended.
    pub async fn request_job_cancel(&mut self, id: JobId) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(REQUEST_CANCEL)
            .bind(id.0)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .during("ask a job to stop")
    }

    /// Ends a job. False when it had ended already.
    pub async fn finish_job(
        &mut self,
        id: JobId,
        state: JobState,
        reason: Option<(&str, &str)>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(FINISH)
            .bind(state.as_str())
            .bind(reason.map(|(code, _)| code))
            .bind(reason.map(|(_, detail)| detail))
            .bind(at.as_micros())
            .bind(id.0)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .during("end a job")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, new_job, with_jobs};
    use super::*;
    use crate::Store;
    use crate::testing::both;

    const A: ServerId = ServerId(Uuid::from_u128(1));
    const B: ServerId = ServerId(Uuid::from_u128(2));

    async fn claim(store: &Store, owner: ServerId, now: i64) -> Option<JobRow> {
        let claimed: Result<_, StoreError> =
            crate::write!(store, tx => { tx.claim_job(owner, at(now), at(now + 30)).await });
        claimed.expect("claims")
    }

    async fn renew(store: &Store, owner: ServerId, now: i64) -> Vec<(JobId, bool)> {
        let renewed: Result<_, StoreError> =
            crate::write!(store, tx => { tx.renew_job_leases(owner, at(now), at(now + 30)).await });
        renewed.expect("renews")
    }

    both! {
        async fn a_job_is_claimed_once_and_again_when_its_lease_ran_out(store: &Store) {
            with_jobs(store, &[new_job(5, None)]).await;
            assert_eq!(claim(store, A, 9).await, None, "not due yet");
            let first = claim(store, A, 10).await.expect("is due");
            assert_eq!((first.state.as_str(), first.interruptions, first.started_at), ("running", 0, Some(10)));
            assert_eq!(claim(store, B, 20).await, None, "held by A");
            assert_eq!(renew(store, A, 20).await, [(JobId(first.id), false)]);
            assert_eq!(claim(store, B, 49).await, None, "held by A for longer");
            let second = claim(store, B, 50).await.expect("A let its lease run out");
            assert_eq!((second.id, second.interruptions, second.lease_owner), (first.id, 1, Some(B.0)));
            assert_eq!(renew(store, A, 51).await, [], "A has lost it");
        }

        async fn many_claimers_share_the_jobs(store: &Store) {
            let jobs: Vec<_> = (0..12).map(|n| new_job(100 + n, None)).collect();
            with_jobs(store, &jobs).await;
            let claims = (0..20_u128).map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    // A claimer that had to give way too often looks again at its next turn, as the runner does.
                    loop {
                        let owner = ServerId(Uuid::from_u128(n));
                        let claimed: Result<_, StoreError> =
                            crate::write!(store, tx => { tx.claim_job(owner, at(10), at(40)).await });
                        match claimed {
                            Err(error) if error.is_conflict() => continue,
                            claimed => break claimed.expect("claims").map(|job| job.id),
                        }
                    }
                })
            });
            let mut claimed = Vec::new();
            for task in claims.collect::<Vec<_>>() {
                claimed.extend(task.await.expect("the claimer ends"));
            }
            claimed.sort();
            assert_eq!(claimed, jobs.iter().map(|job| job.id.0).collect::<Vec<_>>());
        }

        async fn of_the_jobs_with_one_key_one_runs(store: &Store) {
            with_jobs(store, &[new_job(5, Some("k")), new_job(6, Some("k")), new_job(7, Some("other"))]).await;
            assert_eq!(claim(store, A, 10).await.map(|job| job.id), Some(Uuid::from_u128(5)));
            assert_eq!(claim(store, A, 10).await.map(|job| job.id), Some(Uuid::from_u128(7)));
            assert_eq!(claim(store, A, 10).await, None);
            let ended: Result<_, StoreError> = crate::write!(store, tx => {
                tx.finish_job(JobId(Uuid::from_u128(5)), JobState::Succeeded, None, at(12)).await
            });
            assert!(ended.expect("ends"));
            assert_eq!(claim(store, A, 13).await.map(|job| job.id), Some(Uuid::from_u128(6)));
        }

        async fn a_parked_job_waits_for_its_moment_or_a_kick(store: &Store) {
            with_jobs(store, &[new_job(5, None)]).await;
            let id = JobId(claim(store, A, 10).await.expect("is due").id);
            let parked: Result<_, StoreError> = crate::write!(store, tx => {
                let by_other = tx.park_job(id, B, at(100), 0, at(20)).await?;
                let by_owner = tx.park_job(id, A, at(100), 1, at(20)).await?;
                Ok((by_other, by_owner))
            });
            assert_eq!(parked.expect("parks"), (false, true));
            assert_eq!(claim(store, A, 50).await, None);
            let woken: Result<(), StoreError> = crate::write!(store, tx => { tx.wake_job(id, at(50)).await });
            woken.expect("wakes");
            let again = claim(store, A, 50).await.expect("is due");
            assert_eq!((again.attempt, again.interruptions), (1, 0), "being parked is no interruption");
        }

        async fn a_job_that_is_woken_while_it_runs_runs_again(store: &Store) {
            with_jobs(store, &[new_job(5, None)]).await;
            let id = JobId(claim(store, A, 10).await.expect("is due").id);
            let woken: Result<_, StoreError> = crate::write!(store, tx => {
                tx.wake_job(id, at(11)).await?;
                tx.park_job(id, A, at(100), 0, at(12)).await
            });
            assert!(woken.expect("wakes"));
            assert_eq!(claim(store, A, 11).await, None, "due from the moment it was given back");
            assert!(claim(store, A, 12).await.is_some());
            let parked: Result<_, StoreError> =
                crate::write!(store, tx => { tx.park_job(id, A, at(100), 0, at(13)).await });
            assert!(parked.expect("parks"));
            assert_eq!(claim(store, A, 99).await, None, "one wake is worth one run");
        }

        async fn a_cancelled_job_tells_its_owner(store: &Store) {
            with_jobs(store, &[new_job(5, None)]).await;
            let id = JobId(claim(store, A, 10).await.expect("is due").id);
            let ask = || async {
                let asked: Result<bool, StoreError> =
                    crate::write!(store, tx => { tx.request_job_cancel(id).await });
                asked.expect("asks")
            };
            assert!(ask().await);
            assert_eq!(renew(store, A, 11).await, [(id, true)]);
            let ended: Result<_, StoreError> = crate::write!(store, tx => {
                tx.finish_job(id, JobState::Cancelled, Some(("cancelled", "Stopped by anna.")), at(12)).await
            });
            assert!(ended.expect("ends"));
            assert!(!ask().await, "it has ended");
            assert_eq!(claim(store, B, 99).await, None);
        }
    }
}
