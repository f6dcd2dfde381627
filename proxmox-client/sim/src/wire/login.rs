//! Who calls: API tokens.

use hyper::header::{self, HeaderMap};
use percent_encoding::percent_decode_str;

use crate::world::{Cluster, Millis};

/// Why nobody is logged in; the reason phrase of the 401.
pub(super) const NO_TICKET: &str = "No ticket";
/// The credentials are wrong; since January 2026 Proxmox VE does not say in what way.
pub(super) const FAILED: &str = "Authentication failed!";

/// The full id of the token that calls.
///
/// Tickets are not modelled: a cookie, which wins over a token, is always wrong.
pub(super) fn caller(headers: &HeaderMap, cluster: &Cluster, now: Millis) -> Result<String, &'static str> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if text(header::COOKIE).contains("PVEAuthCookie=") {
        return Err(FAILED);
    }
    let credentials = token_of(text(header::AUTHORIZATION)).ok_or(NO_TICKET)?;
    let decoded = percent_decode_str(credentials).decode_utf8().map_err(|_| FAILED)?;
    let (id, secret) = decoded.rsplit_once('=').ok_or(FAILED)?;
    match cluster.access.token_is_valid(id, secret, now) {
        true => Ok(id.to_owned()),
        false => Err(FAILED),
    }
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
