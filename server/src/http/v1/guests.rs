//! Guests: the list over all clusters, and one with the ways into it.

use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use muster_domain::fleet::{AgentState, Backup, GuestKind, GuestStatus, UpdatesState};
use muster_domain::job::TargetState;
use muster_domain::reach::{Transport, Way, WayState};
use muster_domain::rollup::Tick;
use muster_domain::{ClusterId, GuestId, JobId, NodeId, Timestamp};
use muster_store::guest_list::GuestFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

use crate::app::fleet::Guest;
use crate::app::{App, Ctx, Error};
use crate::http::Routes;
use crate::http::action::ActionView;
use crate::http::event_views::EventView;
use crate::http::extract::{Json, Path, Query};
use crate::http::page::PageQuery;
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list)).routes(routes!(one))
}

/// Events of guests show the guest.
pub(super) fn events() -> EventView {
    EventView::new(
        &["guest.changed", "updates.changed"],
        "guest",
        |app: App, ctx, ids| async move {
            let ids: Vec<GuestId> = ids.into_iter().map(GuestId).collect();
            let guests = app.guests_by_id(&ctx, &ids).await?;
            Ok(guests.into_iter().map(|guest| (guest.row.id, view(guest))).collect())
        },
    )
}

/// A container or VM.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Guest)]
pub(crate) struct GuestView {
    id: GuestId,
    cluster: ClusterId,
    node_id: NodeId,
    /// The name of its node.
    node: String,
    /// Its number in PVE; with the cluster it names the guest wherever it migrates.
    vmid: i64,
    kind: GuestKind,
    name: String,
    /// What it does, as last heard.
    status: GuestStatus,
    /// Since when that is old.
    stale_since: Option<Timestamp>,
    /// Why it is old; null also when the agent inside says that the guest runs.
    stale_reason: Option<String>,
    /// What holds it, such as `backup`.
    lock: Option<String>,
    template: bool,
    tags: Vec<String>,
    pool: Option<String>,
    system: Option<SystemView>,
    /// The address one would try first.
    address: Option<String>,
    addresses: Vec<String>,
    cpus: Option<f64>,
    /// In bytes.
    memory_max: Option<i64>,
    /// Its first disk, in bytes.
    disk_max: Option<i64>,
    /// Containers only: whether root inside is nobody outside.
    unprivileged: Option<bool>,
    /// Containers only: what the console shows, `tty`, `console` or `shell`.
    cmode: Option<String>,
    /// Containers only: whether it has mount points beside its root.
    has_mounts: Option<bool>,
    backup: Backup,
    agent: AgentView,
    updates: UpdatesView,
    reach: ReachView,
    /// The job that is at work in it.
    work: Option<WorkView>,
    /// Its mark in the roll call.
    tick: Tick,
    first_seen_at: Timestamp,
    /// Since when it no longer exists.
    gone_at: Option<Timestamp>,
    actions: Vec<ActionView>,
}

/// Which system a guest has.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = GuestSystem)]
struct SystemView {
    /// Such as `debian`.
    id: String,
    /// Such as `Debian GNU/Linux 13 (trixie)`.
    name: String,
}

/// The agent in a guest.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = GuestAgent)]
struct AgentView {
    state: AgentState,
    version: Option<String>,
    last_seen_at: Option<Timestamp>,
    /// Why its state is not what one wants.
    reason: Option<String>,
}

/// What a job does in a guest now. A job whose turn has not come there does not show.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = GuestWork)]
struct WorkView {
    job: JobId,
    /// The job's kind, such as `scan` or `install`.
    kind: String,
    /// `running`, or `waiting` for something outside, like a person who pastes a line.
    state: TargetState,
    /// The step it is at.
    step: Option<String>,
}

/// What is known of a guest's updates.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = GuestUpdates)]
struct UpdatesView {
    state: UpdatesState,
    /// Null unless fresh or stale.
    total: Option<i64>,
    /// Security updates among them.
    security: Option<i64>,
    scanned_at: Option<Timestamp>,
    /// Why they are not known.
    reason: Option<String>,
    reboot_required: Option<bool>,
}

