//! What an answer of PVE says.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::catalogue::{Call, Request};
use crate::{Endpoint, Error, Result};

/// How much of a message or of a decoder's complaint is kept; both may quote the answer.
const LONGEST_MESSAGE: usize = 2000;

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) body: Vec<u8>,
}

/// PVE wraps every result; lists of tasks and log lines have their total beside them.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<T> {
    pub(crate) data: Option<T>,
}

#[derive(Debug, Default, Deserialize)]
struct Refusal {
    message: Option<String>,
    errors: Option<BTreeMap<String, serde_json::Value>>,
}

impl Answer {
    /// The body of a successful answer, or what the status means.
    pub(crate) fn judge(self, endpoint: &Endpoint, request: &Request) -> Result<Vec<u8>> {
        let call = request.call.name;
        let status = self.status;
        if (200..300).contains(&status) {
            return Ok(self.body);
        }
        let (message, fields) = self.refusal();
        Err(match status {
            401 => Error::Unauthenticated {
                endpoint: endpoint.clone(),
                message,
            },
            403 => {
                let (path, privilege) = missing_privilege(&message).unzip();
                Error::Denied {
                    call,
                    path,
                    privilege,
                    message,
                }
            }
            501 => Error::NotImplemented { call, message },
            // 595 is a connection that could not be made. From 596 on the request was under way to the node.
            596..=599 if request.changes_something() => Error::Unknown {
                call,
                endpoint: endpoint.clone(),
                reason: format!("{status} {message}"),
            },
            595..=599 => {
                let node = request.node.clone().unwrap_or_else(|| endpoint.to_string());
                Error::NodeUnreachable {
                    call,
                    node,
                    status,
                    message,
                }
            }
            _ => Error::Rejected {
                call,
                status,
                message,
                fields,
            },
        })
    }

    /// PVE's own words. Until http-server 5.2.0 they stand in the reason phrase only; an answer that is not from PVE
    /// may have them in its text.
    fn refusal(&self) -> (String, BTreeMap<String, String>) {
        let refusal: Refusal = serde_json::from_slice(&self.body).unwrap_or_default();
        let body = String::from_utf8_lossy(&self.body);
        let candidates = [refusal.message.as_deref().unwrap_or_default(), &self.reason, &body];
        let message = candidates
            .into_iter()
            .map(str::trim)
            .find(|text| !text.is_empty())
            .unwrap_or("no reason given");
        let fields = refusal.errors.unwrap_or_default();
        (
            shortened(message),
            fields
                .into_iter()
                .map(|(name, reason)| (name, shortened(&plain(&reason))))
                .collect(),
        )
    }
}

/// Reads the result of a successful answer; `None` is PVE's `null`.
pub(crate) fn decode<T: DeserializeOwned>(request: &Request, body: &[u8]) -> Result<Option<T>> {
    serde_json::from_slice::<Envelope<T>>(body)
        .map(|envelope| envelope.data)
        .map_err(|e| undecodable(request.call, &request.path, &e))
}

pub(crate) fn undecodable(call: &Call, path: &str, reason: &dyn std::fmt::Display) -> Error {
    Error::Decode {
        call: call.name,
        path: path.to_owned(),
        reason: shortened(&reason.to_string()),
    }
}

/// `Permission check failed (/vms/100, VM.Audit)` names the object and the privilege.
fn missing_privilege(message: &str) -> Option<(String, String)> {
    let inside = message.split_once('(')?.1.strip_suffix(')')?;
    let (path, privilege) = inside.split_once(", ")?;
    path.starts_with('/').then(|| (path.to_owned(), privilege.to_owned()))
}

fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_missing_privilege() {
        let parts = |message| missing_privilege(message);
        let both = |path: &str, privilege: &str| Some((path.to_owned(), privilege.to_owned()));
        assert_eq!(
            parts("Permission check failed (/vms/100, VM.Audit)"),
            both("/vms/100", "VM.Audit")
        );
        assert_eq!(
            parts("Permission check failed (/, Sys.Audit|Sys.Modify)"),
            both("/", "Sys.Audit|Sys.Modify")
        );
        assert_eq!(parts("Permission check failed (user != root@pam)"), None);
        assert_eq!(parts("Permission check failed"), None);
    }

    #[test]
    fn messages_are_cut_at_a_character() {
        let long = "é".repeat(LONGEST_MESSAGE + 1);
        assert_eq!(shortened(&long).chars().count(), LONGEST_MESSAGE + 1);
        assert_eq!(shortened("short"), "short");
    }
}
