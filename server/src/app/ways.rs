//! Going into guests through PVE: one holder at a time, and what each try has shown is remembered.

use std::sync::Arc;
use std::time::Duration;

use muster_domain::fleet::ExecEndpoint;
use muster_domain::reach::{QemuAgent, TokenConsole, Transport};
use muster_domain::{ClusterId, GuestId, NodeId};
use muster_store::clusters::ClusterRow;
use muster_store::guest_list::GuestFilter;
use muster_store::guests::GuestRow;
use muster_store::{StoreError, Tx};
use uuid::Uuid;

use super::{App, Ctx, Error, fleet};
use crate::pve::Connection;
use crate::reach::{Obstacle, Shell, open};

/// How long a guest belongs to its holder without a sign of life.
pub const LOCK_LASTS: Duration = Duration::from_secs(60);

impl App {
    /// Takes a guest for `holder`, or keeps it. False while somebody else has it.
    pub async fn hold_guest(&self, guest: GuestId, holder: Uuid) -> Result<bool, Error> {
        muster_store::write!(self.store, tx => {
            let now = self.clock.now();
            Ok(tx.take_guest_lock(guest, holder, now, now + LOCK_LASTS).await?)
        })
    }

    /// Gives a guest back.
    pub async fn release_guest(&self, guest: GuestId, holder: Uuid) -> Result<(), Error> {
        muster_store::write!(self.store, tx => { Ok(tx.release_guest_lock(guest, holder).await?) })
    }

    /// Opens a way into a guest. `purpose` stands in the audit log.
    pub async fn enter(
        &self,
        row: &GuestRow,
        transport: Transport,
        purpose: &'static str,
    ) -> Result<Result<Box<dyn Shell>, Obstacle>, Error> {
        let connection = match self.connection_for(row, transport).await {
            Ok(connection) => connection,
            Err(Error::Upstream { code, detail } | Error::Unavailable { code, detail }) => {
                return Ok(Err(Obstacle::closed(code, detail)));
            }
            Err(error) => return Err(error),
        };
        let ctx = Ctx::system(self);
        let detail = serde_json::json!({ "by": transport, "for": purpose });
        let noted: Result<(), Error> = muster_store::write!(self.store, tx => {
            Ok(ctx.audit(self, tx, "guest.enter", ("guest", Some(row.id), &row.name), detail.clone()).await?)
        });
        noted?;
        let vmid = u32::try_from(row.vmid).unwrap_or_default();
        Ok(open(connection.client(), transport, &row.node, vmid).await)
    }

    async fn connection_for(&self, row: &GuestRow, transport: Transport) -> Result<Arc<Connection>, Error> {
        let cluster = self.cluster_of(row).await?;
        match transport {
            Transport::TicketConsole => self.connect_by_login(&cluster).await,
            _ => self.connect(&cluster).await,
        }
    }

    /// The cluster of a guest, as it is stored.
    pub(super) async fn cluster_of(&self, row: &GuestRow) -> Result<ClusterRow, Error> {
        let id = ClusterId(row.cluster_id);
        let cluster = self.store.read().await?.cluster(id).await?;
        cluster.ok_or_else(|| Error::NotFound {
            kind: "cluster",
            id: id.to_string(),
        })
    }

    /// Remembers what a try of a way has shown: of its node, or of the guest.
    pub async fn learn(&self, row: &GuestRow, transport: Transport, shown: Result<(), &Obstacle>) -> Result<(), Error> {
        let code = shown.err().map(|obstacle| obstacle.code);
        muster_store::write!(self.store, tx => {
            let known = row.state()?;
            match (transport, code) {
                (Transport::ExecEndpoint, None) if known.exec_endpoint != ExecEndpoint::Works => {
                    self.exec_endpoint_is(tx, row, ExecEndpoint::Works).await?;
                }
                (Transport::ExecEndpoint, Some("pve_lacks_call")) => {
                    self.exec_endpoint_is(tx, row, ExecEndpoint::Missing).await?;
                }
                (Transport::TokenConsole, None) if known.token_console != TokenConsole::Works => {
                    self.token_console_is(tx, row, TokenConsole::Works).await?;
                }
                (Transport::TokenConsole, Some("console_token_refused")) => {
                    self.token_console_is(tx, row, TokenConsole::Refused).await?;
                }
                (Transport::TokenConsole | Transport::TicketConsole, Some("console_login")) => {
                    tx.set_guest_console(GuestId(row.id), "tty", row.cmode_pending.as_deref()).await?;
                    self.reach_changed(tx, row).await?;
                }
                (Transport::QemuAgent, None) if known.qemu_agent != QemuAgent::Answers => {
                    self.qemu_agent_is(tx, row, QemuAgent::Answers).await?;
                }
                (Transport::QemuAgent, Some("qemu_agent_off")) => self.qemu_agent_is(tx, row, QemuAgent::Off).await?,
                (Transport::QemuAgent, Some("qemu_agent_silent")) => {
                    self.qemu_agent_is(tx, row, QemuAgent::Silent).await?;
                }
                _ => {}
            }
            Ok(())
        })
    }

    async fn exec_endpoint_is(&self, tx: &mut Tx, row: &GuestRow, found: ExecEndpoint) -> Result<(), StoreError> {
        let node = NodeId(row.node_id);
        tx.set_exec_endpoint(node, found.as_str(), row.node_version.as_deref())
            .await?;
        self.node_reach_changed(tx, row).await
    }

    async fn token_console_is(&self, tx: &mut Tx, row: &GuestRow, found: TokenConsole) -> Result<(), StoreError> {
        let packages = row.packages.as_ref().map(|known| known.0.clone()).unwrap_or_default();
        tx.set_token_console(NodeId(row.node_id), found, &packages, self.clock.now())
            .await?;
        self.node_reach_changed(tx, row).await
    }

    async fn qemu_agent_is(&self, tx: &mut Tx, row: &GuestRow, seen: QemuAgent) -> Result<(), StoreError> {
        tx.set_guest_qemu_agent(GuestId(row.id), seen).await?;
        self.reach_changed(tx, row).await
    }

    /// Writes which ways lead into a guest from now on, and tells whoever listens. Call it last in a transaction.
    pub(super) async fn reach_changed(&self, tx: &mut Tx, row: &GuestRow) -> Result<(), StoreError> {
        let Some(row) = tx.guest(GuestId(row.id)).await? else {
            return Ok(());
        };
        fleet::put_reach(tx, &row).await?;
        let mut changed = fleet::Changed::of(ClusterId(row.cluster_id));
        changed.guest(&row);
        changed.publish(tx, self.clock.now()).await
    }

    async fn node_reach_changed(&self, tx: &mut Tx, row: &GuestRow) -> Result<(), StoreError> {
        let filter = GuestFilter {
            node: Some(NodeId(row.node_id)),
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
