//! Clusters: adding, changing, removing and testing them.

mod discoveries;
mod login;
mod report;

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use axum::http::StatusCode;
use muster_domain::{ClusterId, JobId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use zeroize::Zeroizing;

use super::health::HealthView;
use super::rollup::RollupView;
use crate::app::clusters::{ClusterEdit, NewCluster, TlsChoice};
use crate::app::fleet::Cluster;
use crate::app::{App, Ctx, Error};
use crate::http::Routes;
use crate::http::action::ActionView;
use crate::http::event_views::EventView;
use crate::http::extract::{Json, Path, Query};
use crate::http::page::Page;
use crate::http::problem::Problem;
use report::{ProbeBody, ProbeReport, TestReportView};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, add))
        .routes(routes!(one, edit, remove))
        .routes(routes!(probe))
        .routes(routes!(test_new))
        .routes(routes!(test))
        .routes(routes!(rotate))
        .merge(discoveries::routes())
        .merge(login::routes())
}

/// Events of clusters show the cluster.
pub(super) fn events() -> EventView {
    EventView::new(&["cluster.changed"], "cluster", |app: App, ctx, ids| async move {
        let mut views = HashMap::new();
        for id in ids {
            match app.cluster(&ctx, ClusterId(id)).await {
                Ok(cluster) => views.insert(id, view(cluster)),
                Err(Error::NotFound { .. }) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(views)
    })
}

/// A PVE cluster or standalone node.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Cluster)]
pub(crate) struct ClusterView {
    id: ClusterId,
    name: String,
    status: ClusterStatus,
    /// Addresses of its API, in the order they are tried.
    endpoints: Vec<String>,
    /// The token's id; its secret is never shown.
    token_id: String,
    /// A user whose password opens consoles where the token may not; the password is never shown.
    login_user: Option<String>,
    tls: TlsView,
    /// PVE version of the node that answered last.
    version: Option<String>,
    /// The name PVE gives it; null for a standalone node.
    cluster_name: Option<String>,
    /// Whether it has a majority of its votes; null for a standalone node.
    quorate: Option<bool>,
    /// Seconds between two listings.
    state_seconds: i64,
    /// Seconds until a guest's details are read again although nothing seems to have changed.
    detail_seconds: i64,
    /// When it was last read.
    last_discovered_at: Option<Timestamp>,
    /// Why it cannot be read.
    error: Option<ClusterError>,
    /// What is wrong, as of the last time it could be read.
    health: HealthView,
    /// The one thing to do next; null when all is well.
    next_step: Option<NextStepView>,
    rollup: RollupView,
    /// The discovery that somebody asked for and that has not ended.
    discovery: Option<JobId>,
    actions: Vec<ActionView>,
}

/// Whether a cluster is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ClusterStatus {
    /// It is.
    Active,
    /// Somebody does not want it to be.
    Paused,
    /// It cannot be; `error` says why.
    Error,
}

/// How a cluster's certificates are judged.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ClusterTls)]
struct TlsView {
    mode: TlsMode,
    /// The certificate somebody accepted, SHA-256; in mode `pinned`.
    accepted: Option<String>,
    /// The certificate of each node, SHA-256, as the cluster tells it.
    fingerprints: BTreeMap<String, String>,
}

/// How certificates are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TlsMode {
    /// As a browser does.
    System,
    /// One was accepted; those of all nodes follow from it.
    Pinned,
    /// Those that the cluster's own authority has signed.
    ClusterCa,
}

/// Why a cluster cannot be read.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct ClusterError {
    /// Stable; docs/errors.md explains it.
    code: String,
    /// What happened, and what to do.
    detail: String,
    since: Option<Timestamp>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = NextStep)]
struct NextStepView {
    /// What is, and what to do.
    text: String,
    /// The action of the cluster that does it.
    action: &'static str,
    /// The cluster.
    target: ClusterId,
}

/// A cluster to add.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCluster)]
#[serde(deny_unknown_fields)]
struct NewClusterBody {
    /// Its name here, 1 to 100 characters.
    name: String,
    /// Addresses of its API; the port is 8006 unless said.
    endpoints: Vec<String>,
    /// `user@realm!name`.
    token_id: String,
    /// The token's secret, as PVE showed it once.
    token_secret: String,
    tls: TlsBody,
    /// Seconds between two listings, 2 to 3600; 10 by default.
    state_seconds: Option<i64>,
    /// Seconds until details are old, 300 to 604800; 3600 by default.
    detail_seconds: Option<i64>,
}

/// How certificates are to be judged.
#[derive(Deserialize, ToSchema)]
#[schema(as = TlsChoice)]
#[serde(deny_unknown_fields)]
struct TlsBody {
    mode: TlsMode,
    /// SHA-256 of the certificate you accept; with `pinned`.
    fingerprint: Option<String>,
    /// The authority in PEM form; with `cluster_ca`.
    ca_pem: Option<String>,
}

