//! Actions on many guests at once. A preview and the real thing give the same answer; only the latter has a job.

use axum::extract::State;
use axum::http::StatusCode;
use muster_domain::install::Consoles;
use muster_domain::reach::Transport;
use muster_domain::{ClusterId, GuestId, Timestamp};
use muster_store::guests::GuestRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::jobs::{JobView, ReasonView, view};
use crate::app::installs::{ByHand, Wanted};
use crate::app::selection::{Bulk, Decided, Selection};
use crate::app::{App, Ctx};
use crate::http::Routes;
use crate::http::extract::{Json, Path};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(scan))
        .routes(routes!(scan_cluster))
        .routes(routes!(install))
        .routes(routes!(install_cluster))
        .routes(routes!(install_one))
}

/// Which guests are to be scanned.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct ScanBody {
    /// The guests; for a cluster, all of it without them.
    guests: Option<Vec<GuestId>>,
    /// Only say what would be done.
    dry_run: bool,
}

/// In which guests the agent is to be installed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct InstallBody {
    /// The guests; for a cluster, all of it without them.
    guests: Option<Vec<GuestId>>,
    /// Only say what would be done.
    dry_run: bool,
    /// Take guests too whose agent works, to replace it.
    reinstall: bool,
    /// What may be done to the consoles of containers that nothing else leads into; `leave` unless said. They are put back
    /// when the agent is online.
    consoles: Option<Consoles>,
}

/// How the agent is to be installed in one guest.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct InstallOneBody {
    /// Only say what would be done.
    dry_run: bool,
    /// Replace an agent that works.
    reinstall: bool,
    /// What may be done to its console where nothing else leads in; `leave` unless said.
    consoles: Option<Consoles>,
}

/// What becomes of each guest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bulk)]
struct BulkView {
    /// The job that does it; null for a preview, and when no guest was accepted.
    job: Option<JobView>,
    /// Every guest that was asked for.
    targets: Vec<DecidedView>,
    /// What a person pastes where no way is sure to lead in; shown this once.
    by_hand: Option<ByHandView>,
}

/// What was decided for one guest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decided)]
struct DecidedView {
    guest: GuestRef,
    decision: Decision,
    /// Why it is skipped.
    reason: Option<ReasonView>,
    /// How the agent gets into an accepted guest, of an installation.
    install: Option<InstallView>,
}

/// How the agent gets into a guest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InstallWays)]
struct InstallView {
    /// The ways that are tried, in this order.
    ways: Vec<Transport>,
    /// Whether its console is made to show a shell first (`cmode=shell`).
    opens_console: bool,
    /// Whether `consoles` would open a way where there is none.
    may_open_console: bool,
    /// Whether there is a line to paste, for the case that no way leads in.
    by_hand: bool,
}

/// Whether a guest is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Decision {
    /// It is.
    Accepted,
    /// It is left out.
    Skipped,
}

/// A guest by its names.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct GuestRef {
    id: GuestId,
    name: String,
    vmid: i64,
    node: String,
}

/// Lines to paste. Each token in them can be used once, within the time given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ByHand)]
pub(super) struct ByHandView {
    /// One line for each guest, for its own shell.
    guests: Vec<GuestLineView>,
    /// One line for each node, for the node's shell: it serves all containers named.
    nodes: Vec<NodeLineView>,
}

/// The line of a guest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GuestLine)]
struct GuestLineView {
    guest: GuestId,
    line: String,
    expires_at: Timestamp,
}

/// The line of a node.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NodeLine)]
struct NodeLineView {
    /// The node's name.
    node: String,
    line: String,
    guests: Vec<GuestId>,
    expires_at: Timestamp,
}

type Answer = Result<(StatusCode, Json<BulkView>), Problem>;

/// Scan guests for updates. Guests that cannot be scanned are skipped with the reason.
#[utoipa::path(
    post, path = "/api/v1/guests/bulk-scan", operation_id = "scanGuests", tag = "guests",
    extensions(("x-muster-role" = json!("operator"))),
    request_body = ScanBody,
    responses(
        (status = 200, body = BulkView, description = "What would be done"),
        (status = 202, body = BulkView, description = "It is being done"),
    ),
)]
async fn scan(State(app): State<App>, ctx: Ctx, Json(body): Json<ScanBody>) -> Answer {
    let selection = Selection {
        cluster: None,
        guests: Some(body.guests.unwrap_or_default()),
    };
    let bulk = app.bulk_scan(&ctx, &selection, body.dry_run).await?;
    Ok(answer(&ctx, bulk, body.dry_run))
}

/// Scan a cluster's guests for updates.
#[utoipa::path(
    post, path = "/api/v1/proxmox/clusters/{id}/bulk-scan", operation_id = "scanCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("operator"))),
    params(("id" = ClusterId, Path, description = "The cluster")),
    request_body = ScanBody,
    responses(
        (status = 200, body = BulkView, description = "What would be done"),
        (status = 202, body = BulkView, description = "It is being done"),
    ),
)]
async fn scan_cluster(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<ClusterId>,
    Json(body): Json<ScanBody>,
) -> Answer {
    let selection = Selection {
        cluster: Some(id),
        guests: body.guests,
    };
    let bulk = app.bulk_scan(&ctx, &selection, body.dry_run).await?;
    Ok(answer(&ctx, bulk, body.dry_run))
}

