//! What admins set at run time.

use axum::extract::State;
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::app::settings::{Retention, Settings, SettingsChange};
use crate::app::{App, Ctx};
use crate::http::Routes;
use crate::http::extract::Json;
use crate::http::problem::Problem;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(read, change))
}

/// The settings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
struct SettingsView {
    /// The address under which agents in guests reach Muster; null when nobody has set it.
    agent_url: Option<Url>,
    /// Minutes after which guests with an agent online are scanned again.
    scan_every_minutes: u32,
    /// How many days things are kept.
    retention: Retention,
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = SettingsChange)]
#[serde(deny_unknown_fields)]
struct SettingsChangeBody {
    /// An origin such as `http://192.168.1.5:8080`; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    agent_url: Option<Option<String>>,
    /// 1 to 10080 minutes.
    scan_every_minutes: Option<u32>,
    retention: Option<Retention>,
}

/// The settings.
#[utoipa::path(
    get, path = "/api/v1/settings", operation_id = "getSettings", tag = "settings",
    extensions(("x-muster-role" = json!("admin"))),
    responses((status = 200, body = SettingsView, description = "The settings")),
)]
async fn read(State(app): State<App>, ctx: Ctx) -> Result<Json<SettingsView>, Problem> {
    Ok(Json(view(app.settings(&ctx).await?)))
}

/// Change settings.
#[utoipa::path(
    patch, path = "/api/v1/settings", operation_id = "changeSettings", tag = "settings",
    extensions(("x-muster-role" = json!("admin"))),
    request_body = SettingsChangeBody,
    responses((status = 200, body = SettingsView, description = "As they are now")),
)]
async fn change(
    State(app): State<App>,
    ctx: Ctx,
    Json(body): Json<SettingsChangeBody>,
) -> Result<Json<SettingsView>, Problem> {
    let change = SettingsChange {
        agent_url: body.agent_url,
        scan_every_minutes: body.scan_every_minutes,
        retention: body.retention,
    };
    Ok(Json(view(app.change_settings(&ctx, change).await?)))
}

fn view(settings: Settings) -> SettingsView {
    SettingsView {
        agent_url: settings.agent_url,
        scan_every_minutes: settings.scan_every_minutes,
        retention: settings.retention,
    }
}

/// Tells a field that is null from one that is left out.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
