//! The cookie of a signed-in browser.

/// Its name.
pub const NAME: &str = "muster_session";
