//! Installing agents: through PVE where a way leads in, else by hand: one line per guest, one per node, each good for one
//! hour and for one use per guest.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muster_domain::access::Role;
use muster_domain::eligible::for_install;
use muster_domain::fleet::{AgentState, GuestKind};
use muster_domain::install::Consoles;
use muster_domain::job::Work;
use muster_domain::{GuestId, JobId, NodeId, TargetId, Timestamp};
use muster_packages::install::{NodeGuest, UnsafeText, guest_line, node_line};
use muster_store::Tx;
use muster_store::enrolments::EnrolmentRow;
use muster_store::guests::{GuestAgent, GuestRow};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::agents::InstallScripts;
use super::jobs::JobOrder;
use super::selection::{Bulk, Decided, Selection, by_node, one_cluster, targets, title};
use super::{App, Ctx, Error, fleet};

/// How long a line can be used.
const LINE_LASTS: Duration = Duration::from_secs(60 * 60);
/// How long a permission lasts that goes into a guest through PVE. It ends before a line's would, which goes on to be good.
const TOKEN_LASTS: Duration = Duration::from_secs(15 * 60);

/// What a person pastes. Shown once: the tokens in it are not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// Until when.
    pub expires_at: Timestamp,
    /// One line for each guest, to be pasted there.
    pub guests: Vec<GuestLine>,
    /// One line for each node with containers among the guests, to be pasted into the node's shell.
    pub nodes: Vec<NodeLine>,
}

/// The line of a guest. Prints without the line, which holds a token.
#[derive(Clone, PartialEq, Eq)]
pub struct GuestLine {
    /// The guest.
    pub guest: GuestId,
    /// The line.
    pub line: String,
}

/// The line of a node. Prints without the line, which holds tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeLine {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// The line.
    pub line: String,
    /// The guests that it serves.
    pub guests: Vec<GuestId>,
}

/// A guest that is taken, and its token.
struct Ticket {
    guest: GuestRow,
    token: Zeroizing<String>,
}

/// What an installation is made for.
struct Order<'a> {
    selection: &'a Selection,
    wanted: Wanted,
    retry_of: Option<JobId>,
}

impl Wanted {
    /// Whether consoles may be changed.
    pub fn opens_consoles(self) -> bool {
        self.consoles != Consoles::Leave
    }
}

/// What somebody wants of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Guests are taken too whose agent works.
    pub again: bool,
    /// What may be done to consoles where nothing else leads in.
    pub consoles: Consoles,
}

impl App {
    /// Starts a job that installs agents, and makes lines for the guests that no way is known to lead into; or says what
    /// would become of each guest.
    pub async fn bulk_install(
        &self,
        ctx: &Ctx,
        selection: &Selection,
        wanted: Wanted,
        dry_run: bool,
    ) -> Result<Bulk, Error> {
        ctx.require(Role::Operator)?;
        // The preview fails for the same reasons as the real thing.
        let scripts = self.install_scripts().await?;
        if dry_run {
            let decided = decide(&mut self.store.read().await?, selection, wanted).await?;
            return Ok(Bulk {
                job: None,
                decided,
                by_hand: None,
            });
        }
        let order = Order {
            selection,
            wanted,
            retry_of: None,
        };
        self.install(ctx, &scripts, order).await
    }

    /// The same for guests that an earlier job failed in.
    pub(super) async fn install_anew(
        &self,
        ctx: &Ctx,
        selection: &Selection,
        wanted: Wanted,
        retry_of: JobId,
    ) -> Result<Bulk, Error> {
        let scripts = self.install_scripts().await?;
        let order = Order {
            selection,
            wanted,
            retry_of: Some(retry_of),
        };
        self.install(ctx, &scripts, order).await
    }

    async fn install(&self, ctx: &Ctx, scripts: &InstallScripts, order: Order<'_>) -> Result<Bulk, Error> {
        let expires_at = self.clock.now() + LINE_LASTS;
        let done: Result<_, Error> = muster_store::write!(self.store, tx => {
            let decided = decide(tx, order.selection, order.wanted).await?;
            let targets = targets(self, &decided);
            let taken = decided.iter().filter(|one| one.left_out.is_none()).count();
            if taken == 0 {
                return Ok((Bulk { job: None, decided, by_hand: None }, Vec::new()));
            }
            let ids: Vec<TargetId> = targets.iter().map(|target| target.id).collect();
            let Wanted { again, consoles } = order.wanted;
            let verb = if again { "Install the agent again in" } else { "Install the agent in" };
            let job = JobOrder {
                work: Work::Install { again, consoles },
                title: title(verb, &decided),
                cluster: one_cluster(&decided),
                retry_of: order.retry_of,
                targets,
            };
            let id = self.enqueue(ctx, tx, job).await?;
            let mut tickets = Vec::new();
            for (one, target) in decided.iter().zip(ids) {
                if one.install.as_ref().is_some_and(|install| install.by_hand) {
                    tickets.push(self.permit(tx, &one.guest, target, expires_at).await?);
                }
            }
            let job = tx.job(id).await?;
            let title = job.as_ref().map(|job| job.title.as_str()).unwrap_or_default();
            let detail = serde_json::json!({ "taken": taken, "left_out": decided.len() - taken });
            ctx.audit(self, tx, "agents.install", ("job", Some(id.0), title), detail).await?;
            Ok((Bulk { job, decided, by_hand: None }, tickets))
        });
        let (mut bulk, tickets) = done?;
        if !tickets.is_empty() {
            let lines = lines(scripts, &tickets, expires_at);
            bulk.by_hand = Some(lines.map_err(|error| Error::Internal(format!("a line cannot be made: {error}")))?);
        }
        self.jobs.wake();
        Ok(bulk)
    }

