//! Running a command in a container through PVE itself, and remembering which nodes cannot.

use std::time::Duration;

use muster_domain::access::Role;
use muster_domain::fleet::{ExecEndpoint, GuestKind};
use muster_domain::{ClusterId, GuestId, NodeId};
use muster_store::StoreError;
use muster_store::guest_list::GuestFilter;
use muster_store::guests::GuestRow;

use super::{App, Ctx, Error, fleet};
use crate::reach::{Output, run_in_container};

impl App {
    /// Runs a line for `sh` as root in a container by PVE's exec call. A node that answers 501 is not asked again until its
    /// version changes; then the error has the code `pve_lacks_call`.
    pub async fn run_by_exec_call(
        &self,
        ctx: &Ctx,
        guest: GuestId,
        line: &str,
        within: Duration,
    ) -> Result<Output, Error> {
        ctx.require(Role::Operator)?;
        let mut tx = self.store.read().await?;
        let missing = || Error::NotFound {
            kind: "guest",
            id: guest.to_string(),
        };
        let row = tx.guest(guest).await?.ok_or_else(missing)?;
        let cluster = tx.cluster(ClusterId(row.cluster_id)).await?.ok_or_else(missing)?;
        drop(tx);
        let state = row.state()?;
        let vmid = u32::try_from(row.vmid).map_err(|_| missing())?;
        if state.kind != GuestKind::Lxc || state.exec_endpoint == ExecEndpoint::Missing {
            return Err(lacks_call(&row));
        }
        let connection = self.connect(&cluster).await?;
        let ran = run_in_container(connection.client(), &row.node, vmid, line, within).await;
        let (found, outcome) = match ran {
            Ok(output) => (ExecEndpoint::Works, Ok(output)),
            Err(failure) if failure.code == "pve_lacks_call" => (ExecEndpoint::Missing, Err(lacks_call(&row))),
            Err(failure) => return Err(failure.into()),
        };
        let detail = serde_json::json!({
            "by": "exec_endpoint", "exit": outcome.as_ref().ok().map(|output: &Output| output.exit.clone()),
        });
        let written: Result<(), Error> = muster_store::write!(self.store, tx => {
            ctx.audit(self, tx, "guest.run", ("guest", Some(guest.0), &row.name), detail.clone()).await?;
            self.remember_exec_endpoint(tx, &row, found).await?;
            Ok(())
        });
        written?;
        outcome
    }

    /// Writes down what was found out about a node, and which ways lead into its guests from now on.
    async fn remember_exec_endpoint(
        &self,
        tx: &mut muster_store::Tx,
        row: &GuestRow,
        found: ExecEndpoint,
    ) -> Result<(), StoreError> {
        if row.state()?.exec_endpoint == found {
            return Ok(());
        }
        let node = NodeId(row.node_id);
        tx.set_exec_endpoint(node, found.as_str(), row.node_version.as_deref())
            .await?;
        let filter = GuestFilter {
            node: Some(node),
            ..GuestFilter::default()
        };
        let mut changed = fleet::Changed::of(ClusterId(row.cluster_id));
        for guest in tx.guests_page(&filter, None, i64::MAX).await? {
            fleet::put_reach(tx, &guest).await?;
            changed.guest(&guest);
        }
        changed.publish(tx, self.clock.now()).await
    }
}

fn lacks_call(row: &GuestRow) -> Error {
    let version = row.node_version.as_deref().unwrap_or("of an unknown version");
    Error::Upstream {
        code: "pve_lacks_call",
        detail: format!(
            "PVE {version} on {} has no call that runs a command in {}: install the agent by hand.",
            row.node, row.name
        ),
    }
}
