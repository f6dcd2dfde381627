//! `POST /agent/v1/enrol`: a one-time token becomes an agent.

use axum::Extension;
use axum::extract::State;
use muster_protocol::{EnrolAnswer, EnrolRequest};

use crate::app::App;
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::request::RequestInfo;

pub(super) async fn enrol(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    Json(request): Json<EnrolRequest>,
) -> Result<Json<EnrolAnswer>, Problem> {
    Ok(Json(app.enrol_agent(info.id, request).await?))
}
