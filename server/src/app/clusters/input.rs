//! What people type about a cluster, checked before anything is done with it.

use std::collections::BTreeMap;

use muster_domain::{ClusterId, Timestamp};
use muster_store::clusters::ClusterRow;
use zeroize::Zeroizing;

use crate::app::{Error, FieldError};
use crate::pve::{ApiToken, CallError, Endpoint, Fingerprint};

/// Longest name of a cluster, in characters.
const LONGEST_NAME: usize = 100;
/// Most addresses of one cluster.
const MOST_ENDPOINTS: usize = 32;
/// Seconds between two listings, unless said.
const STATE_SECONDS: i64 = 10;
/// Seconds until a guest's details are old, unless said.
const DETAIL_SECONDS: i64 = 3600;

/// A cluster to be added.
pub struct NewCluster {
    /// The name it gets.
    pub name: String,
    /// Addresses of its API.
    pub endpoints: Vec<String>,
    /// `user@realm!name`.
    pub token_id: String,
    /// The token's secret.
    pub token_secret: Zeroizing<String>,
    /// How its certificates are judged.
    pub tls: TlsChoice,
    /// Seconds between two listings.
    pub state_seconds: Option<i64>,
    /// Seconds until a guest's details are old.
    pub detail_seconds: Option<i64>,
}

/// How certificates are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsChoice {
    /// As a browser does.
    System,
    /// This one was accepted; those of all nodes follow from it.
    Pinned {
        /// SHA-256, `AA:BB:…`.
        fingerprint: String,
    },
    /// Those that the cluster's own authority has signed.
    ClusterCa {
        /// The authority, PEM.
        pem: String,
    },
}

/// What is to change; `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterEdit {
    /// The name.
    pub name: Option<String>,
    /// The addresses.
    pub endpoints: Option<Vec<String>>,
    /// How certificates are judged.
    pub tls: Option<TlsChoice>,
    /// Seconds between two listings.
    pub state_seconds: Option<i64>,
    /// Seconds until a guest's details are old.
    pub detail_seconds: Option<i64>,
    /// Whether Muster leaves it alone.
    pub paused: Option<bool>,
}

impl NewCluster {
    /// The row it would be stored as.
    pub(super) fn check(&self, id: ClusterId, now: Timestamp) -> Result<ClusterRow, Error> {
        let mut wrong = Vec::new();
        let name = kept(&mut wrong, checked_name(&self.name));
        let endpoints = kept(&mut wrong, endpoints(&self.endpoints));
        let token_id = self.token_id.trim().to_owned();
        kept(&mut wrong, token(&token_id, &self.token_secret));
        let tls = kept(&mut wrong, checked_tls(&self.tls));
        let state = kept(
            &mut wrong,
            seconds("/state_seconds", self.state_seconds.unwrap_or(STATE_SECONDS)),
        );
        let detail = kept(
            &mut wrong,
            seconds("/detail_seconds", self.detail_seconds.unwrap_or(DETAIL_SECONDS)),
        );
        let (Some(name), Some(endpoints), Some(tls), Some(state_seconds), Some(detail_seconds), []) =
            (name, endpoints, tls, state, detail, wrong.as_slice())
        else {
            return Err(Error::Invalid(wrong));
        };
        let mut row = ClusterRow {
            id: id.0,
            name,
            endpoints: endpoints.into(),
            token_id,
            tls_mode: String::new(),
            accepted: None,
            fingerprints: BTreeMap::new().into(),
            ca_pem: None,
            state_seconds,
            detail_seconds,
            paused: false,
            version: None,
            release: None,
            cluster_name: None,
            quorate: None,
            permissions: None,
            last_discovered_at: None,
            error_code: None,
            error_detail: None,
            error_since: None,
            health: Vec::new().into(),
            created_at: now.as_micros(),
            updated_at: now.as_micros(),
            login_user: None,
        };
        put_tls(&mut row, tls);
        Ok(row)
    }
}

