//! The API, one file per resource.

mod audit;
mod clusters;
mod guests;
mod hierarchy;
mod jobs;
mod nodes;
mod rollup;
mod session;
mod settings;
mod system;
mod tokens;
mod users;

use super::Routes;

/// All routes of the API.
pub(super) fn routes() -> Routes {
    [
        audit::routes(),
        clusters::routes(),
        guests::routes(),
        hierarchy::routes(),
        jobs::routes(),
        nodes::routes(),
        session::routes(),
        settings::routes(),
        system::routes(),
        tokens::routes(),
        users::routes(),
    ]
    .into_iter()
    .fold(Routes::with_openapi(super::openapi::frame()), Routes::merge)
}