/// Install the agent in guests: through Proxmox VE where a way leads in, else by lines that somebody pastes.
#[utoipa::path(
    post, path = "/api/v1/guests/bulk-install", operation_id = "installAgents", tag = "guests",
    extensions(("x-muster-role" = json!("operator"))),
    request_body = InstallBody,
    responses(
        (status = 200, body = BulkView, description = "What would be done"),
        (status = 202, body = BulkView, description = "The job, and lines to paste where no way is sure"),
    ),
)]
async fn install(State(app): State<App>, ctx: Ctx, Json(body): Json<InstallBody>) -> Answer {
    let selection = Selection {
        cluster: None,
        guests: Some(body.guests.unwrap_or_default()),
    };
    let wanted = Wanted {
        again: body.reinstall,
        consoles: body.consoles.unwrap_or(Consoles::Leave),
    };
    let bulk = app.bulk_install(&ctx, &selection, wanted, body.dry_run).await?;
    Ok(answer(&ctx, bulk, body.dry_run))
}

/// Install the agent in a cluster's guests.
#[utoipa::path(
    post, path = "/api/v1/proxmox/clusters/{id}/bulk-install", operation_id = "installAgentsInCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("operator"))),
    params(("id" = ClusterId, Path, description = "The cluster")),
    request_body = InstallBody,
    responses(
        (status = 200, body = BulkView, description = "What would be done"),
        (status = 202, body = BulkView, description = "The job, and lines to paste where no way is sure"),
    ),
)]
async fn install_cluster(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<ClusterId>,
    Json(body): Json<InstallBody>,
) -> Answer {
    let selection = Selection {
        cluster: Some(id),
        guests: body.guests,
    };
    let wanted = Wanted {
        again: body.reinstall,
        consoles: body.consoles.unwrap_or(Consoles::Leave),
    };
    let bulk = app.bulk_install(&ctx, &selection, wanted, body.dry_run).await?;
    Ok(answer(&ctx, bulk, body.dry_run))
}

/// Install the agent in one guest.
#[utoipa::path(
    post, path = "/api/v1/proxmox/lxcs/{id}/install-agent", operation_id = "installAgent", tag = "guests",
    extensions(("x-muster-role" = json!("operator"))),
    params(("id" = GuestId, Path, description = "The guest")),
    request_body = InstallOneBody,
    responses(
        (status = 200, body = BulkView, description = "What would be done"),
        (status = 202, body = BulkView, description = "The job, and a line to paste where no way is sure"),
    ),
)]
async fn install_one(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<GuestId>,
    Json(body): Json<InstallOneBody>,
) -> Answer {
    app.guest(&ctx, id).await?;
    let selection = Selection {
        cluster: None,
        guests: Some(vec![id]),
    };
    let wanted = Wanted {
        again: body.reinstall,
        consoles: body.consoles.unwrap_or(Consoles::Leave),
    };
    let bulk = app.bulk_install(&ctx, &selection, wanted, body.dry_run).await?;
    Ok(answer(&ctx, bulk, body.dry_run))
}

fn answer(ctx: &Ctx, bulk: Bulk, dry_run: bool) -> (StatusCode, Json<BulkView>) {
    let status = if dry_run { StatusCode::OK } else { StatusCode::ACCEPTED };
    let answer = BulkView {
        job: bulk.job.map(|job| view(ctx, job)),
        targets: bulk.decided.into_iter().map(decided).collect(),
        by_hand: bulk.by_hand.map(by_hand),
    };
    (status, Json(answer))
}

fn decided(one: Decided) -> DecidedView {
    DecidedView {
        decision: match one.left_out {
            None => Decision::Accepted,
            Some(_) => Decision::Skipped,
        },
        reason: one.left_out.map(|left| ReasonView {
            code: left.code.to_owned(),
            detail: left.detail,
        }),
        install: one.install.map(|install| InstallView {
            ways: install.ways,
            opens_console: install.opens_console,
            may_open_console: install.may_open_console,
            by_hand: install.by_hand,
        }),
        guest: guest_ref(one.guest),
    }
}

fn guest_ref(row: GuestRow) -> GuestRef {
    GuestRef {
        id: GuestId(row.id),
        name: row.name,
        vmid: row.vmid,
        node: row.node,
    }
}

pub(super) fn by_hand(lines: ByHand) -> ByHandView {
    let expires_at = lines.expires_at;
    let guests = lines.guests.into_iter().map(|line| GuestLineView {
        guest: line.guest,
        line: line.line,
        expires_at,
    });
    let nodes = lines.nodes.into_iter().map(|line| NodeLineView {
        node: line.name,
        line: line.line,
        guests: line.guests,
        expires_at,
    });
    ByHandView {
        guests: guests.collect(),
        nodes: nodes.collect(),
    }
}
