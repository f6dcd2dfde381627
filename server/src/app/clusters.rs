//! Adding, changing and removing clusters. A token or an address is tried before it replaces one that works.

mod input;
mod login;
mod report;

use std::time::Duration;

use muster_domain::access::Role;
use muster_domain::{ClusterId, NodeId};
use muster_store::clusters::ClusterRow;
use muster_store::discovery_log::DiscoveryRow;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::connections::{TOKEN_SECRET, tls};
use super::{App, Ctx, Error, fleet};
use crate::pve::{ApiToken, Connection, Credential, Endpoint, Failure, PresentedCertificate, Settings, inspect, probe};

pub use input::{ClusterEdit, NewCluster, TlsChoice};
pub use report::{TestReport, TestedNode};

/// How long one exchange of a test may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What goes when a cluster is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// Nodes.
    pub nodes: usize,
    /// Guests.
    pub guests: usize,
    /// Agents, which can no longer connect and should be uninstalled.
    pub agents: usize,
}

impl App {
    /// The certificate that an address presents. Sends nothing beyond the handshake.
    pub async fn probe_pve(&self, ctx: &Ctx, url: &str) -> Result<(Endpoint, PresentedCertificate), Error> {
        ctx.require(Role::Admin)?;
        let endpoint = input::endpoint("/url", url)?;
        let shown = probe(&endpoint, PATIENCE).await.map_err(Failure::from)?;
        Ok((endpoint, shown))
    }

    /// Looks at a cluster as it would be added.
    pub async fn test_new_cluster(&self, ctx: &Ctx, new: &NewCluster) -> Result<TestReport, Error> {
        ctx.require(Role::Admin)?;
        let row = new.check(ClusterId(Uuid::nil()), self.clock.now())?;
        self.look_at(&row, &new.token_secret).await
    }

    /// Looks at a cluster as it is stored.
    pub async fn test_cluster(&self, ctx: &Ctx, id: ClusterId) -> Result<TestReport, Error> {
        ctx.require(Role::Operator)?;
        let mut tx = self.store.read().await?;
        let row = cluster(&mut tx, id).await?;
        let secret = self.seal.get(&mut tx, id.0, TOKEN_SECRET).await?;
        drop(tx);
        let report = self.look_at(&row, &text(&secret)).await?;
        let rollup = self.cluster(ctx, id).await?.rollup;
        Ok(match rollup.running > 0 && rollup.no_agent == 0 {
            true => report.with_agents_everywhere(),
            false => report,
        })
    }

    /// Adds a cluster after a look at it; its first discovery follows by itself.
    pub async fn add_cluster(&self, ctx: &Ctx, new: NewCluster) -> Result<fleet::Cluster, Error> {
        ctx.require(Role::Admin)?;
        let id = ClusterId(self.ids.next());
        let mut row = new.check(id, self.clock.now())?;
        let report = self.look_at(&row, &new.token_secret).await?;
        report.refuse_blindness()?;
        self.refuse_known(&row, &report).await?;
        report.put(&mut row);
        let detail = serde_json::json!({
            "endpoints": row.endpoints.0, "token_id": row.token_id, "tls": row.tls_mode, "accepted": row.accepted,
        });
        let added: Result<(), Error> = muster_store::write!(self.store, tx => {
            refuse_taken_name(tx, &row.name, None).await?;
            tx.insert_cluster(&row).await?;
            self.seal.put(tx, id.0, TOKEN_SECRET, new.token_secret.as_bytes()).await?;
            ctx.audit(self, tx, "cluster.add", ("cluster", Some(id.0), &row.name), detail.clone()).await?;
            fleet::cluster_changed(self, tx, id).await?;
            Ok(())
        });
        added?;
        self.pve.discover_soon(id);
        self.cluster(ctx, id).await
    }

    /// Changes a cluster's settings. New addresses and certificates are tried first.
    pub async fn edit_cluster(&self, ctx: &Ctx, id: ClusterId, edit: ClusterEdit) -> Result<fleet::Cluster, Error> {
        ctx.require(Role::Admin)?;
        let mut tx = self.store.read().await?;
        let before = cluster(&mut tx, id).await?;
        let secret = self.seal.get(&mut tx, id.0, TOKEN_SECRET).await?;
        drop(tx);
        let planned = edit.apply(before.clone())?;
        if edit.reaches_elsewhere() {
            let report = self.look_at(&planned, &text(&secret)).await?;
            self.refuse_known(&planned, &report).await?;
        }
        let changed: Result<(), Error> = muster_store::write!(self.store, tx => {
            let mut row = edit.apply(cluster(tx, id).await?)?;
            refuse_taken_name(tx, &row.name, Some(id)).await?;
            row.updated_at = self.clock.now().as_micros();
            tx.save_cluster(&row).await?;
            let detail = edit.told();
            ctx.audit(self, tx, "cluster.edit", ("cluster", Some(id.0), &row.name), detail).await?;
            fleet::cluster_changed(self, tx, id).await?;
            Ok(())
        });
        changed?;
        self.pve.discover_soon(id);
        self.cluster(ctx, id).await
    }

