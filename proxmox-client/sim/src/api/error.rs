//! Errors as Proxmox VE words them.

use crate::schema::Errors;
use crate::world::Kind;

/// An error of a call: the reason phrase of the answer is the first line of `message`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    /// Ends with a line feed where Perl's `die` or an exception adds one.
    pub(crate) message: String,
    pub(crate) errors: Option<Errors>,
    /// What it waits for.
    pub(crate) late: Option<Late>,
}

/// Why an error does not come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// To slow down guessing.
    Login,
    /// A guest agent was given time to answer.
    Agent,
}

impl ApiError {
    /// The code of the call died.
    pub(crate) fn failed(text: impl Into<String>) -> ApiError {
        ApiError {
            status: 500,
            message: format!("{}\n", text.into()),
            errors: None,
            late: None,
        }
    }

    /// The same, after a while.
    pub(crate) fn late(self, late: Late) -> ApiError {
        let late = Some(late);
        ApiError { late, ..self }
    }

    /// The code of the call found that something does not prove who the caller is.
    pub(crate) fn unauthorized(text: &str) -> ApiError {
        ApiError {
            status: 401,
            message: format!("{text}\n"),
            errors: None,
            late: Some(Late::Login),
        }
    }

    /// No such method and path.
    pub(crate) fn not_implemented(method: &str, path: &str) -> ApiError {
        ApiError {
            status: 501,
            message: format!("Method '{method} {path}' not implemented"),
            errors: None,
            late: None,
        }
    }

    /// A privilege is missing.
    pub(crate) fn denied(what: &str) -> ApiError {
        ApiError {
            status: 403,
            message: format!("Permission check failed ({what})\n"),
            errors: None,
            late: None,
        }
    }

    /// The call is for users that have logged in with a password.
    pub(crate) fn not_with_token(path: &str) -> ApiError {
        ApiError::denied(&format!(
            "URI '{path}' not available with API token, need proper ticket.\n"
        ))
    }

    /// Parameters are wrong.
    pub(crate) fn parameters(errors: Errors) -> ApiError {
        let message = "Parameter verification failed.\n".to_owned();
        ApiError {
            status: 400,
            message,
            errors: Some(errors),
            late: None,
        }
    }

    /// One parameter is wrong.
    pub(crate) fn parameter(name: &str, complaint: impl Into<String>) -> ApiError {
        ApiError::parameters(Errors::from([(name.to_owned(), complaint.into())]))
    }

    /// Too few nodes are there to change anything.
    pub(crate) fn no_quorum() -> ApiError {
        ApiError::failed("cluster not ready - no quorum?")
    }

    /// There is no such guest of that kind on that node.
    pub(crate) fn no_guest(node: &str, kind: Kind, vmid: u32) -> ApiError {
        ApiError::failed(no_guest(node, kind, vmid))
    }
}

/// What Proxmox VE says of a guest that is not on the node.
pub(crate) fn no_guest(node: &str, kind: Kind, vmid: u32) -> String {
    format!(
        "Configuration file 'nodes/{node}/{}/{vmid}.conf' does not exist",
        kind.directory()
    )
}