impl ClusterEdit {
    /// The row as it would be afterwards.
    pub(super) fn apply(&self, mut row: ClusterRow) -> Result<ClusterRow, Error> {
        if let Some(name) = &self.name {
            row.name = checked_name(name)?;
        }
        if let Some(given) = &self.endpoints {
            row.endpoints = endpoints(given)?.into();
        }
        if let Some(tls) = &self.tls {
            put_tls(&mut row, checked_tls(tls)?);
        }
        if let Some(state) = self.state_seconds {
            row.state_seconds = seconds("/state_seconds", state)?;
        }
        if let Some(detail) = self.detail_seconds {
            row.detail_seconds = seconds("/detail_seconds", detail)?;
        }
        row.paused = self.paused.unwrap_or(row.paused);
        Ok(row)
    }

    /// Whether it changes where or whom Muster talks to.
    pub(super) fn reaches_elsewhere(&self) -> bool {
        self.endpoints.is_some() || self.tls.is_some()
    }

    /// What the audit log is told.
    pub(super) fn told(&self) -> serde_json::Value {
        let tls = self.tls.as_ref().map(|tls| match tls {
            TlsChoice::System => "system".to_owned(),
            TlsChoice::Pinned { fingerprint } => format!("pinned {fingerprint}"),
            TlsChoice::ClusterCa { .. } => "cluster_ca".to_owned(),
        });
        serde_json::json!({
            "name": self.name, "endpoints": self.endpoints, "tls": tls, "state_seconds": self.state_seconds,
            "detail_seconds": self.detail_seconds, "paused": self.paused,
        })
    }
}

/// Reads an address; `pointer` names the field it stands in.
pub(super) fn endpoint(pointer: &str, text: &str) -> Result<Endpoint, Error> {
    text.trim()
        .parse()
        .map_err(|error: CallError| Error::invalid(pointer, error.to_string()))
}

/// Checks id and secret of a token; returns the secret without blanks around it.
pub(super) fn token(id: &str, secret: &str) -> Result<Zeroizing<String>, Error> {
    let secret = Zeroizing::new(secret.trim().to_owned());
    ApiToken::new(id, secret.as_str()).map_err(|error| {
        let pointer = match &error {
            CallError::Invalid { what: "token id", .. } => "/token_id",
            _ => "/token_secret",
        };
        Error::invalid(pointer, error.to_string())
    })?;
    Ok(secret)
}

fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "/name",
            format!("a name has 1 to {LONGEST_NAME} characters"),
        ));
    }
    Ok(name.to_owned())
}

fn endpoints(given: &[String]) -> Result<Vec<String>, Error> {
    if given.is_empty() || given.len() > MOST_ENDPOINTS {
        let detail = format!("give 1 to {MOST_ENDPOINTS} addresses, such as https://pve1.example.org:8006");
        return Err(Error::invalid("/endpoints", detail));
    }
    let mut endpoints = Vec::new();
    for (place, text) in given.iter().enumerate() {
        let read = endpoint(&format!("/endpoints/{place}"), text)?.to_string();
        if !endpoints.contains(&read) {
            endpoints.push(read);
        }
    }
    Ok(endpoints)
}

fn seconds(pointer: &str, value: i64) -> Result<i64, Error> {
    let (least, most) = if pointer == "/state_seconds" {
        (2, 3600)
    } else {
        (300, 604_800)
    };
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Error::invalid(
            pointer,
            format!("{least} to {most} seconds are possible"),
        ))
    }
}

fn checked_tls(tls: &TlsChoice) -> Result<TlsChoice, Error> {
    match tls {
        TlsChoice::System => Ok(TlsChoice::System),
        TlsChoice::Pinned { fingerprint } => {
            let read: Fingerprint = fingerprint
                .parse()
                .map_err(|error: CallError| Error::invalid("/tls/fingerprint", error.to_string()))?;
            Ok(TlsChoice::Pinned {
                fingerprint: read.to_string(),
            })
        }
        TlsChoice::ClusterCa { pem } if !pem.contains("-----BEGIN CERTIFICATE-----") => Err(Error::invalid(
            "/tls/ca_pem",
            "this is no certificate in PEM form: paste the whole of /etc/pve/pve-root-ca.pem",
        )),
        TlsChoice::ClusterCa { pem } => Ok(TlsChoice::ClusterCa {
            pem: pem.trim().to_owned() + "\n",
        }),
    }
}

