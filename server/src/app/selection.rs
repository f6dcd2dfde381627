//! Which guests a bulk action is about, and what was decided for each: the same answer for the preview and the real thing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use muster_domain::eligible::{Install, LeftOut};
use muster_domain::{ClusterId, GuestId, TargetId};
use muster_store::Tx;
use muster_store::guests::GuestRow;
use muster_store::job_targets::NewTarget;
use muster_store::jobs::JobRow;

use super::installs::ByHand;
use super::{App, Error, FieldError};

/// Most guests that can be named in one request.
const MOST: usize = 5_000;

/// Which guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Only guests of this cluster.
    pub cluster: Option<ClusterId>,
    /// These; without them all of the cluster.
    pub guests: Option<Vec<GuestId>>,
}

/// One guest of a bulk action.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The guest.
    pub guest: GuestRow,
    /// Why it is left out; `None` when it is taken.
    pub left_out: Option<LeftOut>,
    /// How the agent gets in, of an installation that takes it.
    pub install: Option<Install>,
}

/// The answer to a bulk action.
#[derive(Debug, Clone, PartialEq)]
pub struct Bulk {
    /// The job; none for a preview, and when no guest was taken.
    pub job: Option<JobRow>,
    /// Every guest that was asked for, with what was decided.
    pub decided: Vec<Decided>,
    /// What a person pastes, for an installation.
    pub by_hand: Option<ByHand>,
}

impl Selection {
    /// The guests, each once. Fails when one of those named is not there.
    pub(super) async fn read(&self, tx: &mut Tx) -> Result<Vec<GuestRow>, Error> {
        match (&self.guests, self.cluster) {
            (None, Some(cluster)) => {
                tx.cluster(cluster).await?.ok_or_else(|| Error::NotFound {
                    kind: "cluster",
                    id: cluster.to_string(),
                })?;
                Ok(tx.guests_of(cluster).await?)
            }
            (None, None) => Err(Error::invalid("/guests", "name the guests")),
            (Some(ids), cluster) => named(tx, ids, cluster).await,
        }
    }
}

async fn named(tx: &mut Tx, ids: &[GuestId], cluster: Option<ClusterId>) -> Result<Vec<GuestRow>, Error> {
    if ids.len() > MOST {
        return Err(Error::invalid(
            "/guests",
            format!("name at most {MOST} guests at a time"),
        ));
    }
    let mut found: HashMap<GuestId, GuestRow> = tx
        .guests_by_id(ids)
        .await?
        .into_iter()
        .map(|row| (GuestId(row.id), row))
        .collect();
    let mut unknown = Vec::new();
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for (place, id) in ids.iter().enumerate().filter(|(_, id)| seen.insert(**id)) {
        let row = found.remove(id);
        match row.filter(|row| cluster.is_none_or(|cluster| row.cluster_id == cluster.0)) {
            Some(row) => rows.push(row),
            None => unknown.push(FieldError {
                pointer: format!("/guests/{place}"),
                detail: "there is no such guest here".to_owned(),
            }),
        }
    }
    if unknown.is_empty() {
        Ok(rows)
    } else {
        Err(Error::Invalid(unknown))
    }
}

/// The targets of a job, in the order of the decisions: those that are left out stand in it with their reason.
pub(super) fn targets(app: &App, decided: &[Decided]) -> Vec<NewTarget> {
    let target = |one: &Decided| NewTarget {
        id: TargetId(app.ids.next()),
        guest: Some(GuestId(one.guest.id)),
        name: one.guest.name.clone(),
        skipped: one
            .left_out
            .as_ref()
            .map(|left| (left.code.to_owned(), format!("Skipped. {}", left.detail))),
    };
    decided.iter().map(target).collect()
}

/// A line for people that says what a job does.
pub(super) fn title(verb: &str, decided: &[Decided]) -> String {
    let taken: Vec<&Decided> = decided.iter().filter(|one| one.left_out.is_none()).collect();
    match taken.as_slice() {
        [one] => format!("{verb} {}", one.guest.name),
        many => format!("{verb} {} guests", many.len()),
    }
}

/// The cluster that all guests belong to, if it is one.
pub(super) fn one_cluster(decided: &[Decided]) -> Option<ClusterId> {
    let clusters: BTreeSet<_> = decided.iter().map(|one| one.guest.cluster_id).collect();
    let mut clusters = clusters.into_iter();
    clusters.next().filter(|_| clusters.next().is_none()).map(ClusterId)
}

/// Taken guests by their node.
pub(super) fn by_node<'a>(
    taken: impl Iterator<Item = &'a GuestRow>,
) -> BTreeMap<(uuid::Uuid, &'a str), Vec<&'a GuestRow>> {
    let mut nodes: BTreeMap<(uuid::Uuid, &str), Vec<&GuestRow>> = BTreeMap::new();
    for guest in taken {
        nodes
            .entry((guest.node_id, guest.node.as_str()))
            .or_default()
            .push(guest);
    }
    nodes
}
