//! Keeps other sites from acting with a person's cookie. Browsers say where a request comes from; what they do not say is
//! refused when it would change something.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use url::Url;

use super::problem::Problem;

/// Whether a request acts with a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The browser sent our cookie along.
    Sent,
    /// Nothing of ours came along: an own credential is in the request itself.
    None,
}

/// Refuses a change that a browser makes for another site, or with a cookie and without saying for which.
pub(super) fn check(method: &Method, headers: &HeaderMap, cookie: Cookie, base: Option<&Url>) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let told = text(headers, "sec-fetch-site").map(|site| site == "same-origin");
    let told = told.or_else(|| text(headers, header::ORIGIN.as_str()).map(|origin| is_ours(origin, headers, base)));
    match (told, cookie) {
        (Some(true), _) | (None, Cookie::None) => Ok(()),
        (Some(false), _) | (None, Cookie::Sent) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "cross_site",
            "this request does not come from Muster's own pages: scripts use an API token, and a proxy in front of Muster \
             must pass the headers Host and Origin on",
        )),
    }
}

/// The page's origin is the configured one, or has the name this request was sent to.
fn is_ours(origin: &str, headers: &HeaderMap, base: Option<&Url>) -> bool {
    let Ok(origin) = Url::parse(origin) else {
        return false;
    };
    if base.is_some_and(|base| base.origin() == origin.origin()) {
        return true;
    }
    let Some(host) = text(headers, header::HOST.as_str()).and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let port = host.port_u16().or(match origin.scheme() {
        "https" => Some(443),
        _ => Some(80),
    });
    origin
        .host_str()
        .is_some_and(|name| name.eq_ignore_ascii_case(host.host()))
        && origin.port_or_known_default() == port
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn allowed(headers: &[(&'static str, &'static str)], cookie: Cookie) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let base = Url::parse("https://muster.example.org").ok();
        check(&Method::POST, &headers, cookie, base.as_ref()).is_ok()
    }

    #[test]
    fn only_our_own_pages_change_things_with_a_cookie() {
        assert!(allowed(&[("sec-fetch-site", "same-origin")], Cookie::Sent));
        assert!(!allowed(&[("sec-fetch-site", "same-site")], Cookie::Sent));
        assert!(!allowed(
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://muster.example.org")
            ],
            Cookie::Sent
        ));
        assert!(allowed(
            &[("host", "nas:8080"), ("origin", "http://NAS:8080")],
            Cookie::Sent
        ));
        assert!(allowed(&[("host", "nas"), ("origin", "https://nas")], Cookie::Sent));
        assert!(allowed(
            &[("host", "[::1]:8080"), ("origin", "http://[::1]:8080")],
            Cookie::Sent
        ));
        assert!(!allowed(
            &[("host", "nas:8080"), ("origin", "http://nas:8081")],
            Cookie::Sent
        ));
        assert!(!allowed(
            &[("host", "nas:8080"), ("origin", "http://evil.example")],
            Cookie::Sent
        ));
        assert!(!allowed(&[("host", "nas:8080"), ("origin", "null")], Cookie::Sent));
        assert!(allowed(
            &[("host", "inner:1"), ("origin", "https://muster.example.org")],
            Cookie::Sent
        ));
        assert!(!allowed(&[], Cookie::Sent));
        assert!(allowed(&[], Cookie::None), "curl without a cookie signs in");
        assert!(
            !allowed(&[("sec-fetch-site", "cross-site")], Cookie::None),
            "no other site signs somebody in"
        );
    }
}
