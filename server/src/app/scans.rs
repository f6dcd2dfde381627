//! Scans: who is taken, and what is known of a guest's updates afterwards.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use muster_domain::access::Role;
use muster_domain::eligible::for_scan;
use muster_domain::job::Work;
use muster_domain::{GuestId, JobId};
use muster_store::Tx;
use muster_store::fleet_updates::{PackageFilter, PackageRow, PackageVersionRow};
use muster_store::guests::GuestRow;
use muster_store::scans::{Besides, UpdateRow};

use super::jobs::JobOrder;
use super::selection::{Bulk, Decided, Selection, one_cluster, targets, title};
use super::{App, Ctx, Error};

/// A package that could be updated in at least one guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutdatedPackage {
    /// Its name and counts.
    pub row: PackageRow,
    /// The versions it would get, the most frequent ones first.
    pub versions: Vec<PackageVersionRow>,
}

impl App {
    /// Scans guests, or says which of them would be scanned. Guests that cannot be scanned are left out with the reason.
    pub async fn bulk_scan(&self, ctx: &Ctx, selection: &Selection, dry_run: bool) -> Result<Bulk, Error> {
        ctx.require(Role::Operator)?;
        if dry_run {
            let decided = decide(&mut self.store.read().await?, selection).await?;
            return Ok(Bulk {
                job: None,
                decided,
                by_hand: None,
            });
        }
        self.scan(ctx, selection, None).await
    }

    /// Scans guests, perhaps those that failed in an earlier job.
    pub(super) async fn scan(&self, ctx: &Ctx, selection: &Selection, retry_of: Option<JobId>) -> Result<Bulk, Error> {
        let bulk: Result<Bulk, Error> = muster_store::write!(self.store, tx => {
            let decided = decide(tx, selection).await?;
            let taken = decided.iter().filter(|one| one.left_out.is_none()).count();
            let mut job = None;
            if taken > 0 {
                let order = JobOrder {
                    work: Work::Scan,
                    title: title("Scan", &decided),
                    cluster: one_cluster(&decided),
                    retry_of,
                    targets: targets(self, &decided),
                };
                let id = self.enqueue(ctx, tx, order).await?;
                job = tx.job(id).await?;
                let title = job.as_ref().map(|job| job.title.as_str()).unwrap_or_default();
                let detail = serde_json::json!({ "taken": taken, "left_out": decided.len() - taken });
                ctx.audit(self, tx, "guests.scan", ("job", Some(id.0), title), detail).await?;
            }
            Ok(Bulk { job, decided, by_hand: None })
        });
        self.jobs.wake();
        bulk
    }

    /// Scans guests whose last scan is older than `age`, at most `limit`. Answers how many.
    pub async fn rescan(&self, age: Duration, limit: i64) -> Result<usize, Error> {
        let moment = self.clock.now() - age;
        let guests = self.store.read().await?.guests_to_rescan(moment, limit).await?;
        if guests.is_empty() {
            return Ok(0);
        }
        let selection = Selection {
            cluster: None,
            guests: Some(guests),
        };
        let bulk = self.bulk_scan(&Ctx::system(self), &selection, false).await?;
        Ok(bulk.decided.iter().filter(|one| one.left_out.is_none()).count())
    }

    /// A guest with what could be updated in it.
    pub async fn guest_updates(&self, ctx: &Ctx, id: GuestId) -> Result<(GuestRow, Besides, Vec<UpdateRow>), Error> {
        ctx.require(Role::Viewer)?;
        let mut tx = self.store.read().await?;
        let row = tx.guest(id).await?.ok_or_else(|| Error::NotFound {
            kind: "guest",
            id: id.to_string(),
        })?;
        let besides = tx.scan(id).await?.map(|scan| scan.besides.0).unwrap_or_default();
        Ok((row, besides, tx.updates_of(id).await?))
    }

    /// Packages that could be updated somewhere, by name and source, those after (`name`, `source`). There is one more than
    /// `limit` when there is another page.
    pub async fn outdated_packages(
        &self,
        ctx: &Ctx,
        filter: &PackageFilter,
        after: (&str, &str),
        limit: i64,
    ) -> Result<Vec<OutdatedPackage>, Error> {
        ctx.require(Role::Viewer)?;
        let mut tx = self.store.read().await?;
        let rows = tx.packages_page(filter, after, limit + 1).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(Vec::new());
        };
        let first = (first.name.as_str(), first.source.as_str());
        let last = (last.name.as_str(), last.source.as_str());
        let mut versions: HashMap<(String, String), Vec<PackageVersionRow>> = HashMap::new();
        for version in tx.package_versions(filter, first, last).await? {
            let package = (version.name.clone(), version.source.clone());
            versions.entry(package).or_default().push(version);
        }
        let package = |row: PackageRow| OutdatedPackage {
            versions: versions
                .remove(&(row.name.clone(), row.source.clone()))
                .unwrap_or_default(),
            row,
        };
        Ok(rows.into_iter().map(package).collect())
    }
}

async fn decide(tx: &mut Tx, selection: &Selection) -> Result<Vec<Decided>, Error> {
    let rows = selection.read(tx).await?;
    let scanning: HashSet<GuestId> = tx.guests_in_jobs("scan").await?.into_iter().collect();
    let decide = |guest: GuestRow| -> Result<Decided, Error> {
        let left_out = for_scan(&guest.state()?, scanning.contains(&GuestId(guest.id))).err();
        Ok(Decided {
            guest,
            left_out,
            install: None,
        })
    };
    rows.into_iter().map(decide).collect()
}
