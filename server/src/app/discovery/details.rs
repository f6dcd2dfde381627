//! The second step: what was asked about the cluster, its nodes and guests is written where it differs.

use std::collections::BTreeSet;

use muster_domain::fleet::{Backup, UpdatesState};
use muster_domain::health::Reason;
use muster_domain::rights::{GuestRights, Major};
use muster_domain::{GuestId, NodeId};
use muster_store::clusters::ClusterRow;
use muster_store::guests::GuestRow;
use muster_store::nodes::NodeRow;
use muster_store::{StoreError, Tx};

use super::listing::{found, put_reach};
use super::{Discovery, Found, Summary, certificates, log};
use crate::app::{Error, fleet};
use crate::pve::{ClusterStatus, Failure, GuestDetails, NodeDetails, Overview, overview};

/// What was learned beside the list.
pub(super) struct Learned {
    /// Members and quorum.
    pub(super) status: Option<ClusterStatus>,
    /// Rights, version, certificates, backups.
    pub(super) overview: Option<Overview>,
    /// Details of guests.
    pub(super) guests: Vec<(GuestId, GuestDetails)>,
    /// Details of nodes.
    pub(super) nodes: Vec<(NodeId, NodeDetails)>,
    /// What is wrong with the cluster.
    pub(super) health: Vec<Reason>,
}

/// How often rights, version, certificates and backups are asked.
pub(super) const OVERVIEW_EVERY: std::time::Duration = std::time::Duration::from_secs(600);
/// Calls that this takes.
const OVERVIEW_COST: usize = 4;
/// How old the time of the last discovery may be in the database while nothing changes.
const LAST_WRITTEN_EVERY: std::time::Duration = std::time::Duration::from_secs(600);

impl Discovery<'_> {
    /// At once when nothing is known yet or somebody waits, else when there is time.
    fn may_ask_overview(&self) -> bool {
        let last = self.memory.overview_at();
        self.is_due(last, OVERVIEW_EVERY)
            && (self.reads_everything() || last.is_none() || self.memory.take_calls(OVERVIEW_COST, self.started))
    }

    /// Asks about the cluster as a whole what is due. What cannot be read is told and tried again at the next turn.
    pub(super) async fn ask_cluster(&self, summary: &mut Summary) -> (Option<ClusterStatus>, Option<Overview>) {
        let client = self.connection.client();
        let mut told = None;
        if self.may_ask_overview() {
            match overview(client).await {
                Ok(found) => {
                    self.memory.note_overview(self.started);
                    told = Some(found);
                }
                Err(failure) => summary.errors.push(failure.into()),
            }
        }
        let known = self.row.permissions.as_ref().map(|known| &known.0);
        let may_ask = told
            .as_ref()
            .map(|found| &found.permissions)
            .or(known)
            .is_some_and(|permissions| permissions.allows("Sys.Audit", "/"));
        let mut status = None;
        if self.is_due(self.memory.status_at(), super::STATUS_EVERY) {
            let answer = match may_ask {
                true => client.cluster_status().await.map(Some).map_err(Failure::from),
                false => Ok(None),
            };
            match answer {
                Ok(found) => {
                    self.memory.note_status(self.started);
                    status = found;
                }
                Err(failure) => summary.errors.push(failure.into()),
            }
        }
        (status, told)
    }
}

/// Writes what differs, logs the discovery, and completes `summary`.
pub(super) async fn write(discovery: &Discovery<'_>, learned: Learned, summary: &mut Summary) -> Result<(), Error> {
    let mut cluster = discovery.row.clone();
    put_cluster(&mut cluster, discovery, &learned, discovery.is_logged(summary));
    let nothing_asked = learned.guests.is_empty() && learned.nodes.is_empty();
    if nothing_asked
        && learned.overview.is_none()
        && learned.status.is_none()
        && cluster == discovery.row
        && !discovery.is_logged(summary)
    {
        return Ok(());
    }
    let written: Result<Summary, Error> = muster_store::write!(discovery.app.store, tx => {
        let mut summary = summary.clone();
        write_all(discovery, tx, &learned, &mut summary).await?;
        Ok(summary)
    });
    *summary = written?;
    if let Some(overview) = &learned.overview {
        let told = certificates::merged(&discovery.row, Some(overview));
        let accepted = certificates::accepted(&discovery.row, &told);
        let pins: Vec<_> = told
            .values()
            .copied()
            .chain(accepted.and_then(|text| text.parse().ok()))
            .collect();
        discovery.connection.pin(&pins);
    }
    Ok(())
}

async fn write_all(
    discovery: &Discovery<'_>,
    tx: &mut Tx,
    learned: &Learned,
    summary: &mut Summary,
) -> Result<(), Error> {
    let (cluster, now) = (discovery.cluster(), discovery.started);
    let Some(before) = tx.cluster(cluster).await? else {
        // It was removed meanwhile, and everything of it.
        return Ok(());
    };
    let mut events = fleet::Changed::of(cluster);
    for row in tx.nodes_of(cluster).await? {
        let mut after = row.clone();
        put_node(&mut after, discovery, learned);
        if after != row {
            tx.save_node(&after).await?;
            events.node(NodeId(row.id));
        }
    }
    for row in tx.guests_of(cluster).await? {
        let mut after = row.clone();
        put_guest(&mut after, discovery, learned)?;
        if after == row {
            continue;
        }
        tx.save_guest(&after).await?;
        let facts = differences(&row, &after);
        if !facts.is_empty() {
            events.guest(&after);
        }
        if row.details_at.is_some() && !facts.is_empty() {
            note(summary, &after, facts);
        }
    }
    summary.duration_ms = discovery.took_ms();
    let logged = discovery.is_logged(summary);
    let mut after = before.clone();
    put_cluster(&mut after, discovery, learned, logged);
    if after != before {
        tx.save_cluster(&after).await?;
        events.cluster();
    }
    events.publish(tx, now).await?;
    if logged {
        log(discovery.app, tx, cluster, discovery.trigger, now, summary).await?;
    }
    Ok(())
}

