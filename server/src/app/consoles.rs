//! Consoles that are made to show a shell, on request, and put back when the agent is online.

use muster_domain::GuestId;
use muster_store::console_changes::ConsoleChangeRow;
use muster_store::guests::GuestRow;

use super::{App, Ctx, Error};
use crate::reach::{Obstacle, console_mode};

/// Changes that are put back in one turn.
const AT_ONCE: i64 = 50;

impl App {
    /// Makes a container's console show a shell from its next start on. What was found is stored first, so that it is put
    /// back even when this server dies in between. Answers whether it is a shell already now.
    pub async fn open_console(&self, row: &GuestRow) -> Result<Result<bool, Obstacle>, Error> {
        let connection = self.connect(&self.cluster_of(row).await?).await?;
        let (client, vmid) = (connection.client(), u32::try_from(row.vmid).unwrap_or_default());
        let shown = match console_mode::look(client, &row.node, vmid).await {
            Ok(shown) => shown,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        if shown.is_shell() {
            self.console_is(row, &shown.active, None).await?;
            return Ok(Ok(true));
        }
        let ctx = Ctx::system(self);
        if shown.configured.as_deref() != Some("shell") {
            let noted: Result<(), Error> = muster_store::write!(self.store, tx => {
                let before = shown.configured.as_deref();
                tx.note_console_change(GuestId(row.id), before, self.clock.now()).await?;
                let detail = serde_json::json!({ "before": before });
                ctx.audit(self, tx, "guest.open_console", ("guest", Some(row.id), &row.name), detail).await?;
                Ok(())
            });
            noted?;
            if let Err(obstacle) = console_mode::set_shell(client, &row.node, vmid).await {
                return Ok(Err(obstacle));
            }
        }
        self.console_is(row, &shown.active, Some("shell")).await?;
        Ok(Ok(false))
    }

    /// Restarts a container, which puts its console in force. Answers lines for the job's log.
    pub async fn restart_for_console(&self, row: &GuestRow) -> Result<Result<Vec<String>, Obstacle>, Error> {
        let connection = self.connect(&self.cluster_of(row).await?).await?;
        let vmid = u32::try_from(row.vmid).unwrap_or_default();
        let ctx = Ctx::system(self);
        let noted: Result<(), Error> = muster_store::write!(self.store, tx => {
            let target = ("guest", Some(row.id), row.name.as_str());
            Ok(ctx.audit(self, tx, "guest.restart", target, serde_json::json!({ "for": "console" })).await?)
        });
        noted?;
        let (task, said) = match console_mode::restart(connection.client(), &row.node, vmid).await {
            Ok(done) => done,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        self.console_is(row, "shell", None).await?;
        let mut lines = vec![format!("Restarted by the task {task}.")];
        lines.extend(said);
        Ok(Ok(lines))
    }

    /// Puts consoles back whose container has an agent by now. Answers how many.
    pub async fn put_consoles_back(&self) -> Result<usize, Error> {
        let due = self.store.read().await?.console_changes_done_with(AT_ONCE).await?;
        let mut done = 0;
        for change in due {
            match self.put_console_back(&change).await {
                Ok(true) => done += 1,
                Ok(false) => {}
                // The others are not to wait for it; it is tried again at the next turn.
                Err(error) => tracing::warn!(guest.id = %change.guest_id, %error, "a console could not be put back"),
            }
        }
        Ok(done)
    }

    async fn put_console_back(&self, change: &ConsoleChangeRow) -> Result<bool, Error> {
        let guest = GuestId(change.guest_id);
        let Some(row) = self.store.read().await?.guest(guest).await? else {
            return Ok(false);
        };
        let connection = self.connect(&self.cluster_of(&row).await?).await?;
        let vmid = u32::try_from(row.vmid).unwrap_or_default();
        let put = console_mode::put_back(connection.client(), &row.node, vmid, change.before.as_deref()).await;
        let shown = match put {
            Ok(shown) => shown,
            Err(obstacle) if obstacle.code == "locked" => return Ok(false),
            Err(Obstacle { code, detail, .. }) => return Err(Error::Upstream { code, detail }),
        };
        let ctx = Ctx::system(self);
        let written: Result<(), Error> = muster_store::write!(self.store, tx => {
            tx.forget_console_change(guest).await?;
            let configured = shown.configured.as_deref().unwrap_or("tty");
            let pending = (configured != shown.active).then_some(configured);
            tx.set_guest_console(guest, &shown.active, pending).await?;
            let detail = serde_json::json!({ "now": shown.configured });
            ctx.audit(self, tx, "guest.put_console_back", ("guest", Some(row.id), &row.name), detail).await?;
            Ok(self.reach_changed(tx, &row).await?)
        });
        written.map(|()| true)
    }

    async fn console_is(&self, row: &GuestRow, active: &str, pending: Option<&str>) -> Result<(), Error> {
        muster_store::write!(self.store, tx => {
            tx.set_guest_console(GuestId(row.id), active, pending).await?;
            Ok(self.reach_changed(tx, row).await?)
        })
    }
}
