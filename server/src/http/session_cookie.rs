//! The cookie of a signed-in browser: no script can read it, no other site can send it.

use axum::http::{HeaderMap, HeaderValue};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use crate::app::accounts::Session;

/// Its name.
pub const NAME: &str = "muster_session";

/// The session's secret in a request.
pub(super) fn read(headers: &HeaderMap) -> Option<String> {
    CookieJar::from_headers(headers)
        .get(NAME)
        .map(|cookie| cookie.value().to_owned())
}

/// `Set-Cookie` of a new session. Without https the browser could not send a `Secure` cookie back.
pub(super) fn start(session: &Session, secure: bool) -> Option<HeaderValue> {
    let lasts = i64::try_from(session.lasts.as_secs()).unwrap_or(i64::MAX);
    written(session.secret.as_str(), lasts, secure)
}

/// `Set-Cookie` that makes the browser forget it.
pub(super) fn end(secure: bool) -> Option<HeaderValue> {
    written("", 0, secure)
}

fn written(value: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
    let mut cookie = Cookie::new(NAME, value);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Strict);
    cookie.set_path("/");
    cookie.set_secure(secure);
    let text = format!("{cookie}; Max-Age={seconds}");
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}
