//! Users with a password: what a token cannot do on older PVE, they can.

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::Error;
use crate::catalogue::{self, Request};

/// PVE takes a ticket for two hours (`PVE/AccessControl.pm`, verify_ticket); it is replaced well before.
const TICKET_LASTS: Duration = Duration::from_secs(90 * 60);

/// A user of PVE with a password, such as `muster@pve`. A user with a second factor cannot log in this way.
///
/// The password is wiped from memory when the login is dropped, and shown by nothing: `Debug` prints dots.
#[derive(Clone)]
pub struct Login {
    user: String,
    password: Zeroizing<String>,
}

impl Login {
    /// Checks the form of the user, `name@realm`, and that there is a password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Result<Self, Error> {
        let (user, password) = (user.into(), Zeroizing::new(password.into()));
        let has_both_parts = user
            .rsplit_once('@')
            .is_some_and(|(name, realm)| !name.is_empty() && !realm.is_empty());
        if !has_both_parts
            || user.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | '/' | '!'))
        {
            return Err(Error::invalid("user", format!("{user:?} has not the form name@realm")));
        }
        if password.is_empty() {
            return Err(Error::invalid("password", "it is empty"));
        }
        Ok(Self { user, password })
    }

    /// The user, `name@realm`: PVE's name for the identity that owns tasks and permissions.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The call that asks for a ticket.
    pub(crate) fn request(&self) -> Result<Request, Error> {
        let request = catalogue::TICKET.at(&[])?;
        Ok(request
            .with("username", &self.user)
            .with("password", self.password.as_str()))
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("password", &"…")
            .finish()
    }
}

/// PVE's answer to a login.
#[derive(Deserialize)]
pub(crate) struct Granted {
    ticket: String,
    #[serde(rename = "CSRFPreventionToken")]
    csrf: Option<String>,
    #[serde(default, rename = "NeedTFA", deserialize_with = "crate::perl::flag")]
    pub(crate) needs_second_factor: bool,
}

/// What a request shows instead of the password, on any node of the cluster.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) cookie: HeaderValue,
    /// PVE wants it beside the cookie for everything that is not a GET.
    pub(crate) csrf: HeaderValue,
    expires: Instant,
}

impl Ticket {
    /// The headers that a granted login stands for; nothing when PVE's answer cannot stand in a header.
    pub(crate) fn of(granted: &Granted, now: Instant) -> Option<Self> {
        let cookie = Zeroizing::new(format!(
            "PVEAuthCookie={}",
            utf8_percent_encode(&granted.ticket, NON_ALPHANUMERIC)
        ));
        let mut ticket = Self {
            cookie: HeaderValue::from_str(&cookie).ok()?,
            csrf: HeaderValue::from_str(granted.csrf.as_deref()?).ok()?,
            expires: now + TICKET_LASTS,
        };
        ticket.cookie.set_sensitive(true);
        ticket.csrf.set_sensitive(true);
        Some(ticket)
    }

    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        now < self.expires
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name_and_a_realm() {
        assert!(Login::new("muster@pve", "secret").is_ok());
        for user in [
            "",
            "muster",
            "@pve",
            "muster@",
            "muster@pve!token",
            "a b@pve",
            "a:b@pve",
        ] {
            let refusal = Login::new(user, "hunter2").expect_err("not a user");
            assert!(!format!("{refusal} {refusal:?}").contains("hunter2"));
        }
        assert!(Login::new("muster@pve", "").is_err());
    }

    #[test]
    fn debug_has_no_password() {
        let login = Login::new("muster@pve", "hunter2").expect("a login");
        assert_eq!(format!("{login:?}"), r#"Login { user: "muster@pve", password: "…" }"#);
    }

    #[test]
    fn a_ticket_ends() {
        let granted = Granted {
            ticket: "PVE:muster@pve:6B0118CE::g6Fj+/=".to_owned(),
            csrf: Some("6B0118CE:O35O".to_owned()),
            needs_second_factor: false,
        };
        let now = Instant::now();
        let ticket = Ticket::of(&granted, now).expect("headers");
        assert_eq!(
            ticket.cookie.as_bytes(),
            b"PVEAuthCookie=PVE%3Amuster%40pve%3A6B0118CE%3A%3Ag6Fj%2B%2F%3D"
        );
        assert!(ticket.is_fresh(now + TICKET_LASTS - Duration::from_secs(1)));
        assert!(!ticket.is_fresh(now + TICKET_LASTS));
    }
}