/// How a command gets into a guest.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Reach)]
struct ReachView {
    /// The first way that is ready.
    best: Option<Transport>,
    /// Its name for people.
    label: &'static str,
    /// The step that would open a better way.
    needs_step: Option<String>,
    /// All ways, preferred ones first; on the page of a single guest only.
    #[serde(skip_serializing_if = "Option::is_none")]
    ways: Option<Vec<WayView>>,
}

/// One way into a guest.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Way)]
struct WayView {
    transport: Transport,
    label: &'static str,
    state: WayState,
    /// Why, in a sentence.
    reason: String,
    /// The action that does the step.
    action: Option<&'static str>,
}

/// One page of guests.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GuestPage)]
struct GuestPageView {
    items: Vec<GuestView>,
    /// Send it as `cursor` to get the next page; null on the last one.
    next: Option<String>,
    /// How many guests pass the filter, when `total=true` was sent.
    total: Option<i64>,
}

/// Which guests.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct GuestQuery {
    /// Of this cluster.
    cluster: Option<ClusterId>,
    /// On this node: its id or its name.
    node: Option<String>,
    kind: Option<GuestKind>,
    status: Option<GuestStatus>,
    /// With an agent in this state.
    agent: Option<AgentState>,
    /// With updates in this state, or with updates or security updates that wait.
    #[param(inline)]
    updates: Option<UpdatesFilter>,
    /// Whose best way in is this.
    reach: Option<Transport>,
    /// With this tag.
    tag: Option<String>,
    /// Part of the name or of an address, or the number.
    q: Option<String>,
    /// Whether to count all that pass.
    total: Option<bool>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// How many at most: 1 to 1000, 100 by default.
    limit: Option<u32>,
}

/// What a filter of updates can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum UpdatesFilter {
    /// Some wait.
    Available,
    /// Security updates wait.
    Security,
    /// Their state is this one.
    #[serde(untagged)]
    State(UpdatesState),
}

/// Guests of all clusters, by name.
#[utoipa::path(
    get, path = "/api/v1/guests", operation_id = "listGuests", tag = "guests",
    extensions(("x-muster-role" = json!("viewer"))),
    params(GuestQuery),
    responses((status = 200, body = GuestPageView, description = "One page of the guests that pass the filter")),
)]
async fn list(
    State(app): State<App>,
    ctx: Ctx,
    Query(query): Query<GuestQuery>,
) -> Result<Json<GuestPageView>, Problem> {
    let after = query.cursor.as_deref().map(read_cursor).transpose()?;
    let after = after.as_ref().map(|(name, id)| (name.as_str(), *id));
    let limit = PageQuery {
        cursor: None,
        limit: query.limit,
    }
    .limit();
    let count = query.total.unwrap_or(false);
    let page = app.guests(&ctx, &filter(query), after, limit, count).await?;
    let next = page.guests.last().filter(|_| page.more).map(cursor);
    Ok(Json(GuestPageView {
        items: page.guests.into_iter().map(view).collect(),
        next,
        total: page.total,
    }))
}

/// One guest with all ways into it.
#[utoipa::path(
    get, path = "/api/v1/guests/{id}", operation_id = "getGuest", tag = "guests",
    extensions(("x-muster-role" = json!("viewer"))),
    params(("id" = GuestId, Path, description = "The guest")),
    responses((status = 200, body = GuestView, description = "The guest, also when it is gone")),
)]
async fn one(State(app): State<App>, ctx: Ctx, Path(id): Path<GuestId>) -> Result<Json<GuestView>, Problem> {
    let (guest, ways) = app.guest(&ctx, id).await?;
    let mut view = view(guest);
    view.reach.ways = Some(ways.into_iter().map(way).collect());
    Ok(Json(view))
}

