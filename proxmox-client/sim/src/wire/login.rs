//! Who calls: API tokens, and users with the ticket of their login.

use hyper::Method;
use hyper::header::{self, HeaderMap};
use percent_encoding::percent_decode_str;

use crate::world::{Cluster, Millis};

/// Why nobody is logged in; the reason phrase of the 401.
pub(super) const NO_TICKET: &str = "No ticket";
/// The credentials are wrong; since January 2026 Proxmox VE does not say in what way.
pub(super) const FAILED: &str = "Authentication failed!";
/// A ticket alone changes nothing: a browser sends it for everybody.
const NO_CSRF: &str = "Permission denied - invalid csrf token";

/// The call that makes a ticket, and so needs none.
const LOGIN: &str = "/access/ticket";

/// The full id of the token that calls, or the user whose ticket it is; nobody's where none is needed. A ticket wins
/// over a token.
pub(super) fn caller(
    (method, path): (&Method, &str),
    headers: &HeaderMap,
    cluster: &Cluster,
    now: Millis,
) -> Result<String, &'static str> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let credentials = token_of(text(header::AUTHORIZATION.as_str()));
    if path == LOGIN && credentials.is_none() {
        return Ok(String::new());
    }
    let Some(ticket) = ticket_of(text(header::COOKIE.as_str())) else {
        return with_token(credentials.ok_or(NO_TICKET)?, cluster, now);
    };
    let user = cluster.tickets.user_of(&decoded(ticket)?, now).ok_or(FAILED)?;
    if !cluster.access.user_is_valid(&user, now) {
        return Err(FAILED);
    }
    match method == Method::GET || cluster.tickets.is_csrf(text("CSRFPreventionToken"), &user, now) {
        true => Ok(user),
        false => Err(NO_CSRF),
    }
}

fn with_token(credentials: &str, cluster: &Cluster, now: Millis) -> Result<String, &'static str> {
    let credentials = decoded(credentials)?;
    let (id, secret) = credentials.rsplit_once('=').ok_or(FAILED)?;
    match cluster.access.token_is_valid(id, secret, now) {
        true => Ok(id.to_owned()),
        false => Err(FAILED),
    }
}

fn decoded(text: &str) -> Result<String, &'static str> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| FAILED)?;
    Ok(decoded.into_owned())
}

fn ticket_of(cookie: &str) -> Option<&str> {
    cookie
        .split(';')
        .find_map(|pair| pair.trim().strip_prefix("PVEAuthCookie="))
}

/// What follows `PVEAPIToken=` or `PVEAPIToken `, at the beginning or after white space (PVE/APIServer/Formatter.pm).
fn token_of(authorization: &str) -> Option<&str> {
    let at = authorization.match_indices("PVEAPIToken").find_map(|(at, scheme)| {
        let (before, after) = (&authorization[..at], &authorization[at + scheme.len()..]);
        let is_word = before.is_empty() || before.ends_with(char::is_whitespace);
        (is_word && after.starts_with(['=', ' '])).then_some(at + scheme.len() + 1)
    })?;
    authorization[at..].split(';').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_matched_as_recorded() {
        assert_eq!(token_of("PVEAPIToken=a@pve!t=uuid"), Some("a@pve!t=uuid"));
        assert_eq!(token_of("PVEAPIToken a@pve!t=uuid; other"), Some("a@pve!t=uuid"));
        assert_eq!(token_of("pveapitoken=a@pve!t=uuid"), None);
        assert_eq!(token_of("Bearer abc"), None);
    }
}
