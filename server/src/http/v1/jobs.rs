//! Jobs: what the server does, target by target, and what it said.

mod log;

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use muster_domain::install::{Consoles, InstallStep};
use muster_domain::job::Work;
use muster_domain::reach::Transport;
use muster_domain::{ClusterId, GuestId, JobId, TargetId, Timestamp};
use muster_store::job_targets::TargetRow;
use muster_store::jobs::{JobFilter, JobRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

use super::bulk::{ByHandView, by_hand};
use crate::app::jobs::job_actions;
use crate::app::{App, Ctx, Error};
use crate::http::Routes;
use crate::http::action::ActionView;
use crate::http::event_views::EventView;
use crate::http::extract::{Json, Path, Query};
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(targets))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(discover))
        .merge(log::routes())
}

/// A job's events show it as it is when they are delivered.
pub(super) fn events() -> EventView {
    EventView::new(&["job.changed"], "job", |app: App, ctx: Ctx, ids| async move {
        let mut views = HashMap::new();
        for id in ids {
            match app.job(&ctx, JobId(id)).await {
                Ok(job) => views.insert(id, view(&ctx, job)),
                Err(Error::NotFound { .. }) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(views)
    })
}

/// A piece of background work.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    id: JobId,
    /// `discover`, `scan` or `install`.
    kind: String,
    title: String,
    /// The steps of each target in their order, where the kind has some.
    steps: Vec<InstallStep>,
    /// `queued`, `running`, `succeeded`, `partly` (some targets failed), `failed` or `cancelled`.
    state: String,
    progress: ProgressView,
    /// Why it ended as it did, when that is not said by its targets.
    reason: Option<ReasonView>,
    created_at: Timestamp,
    created_by: String,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    /// The cluster it is about, where it is about one.
    cluster: Option<ClusterId>,
    /// The job whose failed targets it tries again.
    retry_of: Option<JobId>,
    actions: Vec<ActionView>,
}

/// How many targets are where.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Progress)]
struct ProgressView {
    total: i64,
    /// Over, however they ended.
    done: i64,
    failed: i64,
    skipped: i64,
}

/// Why something is as it is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Reason)]
pub(crate) struct ReasonView {
    /// Stable.
    pub(crate) code: String,
    /// What is, and what to do.
    pub(crate) detail: String,
}

/// One target of a job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobTarget)]
struct TargetView {
    id: TargetId,
    /// Null when it is no guest, or the guest is gone.
    guest: Option<TargetGuest>,
    /// Its name when the job was made.
    name: String,
    /// `queued`, `running`, `waiting`, `succeeded`, `failed`, `skipped` or `cancelled`.
    state: String,
    /// The step it is at, or ended in.
    step: Option<String>,
    /// The way it is or was worked on by.
    transport: Option<Transport>,
    reason: Option<ReasonView>,
    /// How often it was begun.
    attempt: i64,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    /// What came of it; its form depends on the kind of job.
    #[schema(value_type = Option<Object>)]
    result: Option<serde_json::Value>,
}

/// A guest as a target.
#[derive(Debug, Serialize, ToSchema)]
struct TargetGuest {
    id: GuestId,
    name: String,
    vmid: Option<i64>,
    node: Option<String>,
}

/// A job that was queued.
#[derive(Debug, Serialize, ToSchema)]
struct QueuedJob {
    job: JobView,
}

/// A job that tries again what failed in another.
#[derive(Debug, Serialize, ToSchema)]
struct RetriedJob {
    job: JobView,
    /// Fresh lines to paste, for an installation; shown this once.
    by_hand: Option<ByHandView>,
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct JobsQuery {
    /// `discover`, `scan` or `install`.
    kind: Option<String>,
    /// One of the states.
    state: Option<String>,
    /// Jobs about this cluster.
    cluster: Option<ClusterId>,
}

/// Jobs, newest first.
#[utoipa::path(
    get, path = "/api/v1/jobs", operation_id = "listJobs", tag = "jobs",
    extensions(("x-muster-role" = json!("viewer"))),
    params(JobsQuery, PageQuery),
    responses((status = 200, body = Page<JobView>, description = "One page of jobs")),
)]
async fn list(
    State(app): State<App>,
    ctx: Ctx,
    Query(which): Query<JobsQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<JobView>>, Problem> {
    let before = page.cursor.as_deref().map(str::parse).transpose();
    let filter = JobFilter {
        before: before.map_err(|_| Error::invalid("/cursor", "this is no `next` of a page of jobs: begin without"))?,
        kind: which.kind,
        state: which.state,
        cluster: which.cluster,
    };
    let rows = app.jobs_page(&ctx, &filter, page.limit() + 1).await?;
    let page = Page::cut(rows, page.limit(), |row| row.id.to_string());
    Ok(Json(page.map(|row| view(&ctx, row))))
}

/// One job.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", operation_id = "getJob", tag = "jobs",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = JobId, Path, description = "The job")),
    responses((status = 200, body = JobView, description = "The job")),
)]
async fn one(State(app): State<App>, ctx: Ctx, Path(id): Path<JobId>) -> Result<Json<JobView>, Problem> {
    Ok(Json(view(&ctx, app.job(&ctx, id).await?)))
}