/// A guest as a row of a list or tree.
pub(crate) fn view(guest: Guest) -> GuestView {
    let Guest {
        row,
        state,
        tick,
        actions,
    } = guest;
    let addresses: Vec<String> = row.addresses.split_whitespace().map(str::to_owned).collect();
    let best = row.reach_best.as_deref().and_then(Transport::parse);
    GuestView {
        id: GuestId(row.id),
        cluster: ClusterId(row.cluster_id),
        node_id: NodeId(row.node_id),
        node: row.node,
        vmid: row.vmid,
        kind: state.kind,
        name: row.name,
        status: state.status,
        stale_since: row.stale_since.map(Timestamp::from_micros),
        stale_reason: row.stale_since.and(state.silence()),
        lock: row.lock,
        template: row.template,
        tags: row
            .tags
            .split(';')
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        pool: row.pool,
        system: row.system_id.map(|id| SystemView {
            name: row.system_name.unwrap_or_else(|| id.clone()),
            id,
        }),
        address: addresses.first().cloned(),
        addresses,
        cpus: row.cpus,
        memory_max: row.memory_max,
        disk_max: row.disk_max,
        unprivileged: row.unprivileged,
        cmode: row.cmode,
        has_mounts: row.has_mounts,
        backup: state.backup,
        agent: AgentView {
            state: state.agent,
            version: row.agent_version,
            last_seen_at: row.agent_seen_at.map(Timestamp::from_micros),
            reason: row.agent_reason,
        },
        updates: UpdatesView {
            state: state.updates,
            total: row.updates_total,
            security: row.updates_security,
            scanned_at: row.updates_scanned_at.map(Timestamp::from_micros),
            reason: row.updates_reason,
            reboot_required: row.reboot_required,
        },
        reach: ReachView {
            best,
            label: best.map_or("no way in", Transport::label),
            needs_step: row.reach_needs,
            ways: None,
        },
        work: work(row.work_job, row.work_kind, state.work, row.work_step),
        tick,
        first_seen_at: Timestamp::from_micros(row.first_seen_at),
        gone_at: row.gone_at.map(Timestamp::from_micros),
        actions: ActionView::all(actions),
    }
}

fn work(job: Option<Uuid>, kind: Option<String>, state: Option<TargetState>, step: Option<String>) -> Option<WorkView> {
    Some(WorkView {
        job: JobId(job?),
        kind: kind?,
        state: state?,
        step,
    })
}

fn way(way: Way) -> WayView {
    WayView {
        transport: way.transport,
        label: way.transport.label(),
        state: way.state,
        reason: way.reason,
        action: way.action,
    }
}

fn filter(query: GuestQuery) -> GuestFilter {
    let node = query.node.as_deref().and_then(|text| text.parse().ok()).map(NodeId);
    let (updates, least_updates, least_security) = match query.updates {
        None => (None, 0, 0),
        Some(UpdatesFilter::Available) => (None, 1, 0),
        Some(UpdatesFilter::Security) => (None, 0, 1),
        Some(UpdatesFilter::State(state)) => (Some(state.as_str().to_owned()), 0, 0),
    };
    GuestFilter {
        cluster: query.cluster,
        node_name: query.node.filter(|_| node.is_none()),
        node,
        kind: query.kind.map(|word| word.as_str().to_owned()),
        status: query.status.map(|word| word.as_str().to_owned()),
        agent: query.agent.map(|word| word.as_str().to_owned()),
        reach: query.reach.map(|word| word.as_str().to_owned()),
        updates,
        least_updates,
        least_security,
        tag: query.tag,
        text: query
            .q
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty()),
    }
}

fn cursor(last: &Guest) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{}{}", last.row.id.simple(), last.row.name))
}

fn read_cursor(text: &str) -> Result<(String, GuestId), Error> {
    let wrong = || Error::invalid("/cursor", "this is no `next` of a page of guests: begin without cursor");
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    let (id, name) = text.split_at_checked(32).ok_or_else(wrong)?;
    Ok((name.to_owned(), id.parse().map_err(|_| wrong())?))
}
