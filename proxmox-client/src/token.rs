//! API tokens: the id that may be shown and the secret that may not.

use std::fmt;

use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::Error;

/// What PVE would read as something else in the header: it decodes percent signs and stops at a semicolon
/// (pve-http-server, `PVE/APIServer/Formatter.pm`, extract_auth_value).
const IN_HEADER: &AsciiSet = &CONTROLS.add(b'%').add(b';').add(b' ').add(b'"');

/// An API token of PVE: `user@realm!name` and its secret.
///
/// The secret is wiped from memory when the token is dropped, and shown by nothing: `Debug` prints dots. (The copy
/// that one request needs lives in the HTTP library, marked as sensitive, until that request is over.)
#[derive(Clone)]
pub struct ApiToken {
    id: String,
    secret: Zeroizing<String>,
}

impl ApiToken {
    /// Checks the form of both parts: the id is `user@realm!name`, the secret a UUID as PVE shows it once.
    pub fn new(token_id: impl Into<String>, secret: impl Into<String>) -> Result<Self, Error> {
        let (id, secret) = (token_id.into(), Zeroizing::new(secret.into()));
        check_id(&id)?;
        if !is_uuid(&secret) {
            return Err(Error::invalid(
                "token secret",
                "a secret has the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
            ));
        }
        Ok(Self { id, secret })
    }

    /// The full id, `user@realm!name`: PVE's name for the identity that owns tasks and permissions.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The value of the `Authorization` header.
    pub(crate) fn header(&self) -> HeaderValue {
        let text = Zeroizing::new(format!(
            "PVEAPIToken={}={}",
            utf8_percent_encode(&self.id, IN_HEADER),
            *self.secret
        ));
        let mut value = HeaderValue::from_str(&text).expect("an encoded id and a UUID have visible ASCII only");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiToken")
            .field("id", &self.id)
            .field("secret", &"…")
            .finish()
    }
}

/// The rules of pve-access-control (`PVE/AccessControl.pm`): a user name without blanks, colons and slashes; realm and
/// token name begin with a letter and have two characters or more.
fn check_id(id: &str) -> Result<(), Error> {
    let refused = || Error::invalid("token id", format!("{id:?} has not the form user@realm!name"));
    let (user, name) = id.rsplit_once('!').ok_or_else(refused)?;
    let (user, realm) = user.rsplit_once('@').ok_or_else(refused)?;
    let user_is_fine =
        !user.is_empty() && !user.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | '/'));
    if user_is_fine && is_config_name(realm) && is_config_name(name) {
        Ok(())
    } else {
        Err(refused())
    }
}

fn is_config_name(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0a1b2c3d-0000-4000-8000-00000000c0de";

    #[test]
    fn accepts_ids_of_pve() {
        for id in [
            "root@pam!ci",
            "muster@pve!main",
            "a.b@my-realm!x_1",
            "jörg@ldap.example!aa",
            "a@b@pve!tok",
        ] {
            assert!(ApiToken::new(id, SECRET).is_ok(), "{id} was refused");
        }
    }

    #[test]
    fn refuses_other_forms_without_showing_the_secret() {
        for id in [
            "",
            "root@pam",
            "root!ci",
            "@pam!ci",
            "root@pam!1ci",
            "root@p!ci",
            "a b@pam!ci",
            "a/b@pam!ci",
        ] {
            let refusal = ApiToken::new(id, SECRET).expect_err("not a token id");
            assert!(!format!("{refusal} {refusal:?}").contains(SECRET));
        }
        let refusal = ApiToken::new("root@pam!ci", "hunter2").expect_err("not a secret");
        assert!(!format!("{refusal} {refusal:?}").contains("hunter2"));
    }

    #[test]
    fn header_is_what_pve_decodes() {
        let token = ApiToken::new("j;r%g@pve!main", SECRET).expect("a token");
        assert_eq!(
            token.header().as_bytes(),
            format!("PVEAPIToken=j%3Br%25g@pve!main={SECRET}").as_bytes()
        );
        assert!(token.header().is_sensitive());
    }

    #[test]
    fn debug_has_no_secret() {
        let token = ApiToken::new("root@pam!ci", SECRET).expect("a token");
        assert_eq!(format!("{token:?}"), r#"ApiToken { id: "root@pam!ci", secret: "…" }"#);
    }
}