fn put_cluster(row: &mut ClusterRow, discovery: &Discovery<'_>, learned: &Learned, logged: bool) {
    if let Some(status) = &learned.status {
        row.cluster_name = status.cluster.as_ref().map(|cluster| cluster.name.clone());
        row.quorate = status.cluster.as_ref().map(|cluster| cluster.quorate);
    }
    if let Some(overview) = &learned.overview {
        row.version = Some(overview.version.version.clone());
        row.release = Some(overview.version.release.clone());
        row.permissions = Some(overview.permissions.clone().into());
        let told = certificates::merged(row, Some(overview));
        row.accepted = certificates::accepted(row, &told);
        row.fingerprints.0 = told
            .iter()
            .map(|(node, told)| (node.clone(), told.to_string()))
            .collect();
    }
    row.health = learned.health.clone().into();
    row.error_code = None;
    row.error_detail = None;
    row.error_since = None;
    let written = row.last_discovered_at.map(muster_domain::Timestamp::from_micros);
    if logged || written.is_none_or(|at| discovery.started.since(at) >= LAST_WRITTEN_EVERY) {
        row.last_discovered_at = Some(discovery.started.as_micros());
    }
}

fn put_node(row: &mut NodeRow, discovery: &Discovery<'_>, learned: &Learned) {
    let member = learned
        .status
        .as_ref()
        .and_then(|status| status.nodes.iter().find(|member| member.name == row.name));
    if let Some(address) = member.and_then(|member| member.ip.clone()) {
        row.address = Some(address);
    }
    let Some((_, details)) = learned.nodes.iter().find(|(id, _)| id.0 == row.id) else {
        return;
    };
    row.version = Some(details.version.clone());
    if let Some(packages) = &details.packages {
        row.packages = Some(packages.clone().into());
    }
    row.details_at = Some(discovery.started.as_micros());
    match details.updates {
        Some(updates) => {
            row.updates_state = UpdatesState::Fresh.as_str().to_owned();
            row.updates_total = Some(updates.total);
            row.updates_reason = None;
        }
        None => {
            row.updates_state = UpdatesState::Unknown.as_str().to_owned();
            row.updates_total = None;
            row.updates_reason = Some(format!(
                "The token lacks Sys.Modify on /nodes/{}, which PVE demands even for looking.",
                row.name
            ));
        }
    }
}

fn put_guest(row: &mut GuestRow, discovery: &Discovery<'_>, learned: &Learned) -> Result<(), StoreError> {
    if let Some(overview) = &learned.overview {
        row.backup = backup(overview.not_backed_up.as_ref(), row.vmid).as_str().to_owned();
        row.release = Some(overview.version.release.clone());
    }
    let told = learned.overview.as_ref().map(|overview| &overview.permissions);
    let known = discovery.row.permissions.as_ref().map(|known| &known.0);
    if let Some(permissions) = told.or(known) {
        let major = Major::of(row.release.as_deref().unwrap_or_default());
        row.rights = Some(GuestRights::of(permissions, major, row.vmid).into());
    }
    if let Some((_, details)) = learned.guests.iter().find(|(id, _)| id.0 == row.id) {
        row.details_at = Some(discovery.started.as_micros());
        row.config_digest.clone_from(&details.digest);
        row.unprivileged = details.unprivileged;
        row.cmode.clone_from(&details.cmode);
        row.cmode_pending.clone_from(&details.cmode_pending);
        if let Some(seen) = details.qemu_agent {
            row.qemu_agent = seen.as_str().to_owned();
        }
        row.has_mounts = details.has_mounts;
        if let Some(addresses) = &details.addresses {
            row.addresses = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        }
        if let Some(system) = &details.system
            && (system.said_by_the_guest || row.system_id.is_none())
        {
            // What the configuration claims never replaces what an agent has said.
            row.system_id = Some(system.id.clone());
            row.system_name = Some(system.name.clone());
        }
    }
    put_reach(row)
}

fn backup(not_backed_up: Option<&BTreeSet<i64>>, vmid: i64) -> Backup {
    match not_backed_up {
        None => Backup::Unknown,
        Some(left_out) if left_out.contains(&vmid) => Backup::None,
        Some(_) => Backup::Covered,
    }
}

/// What differs for a person; when the details were read is nothing of that.
fn differences(before: &GuestRow, after: &GuestRow) -> Vec<&'static str> {
    let configuration = before.unprivileged != after.unprivileged
        || before.cmode != after.cmode
        || before.has_mounts != after.has_mounts
        || before.config_digest != after.config_digest;
    [
        ("configuration", configuration),
        ("addresses", before.addresses != after.addresses),
        (
            "system",
            before.system_id != after.system_id || before.system_name != after.system_name,
        ),
        ("backup", before.backup != after.backup),
        (
            "reach",
            before.reach_best != after.reach_best || before.reach_needs != after.reach_needs,
        ),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(fact, _)| fact)
    .collect()
}

/// Adds facts to what the first step already noted of a guest.
fn note(summary: &mut Summary, row: &GuestRow, facts: Vec<&'static str>) {
    let is_it = |noted: &&mut Found| noted.vmid == Some(row.vmid) && noted.kind == row.kind;
    if summary.appeared.iter_mut().any(|noted| noted.vmid == Some(row.vmid)) {
        return;
    }
    match summary.changed.iter_mut().find(is_it) {
        Some(noted) => noted.facts.extend(facts),
        None => summary.changed.push(Found {
            facts,
            ..found(row, &[])
        }),
    }
}