/// What was learned of the nodes' certificates before is learned again under the new rule.
fn put_tls(row: &mut ClusterRow, tls: TlsChoice) {
    row.fingerprints.0.clear();
    let (mode, accepted, ca_pem) = match tls {
        TlsChoice::System => ("system", None, None),
        TlsChoice::Pinned { fingerprint } => ("pinned", Some(fingerprint), None),
        TlsChoice::ClusterCa { pem } => ("cluster_ca", None, Some(pem)),
    };
    row.tls_mode = mode.to_owned();
    row.accepted = accepted;
    row.ca_pem = ca_pem;
}

/// Keeps what is right, and collects what is wrong.
fn kept<T>(wrong: &mut Vec<FieldError>, checked: Result<T, Error>) -> Option<T> {
    match checked {
        Ok(value) => Some(value),
        Err(Error::Invalid(fields)) => {
            wrong.extend(fields);
            None
        }
        Err(other) => {
            wrong.push(FieldError {
                pointer: String::new(),
                detail: other.to_string(),
            });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(endpoints: &[&str]) -> NewCluster {
        NewCluster {
            name: " Homelab ".to_owned(),
            endpoints: endpoints.iter().map(|text| (*text).to_owned()).collect(),
            token_id: "muster@pve!main".to_owned(),
            token_secret: Zeroizing::new("11111111-2222-3333-4444-555555555555".to_owned()),
            tls: TlsChoice::System,
            state_seconds: None,
            detail_seconds: None,
        }
    }

    fn check(new: &NewCluster) -> Result<ClusterRow, Error> {
        new.check(ClusterId(uuid::Uuid::nil()), Timestamp::from_micros(0))
    }

    fn pointers(error: Error) -> Vec<String> {
        match error {
            Error::Invalid(fields) => fields.into_iter().map(|field| field.pointer).collect(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn addresses_are_completed_and_said_once() {
        let row = check(&new(&[
            "192.0.2.10",
            "https://192.0.2.10:8006/",
            "https://pve.example.org:443",
        ]))
        .expect("right");
        assert_eq!(
            row.endpoints.0,
            ["https://192.0.2.10:8006", "https://pve.example.org:443"]
        );
        assert_eq!((row.name.as_str(), row.state_seconds), ("Homelab", 10));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let wrong = NewCluster {
            name: " ".to_owned(),
            token_id: "root".to_owned(),
            tls: TlsChoice::Pinned {
                fingerprint: "AA".to_owned(),
            },
            state_seconds: Some(1),
            ..new(&["https://192.0.2.10:8006", "http://192.0.2.10:8006/#v1"])
        };
        let expected = [
            "/name",
            "/endpoints/1",
            "/token_id",
            "/tls/fingerprint",
            "/state_seconds",
        ];
        assert_eq!(pointers(check(&wrong).expect_err("wrong")), expected);
    }

    #[test]
    fn another_certificate_forgets_those_of_the_nodes() {
        let mut row = check(&new(&["192.0.2.10"])).expect("right");
        row.fingerprints.0.insert("pve1".to_owned(), "AA".to_owned());
        let edit = ClusterEdit {
            tls: Some(TlsChoice::Pinned {
                fingerprint: "ab".repeat(32),
            }),
            ..ClusterEdit::default()
        };
        assert!(edit.reaches_elsewhere());
        let after = edit.apply(row).expect("right");
        assert!(after.fingerprints.0.is_empty());
        assert!(after.accepted.expect("pinned").starts_with("AB:AB:"));
    }
}