/// A job's targets, each with its state and reason. None is left out.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/targets", operation_id = "listJobTargets", tag = "jobs",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = JobId, Path, description = "The job")),
    responses((status = 200, body = Page<TargetView>, description = "All targets in the job's order")),
)]
async fn targets(State(app): State<App>, ctx: Ctx, Path(id): Path<JobId>) -> Result<Json<Page<TargetView>>, Problem> {
    let rows = app.job_targets(&ctx, id).await?;
    Ok(Json(Page::whole(rows.into_iter().map(target_view).collect())))
}

/// Stop a job. What runs is told to stop, what waits is not begun, what is done stays done.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/cancel", operation_id = "cancelJob", tag = "jobs",
    extensions(("x-muster-role" = json!("operator"))),
    params(("id" = JobId, Path, description = "The job")),
    responses((status = 202, body = JobView, description = "It is being stopped")),
)]
async fn cancel(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<JobId>,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    let row = app.cancel_job(&ctx, id).await?;
    Ok((StatusCode::ACCEPTED, Json(view(&ctx, row))))
}

/// Try the failed targets of a job again, in a new job.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/retry", operation_id = "retryJob", tag = "jobs",
    extensions(("x-muster-role" = json!("operator"))),
    params(("id" = JobId, Path, description = "The job, which has ended")),
    responses((status = 202, body = RetriedJob, description = "The new job")),
)]
async fn retry(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<JobId>,
) -> Result<(StatusCode, Json<RetriedJob>), Problem> {
    let retried = app.retry_job(&ctx, id).await?;
    let answer = RetriedJob {
        job: view(&ctx, retried.job),
        by_hand: retried.by_hand.map(by_hand),
    };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// Discover a cluster now. A discovery that is under way serves as well.
#[utoipa::path(
    post, path = "/api/v1/proxmox/clusters/{id}/discover", operation_id = "discoverCluster", tag = "clusters",
    extensions(("x-muster-role" = json!("operator"))),
    params(("id" = ClusterId, Path, description = "The cluster")),
    responses((status = 202, body = QueuedJob, description = "The job that does it")),
)]
async fn discover(
    State(app): State<App>,
    ctx: Ctx,
    Path(id): Path<ClusterId>,
) -> Result<(StatusCode, Json<QueuedJob>), Problem> {
    let row = app.request_discovery(&ctx, id).await?;
    let job = view(&ctx, row);
    Ok((StatusCode::ACCEPTED, Json(QueuedJob { job })))
}

/// A job as this caller sees it.
pub(crate) fn view(ctx: &Ctx, row: JobRow) -> JobView {
    let actions = ActionView::all(job_actions(ctx, &row));
    let steps = match serde_json::from_value(row.work.0) {
        Ok(Work::Install { consoles, .. }) => InstallStep::of_job(consoles != Consoles::Leave).to_vec(),
        _ => Vec::new(),
    };
    JobView {
        id: JobId(row.id),
        progress: ProgressView {
            total: row.total,
            done: row.succeeded + row.failed + row.skipped + row.cancelled,
            failed: row.failed,
            skipped: row.skipped,
        },
        kind: row.kind,
        title: row.title,
        steps,
        state: row.state,
        reason: reason(row.reason_code, row.reason_detail),
        created_at: Timestamp::from_micros(row.created_at),
        created_by: row.created_by,
        started_at: row.started_at.map(Timestamp::from_micros),
        finished_at: row.finished_at.map(Timestamp::from_micros),
        cluster: row.cluster_id.map(ClusterId),
        retry_of: row.retry_of.map(JobId),
        actions,
    }
}

fn target_view(row: TargetRow) -> TargetView {
    let guest = |id: Uuid| TargetGuest {
        id: GuestId(id),
        name: row.name.clone(),
        vmid: row.vmid,
        node: row.node.clone(),
    };
    TargetView {
        id: TargetId(row.id),
        guest: row.guest_id.map(guest),
        state: row.state,
        step: row.step,
        transport: row.transport.as_deref().and_then(Transport::parse),
        reason: reason(row.reason_code, row.reason_detail),
        attempt: row.attempt,
        started_at: row.started_at.map(Timestamp::from_micros),
        finished_at: row.finished_at.map(Timestamp::from_micros),
        result: row.result.map(|result| result.0),
        name: row.name,
    }
}

fn reason(code: Option<String>, detail: Option<String>) -> Option<ReasonView> {
    code.zip(detail).map(|(code, detail)| ReasonView { code, detail })
}
