//! The API, one file per resource.

mod system;

use super::Routes;

/// All routes of the API.
pub(super) fn routes() -> Routes {
    Routes::with_openapi(super::openapi::frame()).merge(system::routes())
}
