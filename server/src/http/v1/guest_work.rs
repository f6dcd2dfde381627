//! What is known of a guest's updates, and the end of its agent.

use axum::extract::State;
use muster_domain::fleet::{Severity, UpdatesState};
use muster_domain::{GuestId, Timestamp};
use muster_store::scans::UpdateRow;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::app::{App, Ctx};
use crate::http::Routes;
use crate::http::extract::{Json, Path};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(updates)).routes(routes!(remove_agent))
}

/// What could be updated in a guest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UpdateList)]
struct UpdatesView {
    state: UpdatesState,
    /// When it was last read with success.
    scanned_at: Option<Timestamp>,
    /// Why it is not known, or old.
    reason: Option<String>,
    /// By source and name. The last good ones when the last scan failed.
    items: Vec<UpdateView>,
    /// Packages that an upgrade would install anew.
    installs: Vec<PackageVersionView>,
    /// Packages that it would take away.
    removes: Vec<PackageVersionView>,
    /// Services and programs that still use files which an earlier update has replaced.
    restarts: Vec<String>,
    /// What is said of an earlier transaction that did not end.
    interrupted: Option<String>,
}

/// One version of a package.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PackageVersion)]
struct PackageVersionView {
    name: String,
    version: String,
}

/// One available change of one package.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Update)]
struct UpdateView {
    /// The package manager, e.g. `apt`.
    source: String,
    name: String,
    arch: String,
    /// The installed version; null when the package would be new.
    from: Option<String>,
    to: String,
    /// Who offers it, e.g. `Debian-Security:12/stable-security`.
    origin: Option<String>,
    /// Whether the archive calls it a security update; null where it says nothing about security.
    security: Option<bool>,
    /// How grave it calls that.
    severity: Option<Severity>,
    /// The archive's word that says so.
    evidence: Option<String>,
    /// What it fixes, such as `CVE-2026-1234`.
    fixes: Vec<String>,
    /// Whether the guest's administrator holds it back.
    held: bool,
    /// Rolled out in phases, and this guest's turn has not come: the percentage of machines reached so far.
    phased: Option<i64>,
    /// Whether its dependencies keep it from being installed now.
    kept_back: bool,
    /// Bytes to download.
    size: Option<i64>,
    /// Bytes on disk.
    installed_size: Option<i64>,
}

/// A guest without its agent.
#[derive(Debug, Serialize, ToSchema)]
struct AgentRemoved {
    /// Takes the program out of the guest, pasted into its shell. Muster no longer answers to it in any case.
    line: String,
}

/// What could be updated in a guest.
#[utoipa::path(
    get, path = "/api/v1/guests/{id}/updates", operation_id = "listGuestUpdates", tag = "guests",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = GuestId, Path, description = "The guest")),
    responses((status = 200, body = UpdatesView, description = "All of its updates")),
)]
async fn updates(State(app): State<App>, ctx: Ctx, Path(id): Path<GuestId>) -> Result<Json<UpdatesView>, Problem> {
    let (guest, besides, updates) = app.guest_updates(&ctx, id).await?;
    let packages = |packages: Vec<(String, String)>| {
        let view = |(name, version)| PackageVersionView { name, version };
        packages.into_iter().map(view).collect()
    };
    Ok(Json(UpdatesView {
        state: UpdatesState::parse(&guest.updates_state).unwrap_or(UpdatesState::Unknown),
        scanned_at: guest.updates_scanned_at.map(Timestamp::from_micros),
        reason: guest.updates_reason,
        items: updates.into_iter().map(update).collect(),
        installs: packages(besides.installs),
        removes: packages(besides.removes),
        restarts: besides.restarts,
        interrupted: besides.interrupted,
    }))
}

/// Forget a guest's agent: its key opens nothing any more.
#[utoipa::path(
    delete, path = "/api/v1/guests/{id}/agent", operation_id = "removeAgent", tag = "guests",
    extensions(("x-muster-role" = json!("operator"))),
    params(("id" = GuestId, Path, description = "The guest")),
    responses((status = 200, body = AgentRemoved, description = "Forgotten")),
)]
async fn remove_agent(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<GuestId>,
) -> Result<Json<AgentRemoved>, Problem> {
    let line = app.remove_agent(&ctx, id).await?;
    Ok(Json(AgentRemoved { line }))
}

fn update(row: UpdateRow) -> UpdateView {
    UpdateView {
        source: row.source,
        name: row.name,
        arch: row.arch,
        from: row.from_version,
        to: row.to_version,
        origin: row.origin,
        security: row.security,
        severity: row.severity.as_deref().and_then(Severity::parse),
        evidence: row.evidence,
        fixes: row.fixes.split_whitespace().map(str::to_owned).collect(),
        held: row.held,
        phased: row.phased,
        kept_back: row.kept_back,
        size: row.size,
        installed_size: row.installed_size,
    }
}