    /// A token for an agent that is brought into the guest through PVE. Tokens that were brought there before stop working.
    pub(crate) async fn permit_through_pve(
        &self,
        tx: &mut Tx,
        guest: &GuestRow,
        target: TargetId,
    ) -> Result<Zeroizing<String>, Error> {
        let expires_at = self.clock.now() + TOKEN_LASTS;
        tx.end_enrolments_of_target(target, self.clock.now(), expires_at)
            .await?;
        Ok(self.issue(tx, guest, target, expires_at).await?.token)
    }

    /// A line's token. Lines given before end.
    async fn permit(
        &self,
        tx: &mut Tx,
        guest: &GuestRow,
        target: TargetId,
        expires_at: Timestamp,
    ) -> Result<Ticket, Error> {
        let (now, id) = (self.clock.now(), GuestId(guest.id));
        // The newest line counts. Whoever waits for an older one is told.
        tx.end_enrolments_of(id, now).await?;
        for job in tx.jobs_waiting_for(id, "install").await? {
            tx.wake_job(job, now).await?;
        }
        self.issue(tx, guest, target, expires_at).await
    }

    /// Lets one agent enrol for this guest, once.
    async fn issue(
        &self,
        tx: &mut Tx,
        guest: &GuestRow,
        target: TargetId,
        expires_at: Timestamp,
    ) -> Result<Ticket, Error> {
        let (now, id) = (self.clock.now(), GuestId(guest.id));
        let secret = Zeroizing::new(self.ids.secret());
        // Begins with a letter, so that no shell takes it for an option.
        let token = Zeroizing::new(format!("m{}", URL_SAFE_NO_PAD.encode(secret.as_slice())));
        tx.insert_enrolment(&EnrolmentRow {
            id: self.ids.next(),
            guest_id: guest.id,
            target_id: Some(target.0),
            token_hash: Sha256::digest(token.as_bytes()).to_vec(),
            created_at: now.as_micros(),
            expires_at: expires_at.as_micros(),
            used_at: None,
        })
        .await?;
        if guest.agent_state == AgentState::None.as_str() {
            let expected = GuestAgent {
                state: AgentState::Enrolling.as_str(),
                version: None,
                seen_at: None,
                reason: None,
            };
            fleet::agent_changed(self, tx, id, &expected).await?;
        }
        Ok(Ticket {
            guest: guest.clone(),
            token,
        })
    }
}

impl std::fmt::Debug for GuestLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GuestLine({})", self.guest)
    }
}

impl std::fmt::Debug for NodeLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeLine({}, {:?})", self.name, self.guests)
    }
}

fn lines(scripts: &InstallScripts, tickets: &[Ticket], expires_at: Timestamp) -> Result<ByHand, UnsafeText> {
    let mut guests = Vec::new();
    for ticket in tickets {
        guests.push(GuestLine {
            guest: GuestId(ticket.guest.id),
            line: guest_line(&scripts.guest.url, &scripts.guest.sha256, &ticket.token)?,
        });
    }
    let containers = tickets
        .iter()
        .map(|ticket| &ticket.guest)
        .filter(|guest| guest.kind == GuestKind::Lxc.as_str());
    let mut nodes = Vec::new();
    for ((node, name), guests) in by_node(containers) {
        let of_node: Vec<NodeGuest> = tickets
            .iter()
            .filter(|ticket| guests.iter().any(|guest| guest.id == ticket.guest.id))
            .map(|ticket| NodeGuest {
                vmid: u32::try_from(ticket.guest.vmid).unwrap_or_default(),
                token: ticket.token.to_string(),
            })
            .collect();
        nodes.push(NodeLine {
            node: NodeId(node),
            name: name.to_owned(),
            line: node_line(&scripts.node.url, &scripts.node.sha256, &of_node)?,
            guests: guests.iter().map(|guest| GuestId(guest.id)).collect(),
        });
    }
    Ok(ByHand {
        expires_at,
        guests,
        nodes,
    })
}

async fn decide(tx: &mut Tx, selection: &Selection, wanted: Wanted) -> Result<Vec<Decided>, Error> {
    let rows = selection.read(tx).await?;
    let decide = |guest: GuestRow| -> Result<Decided, Error> {
        Ok(
            match for_install(&guest.state()?, wanted.again, wanted.opens_consoles()) {
                Ok(install) => Decided {
                    guest,
                    left_out: None,
                    install: Some(install),
                },
                Err(left_out) => Decided {
                    guest,
                    left_out: Some(left_out),
                    install: None,
                },
            },
        )
    };
    rows.into_iter().map(decide).collect()
}
