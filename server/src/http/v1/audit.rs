//! Who did what.

use axum::extract::State;
use muster_domain::{AuditId, Timestamp};
use muster_store::audit::AuditRow;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::{App, Ctx, Error};
use crate::http::Routes;
use crate::http::extract::{Json, Query};
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list))
}

/// One entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
struct AuditEntry {
    id: AuditId,
    at: Timestamp,
    /// Who did it.
    actor: Actor,
    /// What was done, such as `cluster.add`.
    action: String,
    /// What it was done to.
    target: Target,
    /// What else is worth knowing.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    /// The request that caused it; the server's log has it too.
    request_id: Option<Uuid>,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
struct Actor {
    /// `user`, `token`, `agent`, `system` or `command_line`.
    kind: String,
    id: Option<Uuid>,
    /// The name at that time.
    name: String,
}

/// What something was done to.
#[derive(Debug, Serialize, ToSchema)]
struct Target {
    /// Such as `cluster`.
    kind: String,
    id: Option<Uuid>,
    /// The name at that time.
    name: String,
}

/// The audit log, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "listAudit", tag = "audit",
    extensions(("x-muster-role" = json!("admin"))),
    params(PageQuery),
    responses((status = 200, body = Page<AuditEntry>, description = "A page of entries")),
)]
async fn list(
    State(app): State<App>,
    ctx: Ctx,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let before = page.cursor.as_deref().map(cursor).transpose()?;
    let rows = app.audit_page(&ctx, before, page.limit() + 1).await?;
    Ok(Json(Page::cut(rows, page.limit(), |row| row.id.to_string()).map(view)))
}

fn cursor(text: &str) -> Result<Uuid, Error> {
    text.parse()
        .map_err(|_| Error::invalid("/cursor", "send back `next` of the page before"))
}

fn view(row: AuditRow) -> AuditEntry {
    AuditEntry {
        id: AuditId(row.id),
        at: Timestamp::from_micros(row.at),
        actor: Actor {
            kind: row.actor_kind,
            id: row.actor_id,
            name: row.actor_name,
        },
        action: row.action,
        target: Target {
            kind: row.target_kind,
            id: row.target_id,
            name: row.target_name,
        },
        detail: row.detail.0,
        request_id: row.request_id,
    }
}
