//! What a use case answers when it cannot do what was asked. Knows nothing of HTTP; `http::problem` translates.

use muster_domain::access::Role;
use muster_store::{GivesWay, StoreError};

use super::seal::SealError;

/// Why not. A new variant only when some caller would act differently.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or it is gone.
    #[error("there is no {kind} {id}")]
    NotFound {
        /// The kind of thing, e.g. `cluster`.
        kind: &'static str,
        /// What was asked for.
        id: String,
    },
    /// The thing's state does not allow it.
    #[error("{detail}")]
    Conflict {
        /// Stable code for docs/errors.md.
        code: &'static str,
        /// What stands in the way and what to do.
        detail: String,
    },
    /// The input is wrong.
    #[error("the input is not valid: {}", listed(.0))]
    Invalid(Vec<FieldError>),
    /// Nobody is signed in, or the credentials are wrong.
    #[error("{detail}")]
    Unauthenticated {
        /// Stable code for docs/errors.md.
        code: &'static str,
        /// What to do.
        detail: String,
    },
    /// The caller's role is too small.
    #[error("this needs the role {}", needed.as_str())]
    Forbidden {
        /// The smallest role that may.
        needed: Role,
    },
    /// Too many tries.
    #[error("too many tries: wait {seconds} s")]
    Limited {
        /// Seconds until the next try counts.
        seconds: u64,
    },
    /// Proxmox VE refused or did not answer.
    #[error("{detail}")]
    Upstream {
        /// Stable code for docs/errors.md.
        code: &'static str,
        /// What PVE said, and what to do.
        detail: String,
    },
    /// The server cannot do this now; later it may.
    #[error("{detail}")]
    Unavailable {
        /// Stable code for docs/errors.md.
        code: &'static str,
        /// What is missing and what to do.
        detail: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A bug, or a broken machine. The text is for the log, not for the caller.
    #[error("{0}")]
    Internal(String),
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into the body, e.g. `/endpoints/0`.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

fn listed(fields: &[FieldError]) -> String {
    let each: Vec<String> = fields
        .iter()
        .map(|field| format!("{}: {}", field.pointer.trim_start_matches('/'), field.detail))
        .collect();
    each.join("; ")
}

impl Error {
    /// One wrong field.
    pub fn invalid(pointer: &str, detail: impl Into<String>) -> Error {
        Error::Invalid(vec![FieldError {
            pointer: pointer.to_owned(),
            detail: detail.into(),
        }])
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Error {
        match error {
            SealError::Store(error) => Error::Store(error),
            error @ (SealError::UnknownKey { .. } | SealError::Damaged { .. } | SealError::Missing { .. }) => {
                Error::Unavailable {
                    code: "secret_unreadable",
                    detail: error.to_string(),
                }
            }
        }
    }
}

impl GivesWay for Error {
    fn gives_way(&self) -> bool {
        matches!(self, Error::Store(error) if error.gives_way())
    }
}
