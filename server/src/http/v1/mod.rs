//! The API, one file per resource.

mod audit;
mod bulk;
mod clusters;
mod events;
mod guest_work;
mod guests;
mod health;
mod hierarchy;
mod jobs;
mod metrics;
mod nodes;
mod packages;
mod rollup;
mod session;
mod settings;
mod system;
mod tokens;
mod users;

use super::Routes;
use super::event_views::EventView;

/// All routes of the API.
pub(super) fn routes() -> Routes {
    [
        audit::routes(),
        bulk::routes(),
        clusters::routes(),
        events::routes(),
        guest_work::routes(),
        guests::routes(),
        hierarchy::routes(),
        jobs::routes(),
        metrics::routes(),
        nodes::routes(),
        packages::routes(),
        session::routes(),
        settings::routes(),
        system::routes(),
        tokens::routes(),
        users::routes(),
    ]
    .into_iter()
    .fold(Routes::with_openapi(super::openapi::frame()), Routes::merge)
}

/// What events show of the things they tell about.
pub(super) fn event_views() -> Vec<EventView> {
    vec![clusters::events(), guests::events(), jobs::events(), nodes::events()]
}
