//! What is done in a guest through an open way, step by step.

use std::time::Duration;

use muster_domain::fleet::AgentState;
use muster_domain::{GuestId, TargetId};
use muster_store::agents::AgentRow;
use muster_store::guests::GuestRow;
use muster_store::job_targets::TargetRow;
use zeroize::Zeroizing;

use super::through_pve::Trouble;
use crate::agents::Program;
use crate::app::Error;
use crate::app::agents::InstallScripts;
use crate::app::installs::Wanted;
use crate::jobs::{JobContext, JobError};
use crate::reach::{Ran, Shell};

/// How long small things may take.
const SHORT: Duration = Duration::from_secs(60);
/// How long fetching the program may take; the script itself gives up after 300 s.
const FETCH: Duration = Duration::from_secs(330);
/// How long the agent may take to connect after its service has started, and how often it is looked for.
const CHECK_IN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A guest with a way into it that is open.
pub(super) struct Guest<'a> {
    pub(super) job: &'a JobContext,
    pub(super) shell: Box<dyn Shell>,
    pub(super) row: &'a GuestRow,
    pub(super) scripts: &'a InstallScripts,
    /// A folder in the guest that only root can enter.
    pub(super) work: String,
}

/// What the install script means by its exit codes; see its head.
const CODES: [(i64, &str); 6] = [
    (3, "no_http_client"),
    (4, "init_unsupported"),
    (5, "no_space"),
    (6, "program_does_not_run"),
    (7, "enrolment_failed"),
    (8, "service_failed"),
];

impl Guest<'_> {
    /// A token of its own for this attempt; the one of an earlier attempt ends.
    pub(super) async fn permit(&self, target: &TargetRow) -> Result<Zeroizing<String>, Trouble> {
        let app = &self.job.app;
        let id = TargetId(target.id);
        let token: Result<Zeroizing<String>, Error> =
            muster_store::write!(app.store, tx => { app.permit_through_pve(tx, self.row, id).await });
        Ok(token.map_err(JobError::from)?)
    }

    pub(super) async fn bring_script(&mut self, token: &str) -> Result<(), Trouble> {
        let (script, secret) = (self.file("install.sh"), self.file("token"));
        self.shell.put(&script, self.scripts.guest.text.as_bytes()).await?;
        // In a file and not in a command line, which everybody in the guest could read.
        self.shell.put(&secret, token.as_bytes()).await?;
        Ok(())
    }

    /// Puts the program in its place: fetched by the guest, or this one.
    pub(super) async fn place_program(&mut self, brought: Option<&Program>) -> Result<(), Trouble> {
        let mut given = String::new();
        if let Some(program) = brought {
            given = self.file("agent");
            self.shell.put(&given, &program.bytes).await?;
        }
        let line = format!("sh {} --program {given}", self.file("install.sh"));
        let ran = self.shell.run(&line, FETCH).await?;
        well(&ran, "program_not_placed")
    }

    pub(super) async fn serve(&mut self) -> Result<(), Trouble> {
        let line = format!("sh {} --serve {}", self.file("install.sh"), self.file("token"));
        let ran = self.shell.run(&line, SHORT).await?;
        well(&ran, "install_failed")
    }

    /// Waits for the agent; one that does not come is asked why.
    pub(super) async fn check_in(
        &mut self,
        is_new: impl Fn(&AgentRow) -> bool,
        wanted: Wanted,
    ) -> Result<AgentRow, Trouble> {
        let begin = tokio::time::Instant::now();
        while begin.elapsed() < CHECK_IN {
            if let Some(agent) = self.connected().await?.filter(|agent| !wanted.again || is_new(agent)) {
                return Ok(agent);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let ran = self
            .shell
            .run("/usr/local/lib/muster/muster-agent status", SHORT)
            .await?;
        let detail = format!(
            "The agent enrolled and its service runs, but it did not connect within {} s. It says: {}",
            CHECK_IN.as_secs(),
            ran.last_words()
        );
        Err(Trouble::Final("no_check_in".to_owned(), detail))
    }

    async fn connected(&self) -> Result<Option<AgentRow>, JobError> {
        let id = GuestId(self.row.id);
        let mut tx = self.job.app.store.read().await?;
        let online = tx
            .guest(id)
            .await?
            .is_some_and(|row| row.agent_state == AgentState::Online.as_str());
        Ok(match online {
            true => tx.agent_of(id).await?,
            false => None,
        })
    }

    /// Removes the folder. Where that fails, the next attempt removes it.
    pub(super) async fn clean_up(&mut self, target: &TargetRow) -> Result<(), JobError> {
        let line = format!("rm -rf '{}'", self.work);
        match self.shell.run(&line, SHORT).await {
            Ok(ran) if ran.exit == 0 => Ok(()),
            Ok(ran) => {
                let text = format!("{} stays in the guest: {}.", self.work, ran.last_words());
                self.job.log("warning", Some(target), &text).await
            }
            Err(obstacle) => {
                let text = format!("{} may stay in the guest: {obstacle}", self.work);
                self.job.log("warning", Some(target), &text).await
            }
        }
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.work)
    }
}

fn well(ran: &Ran, otherwise: &str) -> Result<(), Trouble> {
    if ran.exit == 0 {
        return Ok(());
    }
    let code = CODES
        .iter()
        .find(|(exit, _)| *exit == ran.exit)
        .map_or(otherwise, |(_, code)| code);
    let said = ran.last_words();
    let said = said.strip_prefix("failed: ").unwrap_or(&said);
    let detail = match said.is_empty() {
        true => format!("The install script ended with exit code {} and no word.", ran.exit),
        false => format!("{}.", said.trim_end_matches('.')),
    };
    Err(Trouble::Final(code.to_owned(), detail))
}