/// What is to change; fields that are missing stay.
#[derive(Deserialize, ToSchema)]
#[schema(as = ClusterEdit)]
#[serde(deny_unknown_fields)]
struct ClusterEditBody {
    name: Option<String>,
    endpoints: Option<Vec<String>>,
    tls: Option<TlsBody>,
    state_seconds: Option<i64>,
    detail_seconds: Option<i64>,
    /// Whether Muster leaves the cluster alone.
    paused: Option<bool>,
}

/// Another token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClusterToken {
    /// `user@realm!name`; without it the id stays and only the secret is new.
    token_id: Option<String>,
    token_secret: String,
}

/// Whether to do it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct RemoveQuery {
    /// Only say what would go.
    dry_run: Option<bool>,
}

/// What goes with a cluster.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClusterRemoval)]
struct RemovalView {
    /// Whether it is gone; false for a dry run.
    removed: bool,
    nodes: usize,
    guests: usize,
    /// Agents that can no longer connect; uninstall them in their guests.
    agents: usize,
}

/// All clusters, by name.
#[utoipa::path(
    get, path = "/api/v1/proxmox/clusters", operation_id = "listClusters", tag = "clusters",
    extensions(("x-muster-role" = json!("viewer"))),
    responses((status = 200, body = Page<ClusterView>, description = "All clusters")),
)]
async fn list(State(app): State<App>, ctx: Ctx) -> Result<Json<Page<ClusterView>>, Problem> {
    let clusters = app.clusters(&ctx).await?;
    Ok(Json(Page::whole(clusters.into_iter().map(view).collect())))
}

/// Add a cluster. It is tested first; its discovery follows by itself.
#[utoipa::path(
    post, path = "/api/v1/proxmox/clusters", operation_id = "addCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("admin"))),
    request_body = NewClusterBody,
    responses((status = 201, body = ClusterView, description = "Added")),
)]
async fn add(
    State(app): State<App>,
    ctx: Ctx,
    Json(body): Json<NewClusterBody>,
) -> Result<(StatusCode, Json<ClusterView>), Problem> {
    let cluster = app.add_cluster(&ctx, new_cluster(body)?).await?;
    Ok((StatusCode::CREATED, Json(view(cluster))))
}

/// One cluster.
#[utoipa::path(
    get, path = "/api/v1/proxmox/clusters/{id}", operation_id = "getCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = ClusterId, Path, description = "The cluster")),
    responses((status = 200, body = ClusterView, description = "The cluster")),
)]
async fn one(State(app): State<App>, ctx: Ctx, Path(id): Path<ClusterId>) -> Result<Json<ClusterView>, Problem> {
    Ok(Json(view(app.cluster(&ctx, id).await?)))
}

/// Change a cluster's settings. New addresses and certificates are tested first.
#[utoipa::path(
    patch, path = "/api/v1/proxmox/clusters/{id}", operation_id = "editCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("admin"))),
    params(("id" = ClusterId, Path, description = "The cluster")),
    request_body = ClusterEditBody,
    responses((status = 200, body = ClusterView, description = "Changed")),
)]
async fn edit(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<ClusterId>,
    Json(body): Json<ClusterEditBody>,
) -> Result<Json<ClusterView>, Problem> {
    let edit = ClusterEdit {
        name: body.name,
        endpoints: body.endpoints,
        tls: body.tls.map(tls).transpose()?,
        state_seconds: body.state_seconds,
        detail_seconds: body.detail_seconds,
        paused: body.paused,
    };
    Ok(Json(view(app.edit_cluster(&ctx, id, edit).await?)))
}

/// Remove a cluster with everything Muster knows of it, or say what would go. Nothing changes in PVE.
#[utoipa::path(
    delete, path = "/api/v1/proxmox/clusters/{id}", operation_id = "removeCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("admin"))),
    params(("id" = ClusterId, Path, description = "The cluster"), RemoveQuery),
    responses((status = 200, body = RemovalView, description = "What has gone, or would go")),
)]
async fn remove(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<ClusterId>,
    Query(query): Query<RemoveQuery>,
) -> Result<Json<RemovalView>, Problem> {
    let dry_run = query.dry_run.unwrap_or(false);
    let removal = app.remove_cluster(&ctx, id, dry_run).await?;
    Ok(Json(RemovalView {
        removed: !dry_run,
        nodes: removal.nodes,
        guests: removal.guests,
        agents: removal.agents,
    }))
}

/// Look at the certificate of an address, for a person to accept. Sends no token.
#[utoipa::path(
    post, path = "/api/v1/proxmox/probe", operation_id = "probeCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("admin"))),
    request_body = ProbeBody,
    responses((status = 200, body = ProbeReport, description = "The certificate, and how to make a token")),
)]
async fn probe(State(app): State<App>, ctx: Ctx, Json(body): Json<ProbeBody>) -> Result<Json<ProbeReport>, Problem> {
    let (endpoint, shown) = app.probe_pve(&ctx, &body.url).await?;
    Ok(Json(report::of_probe(&endpoint, shown)))
}