    /// Replaces a cluster's token after a look with the new one.
    pub async fn rotate_cluster_token(
        &self,
        ctx: &Ctx,
        id: ClusterId,
        token_id: Option<String>,
        secret: Zeroizing<String>,
    ) -> Result<fleet::Cluster, Error> {
        ctx.require(Role::Admin)?;
        let mut planned = cluster(&mut self.store.read().await?, id).await?;
        if let Some(token_id) = token_id {
            planned.token_id = token_id.trim().to_owned();
        }
        let secret = input::token(&planned.token_id, &secret)?;
        let report = self.look_at(&planned, &secret).await?;
        report.refuse_blindness()?;
        let changed: Result<(), Error> = muster_store::write!(self.store, tx => {
            let mut row = cluster(tx, id).await?;
            row.token_id.clone_from(&planned.token_id);
            row.updated_at = self.clock.now().as_micros();
            report.put(&mut row);
            tx.save_cluster(&row).await?;
            self.seal.put(tx, id.0, TOKEN_SECRET, secret.as_bytes()).await?;
            let detail = serde_json::json!({ "token_id": row.token_id });
            ctx.audit(self, tx, "cluster.rotate_token", ("cluster", Some(id.0), &row.name), detail).await?;
            fleet::cluster_changed(self, tx, id).await?;
            Ok(())
        });
        changed?;
        self.pve.discover_soon(id);
        self.cluster(ctx, id).await
    }

    /// Removes a cluster with everything of it, or says only what would go.
    pub async fn remove_cluster(&self, ctx: &Ctx, id: ClusterId, dry_run: bool) -> Result<Removal, Error> {
        ctx.require(Role::Admin)?;
        if dry_run {
            let mut tx = self.store.read().await?;
            cluster(&mut tx, id).await?;
            return removal(&mut tx, id).await;
        }
        let removed: Result<Removal, Error> = muster_store::write!(self.store, tx => {
            let row = cluster(tx, id).await?;
            let removal = removal(tx, id).await?;
            tx.wake_jobs_waiting_in(id, self.clock.now()).await?;
            tx.delete_cluster(id).await?;
            tx.delete_secrets(id.0).await?;
            let detail = serde_json::json!({
                "nodes": removal.nodes, "guests": removal.guests, "agents": removal.agents,
            });
            ctx.audit(self, tx, "cluster.remove", ("cluster", Some(id.0), &row.name), detail).await?;
            let facts = serde_json::json!({ "cluster": id });
            tx.publish(self.clock.now(), "cluster.removed", Some(id.0), facts).await?;
            Ok(removal)
        });
        self.pve.forget(id);
        self.jobs.wake();
        removed
    }

    /// A cluster's discoveries, newest first.
    pub async fn discoveries(
        &self,
        id: ClusterId,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<DiscoveryRow>, Error> {
        let mut tx = self.store.read().await?;
        cluster(&mut tx, id).await?;
        Ok(tx.discoveries(id, before, limit).await?)
    }

    /// Refuses a cluster that is there already under another name: every guest would stand twice in every list.
    async fn refuse_known(&self, row: &ClusterRow, report: &TestReport) -> Result<(), Error> {
        let mut tx = self.store.read().await?;
        for other in tx.clusters().await? {
            if other.id == row.id || !report.shares_a_node(&other) {
                continue;
            }
            let guests = tx.guests_of(ClusterId(other.id)).await?;
            if report.may_be_of(&guests) {
                return Err(Error::Conflict {
                    code: "cluster_known",
                    detail: format!(
                        "This cluster is already here as {}: change its addresses or its token there.",
                        other.name
                    ),
                });
            }
        }
        Ok(())
    }

    async fn look_at(&self, row: &ClusterRow, secret: &str) -> Result<TestReport, Error> {
        let connection = Connection::open(Settings {
            endpoints: row.endpoints.iter().filter_map(|text| text.parse().ok()).collect(),
            credential: Credential::Token(ApiToken::new(&row.token_id, secret).map_err(Failure::from)?),
            tls: tls(row),
            timeout: PATIENCE.min(self.config.pve_timeout()),
        })?;
        let inspection = inspect(connection.client()).await?;
        let others = self.store.read().await?.clusters().await?;
        Ok(TestReport::of(row, inspection, &others))
    }
}

async fn cluster(tx: &mut muster_store::Tx, id: ClusterId) -> Result<ClusterRow, Error> {
    tx.cluster(id).await?.ok_or_else(|| Error::NotFound {
        kind: "cluster",
        id: id.to_string(),
    })
}

async fn refuse_taken_name(tx: &mut muster_store::Tx, name: &str, own: Option<ClusterId>) -> Result<(), Error> {
    match tx.cluster_named(name).await? {
        Some(other) if Some(other) != own => Err(Error::Conflict {
            code: "name_taken",
            detail: format!("there is already a cluster named {name}: choose another name"),
        }),
        _ => Ok(()),
    }
}

async fn removal(tx: &mut muster_store::Tx, id: ClusterId) -> Result<Removal, Error> {
    let guests = tx.guests_of(id).await?;
    let nodes: std::collections::BTreeSet<NodeId> = tx.nodes_of(id).await?.iter().map(|row| NodeId(row.id)).collect();
    Ok(Removal {
        nodes: nodes.len(),
        agents: guests
            .iter()
            .filter(|guest| !matches!(guest.agent_state.as_str(), "none" | "enrolling"))
            .count(),
        guests: guests.len(),
    })
}

fn text(secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(secret).into_owned())
}
