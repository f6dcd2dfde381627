//! What is out of date over all guests, by package.

use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use muster_domain::ClusterId;
use muster_domain::fleet::Severity;
use muster_store::fleet_updates::PackageFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::app::scans::OutdatedPackage;
use crate::app::{App, Ctx, Error};
use crate::http::Routes;
use crate::http::extract::{Json, Query};
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list))
}

/// A package that could be updated in at least one guest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OutdatedPackage)]
struct PackageView {
    name: String,
    /// Where its updates come from, such as `apt`.
    source: String,
    /// In how many guests.
    guests: i64,
    /// Whether the metadata calls one of the updates a security update; null where it says nothing about security.
    security: Option<bool>,
    /// How grave it calls the gravest.
    severity: Option<Severity>,
    /// In how many guests somebody holds the package back.
    held: i64,
    /// The versions it would get, the most frequent ones first.
    versions: Vec<OfferedVersion>,
}

/// A version in which a package is offered.
#[derive(Debug, Serialize, ToSchema)]
struct OfferedVersion {
    version: String,
    /// In how many guests.
    guests: i64,
}

/// Which packages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PackageQuery {
    /// Part of the name.
    q: Option<String>,
    /// Those with a security update only.
    security: Option<bool>,
    /// Of this source, such as `apt`.
    source: Option<String>,
    /// In guests of this cluster.
    cluster: Option<ClusterId>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// How many at most: 1 to 1000, 100 by default.
    limit: Option<u32>,
}

/// What is out of date over all guests, by package.
#[utoipa::path(
    get, path = "/api/v1/updates/packages", operation_id = "listOutdatedPackages", tag = "guests",
    extensions(("x-muster-role" = json!("viewer"))),
    params(PackageQuery),
    responses((status = 200, body = Page<PackageView>, description = "One page of packages by name and source")),
)]
async fn list(
    State(app): State<App>,
    ctx: Ctx,
    Query(query): Query<PackageQuery>,
) -> Result<Json<Page<PackageView>>, Problem> {
    let (name, source) = match query.cursor.as_deref() {
        Some(cursor) => read_cursor(cursor)?,
        None => (String::new(), String::new()),
    };
    let limit = PageQuery {
        cursor: None,
        limit: query.limit,
    }
    .limit();
    let filter = PackageFilter {
        cluster: query.cluster.map(|id| id.0),
        text: query
            .q
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty()),
        source: query.source,
        security: query.security.unwrap_or(false),
    };
    let packages = app.outdated_packages(&ctx, &filter, (&name, &source), limit).await?;
    Ok(Json(Page::cut(packages, limit, cursor).map(view)))
}

fn view(package: OutdatedPackage) -> PackageView {
    let OutdatedPackage { row, versions } = package;
    let security = match (row.security, row.silent) {
        (0, 0) => Some(false),
        (0, _) => None,
        _ => Some(true),
    };
    let versions = versions.into_iter().map(|version| OfferedVersion {
        version: version.to_version,
        guests: version.guests,
    });
    PackageView {
        name: row.name,
        source: row.source,
        guests: row.guests,
        security,
        severity: usize::try_from(row.severity - 1)
            .ok()
            .and_then(|place| Severity::ALL.get(place).copied()),
        held: row.held,
        versions: versions.collect(),
    }
}

fn cursor(last: &OutdatedPackage) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{}\n{}", last.row.source, last.row.name))
}

fn read_cursor(text: &str) -> Result<(String, String), Error> {
    let wrong = || {
        Error::invalid(
            "/cursor",
            "this is no `next` of a page of packages: begin without cursor",
        )
    };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    let (source, name) = text.split_once('\n').ok_or_else(wrong)?;
    Ok((name.to_owned(), source.to_owned()))
}