/// Test a cluster before it is added.
#[utoipa::path(
    post, path = "/api/v1/proxmox/clusters/test", operation_id = "testNewCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("admin"))),
    request_body = NewClusterBody,
    responses((status = 200, body = TestReportView, description = "What the token sees and may do")),
)]
async fn test_new(
    State(app): State<App>,
    ctx: Ctx,
    Json(body): Json<NewClusterBody>,
) -> Result<Json<TestReportView>, Problem> {
    Ok(Json(report::of_test(
        app.test_new_cluster(&ctx, &new_cluster(body)?).await?,
    )))
}

/// Test a cluster as it is stored.
#[utoipa::path(
    post, path = "/api/v1/proxmox/clusters/{id}/test", operation_id = "testCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("operator"))),
    params(("id" = ClusterId, Path, description = "The cluster")),
    responses((status = 200, body = TestReportView, description = "What the token sees and may do")),
)]
async fn test(State(app): State<App>, ctx: Ctx, Path(id): Path<ClusterId>) -> Result<Json<TestReportView>, Problem> {
    Ok(Json(report::of_test(app.test_cluster(&ctx, id).await?)))
}

/// Give a cluster another token. It is tested before it replaces the old one.
#[utoipa::path(
    post, path = "/api/v1/proxmox/clusters/{id}/token", operation_id = "rotateClusterToken", tag = "clusters",
    extensions(("x-muster-role" = json!("admin"))),
    params(("id" = ClusterId, Path, description = "The cluster")),
    request_body = ClusterToken,
    responses((status = 200, body = ClusterView, description = "Replaced")),
)]
async fn rotate(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<ClusterId>,
    Json(body): Json<ClusterToken>,
) -> Result<Json<ClusterView>, Problem> {
    let secret = Zeroizing::new(body.token_secret);
    Ok(Json(view(
        app.rotate_cluster_token(&ctx, id, body.token_id, secret).await?,
    )))
}

/// A cluster as it stands in lists and trees.
pub(crate) fn view(cluster: Cluster) -> ClusterView {
    let Cluster {
        row,
        listed_at,
        rollup,
        discovery,
        next_step,
        actions,
    } = cluster;
    let id = ClusterId(row.id);
    let error = row.error_code.map(|code| ClusterError {
        code,
        detail: row.error_detail.unwrap_or_default(),
        since: row.error_since.map(Timestamp::from_micros),
    });
    ClusterView {
        id,
        name: row.name,
        status: match (row.paused, &error) {
            (true, _) => ClusterStatus::Paused,
            (false, Some(_)) => ClusterStatus::Error,
            (false, None) => ClusterStatus::Active,
        },
        endpoints: row.endpoints.0,
        token_id: row.token_id,
        login_user: row.login_user,
        tls: TlsView {
            mode: match row.tls_mode.as_str() {
                "pinned" => TlsMode::Pinned,
                "cluster_ca" => TlsMode::ClusterCa,
                _ => TlsMode::System,
            },
            accepted: row.accepted,
            fingerprints: row.fingerprints.0,
        },
        version: row.version,
        cluster_name: row.cluster_name,
        quorate: row.quorate,
        state_seconds: row.state_seconds,
        detail_seconds: row.detail_seconds,
        last_discovered_at: row.last_discovered_at.map(Timestamp::from_micros).max(listed_at),
        health: HealthView::of(
            error
                .as_ref()
                .map(|error| (error.code.clone(), error.detail.clone(), error.since)),
            row.health.0,
        ),
        error,
        next_step: next_step.map(|step| NextStepView {
            text: step.text,
            action: step.action,
            target: id,
        }),
        rollup: rollup.into(),
        discovery,
        actions: ActionView::all(actions),
    }
}

fn new_cluster(body: NewClusterBody) -> Result<NewCluster, Error> {
    Ok(NewCluster {
        name: body.name,
        endpoints: body.endpoints,
        token_id: body.token_id,
        token_secret: Zeroizing::new(body.token_secret),
        tls: tls(body.tls)?,
        state_seconds: body.state_seconds,
        detail_seconds: body.detail_seconds,
    })
}

fn tls(body: TlsBody) -> Result<TlsChoice, Error> {
    match (body.mode, body.fingerprint, body.ca_pem) {
        (TlsMode::System, _, _) => Ok(TlsChoice::System),
        (TlsMode::Pinned, Some(fingerprint), _) => Ok(TlsChoice::Pinned { fingerprint }),
        (TlsMode::ClusterCa, _, Some(pem)) => Ok(TlsChoice::ClusterCa { pem }),
        (TlsMode::Pinned, None, _) => Err(Error::invalid(
            "/tls/fingerprint",
            "give the fingerprint you accept; probe the address to see it",
        )),
        (TlsMode::ClusterCa, _, None) => Err(Error::invalid(
            "/tls/ca_pem",
            "give the authority: the text of /etc/pve/pve-root-ca.pem",
        )),
    }
}
