//! The health of a cluster, as it stands in several views.

use muster_domain::Timestamp;
use muster_domain::health::{Gravity, Reason};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether all is well with a cluster, and why not.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthView {
    /// The worst of the reasons; null when there is none.
    gravity: Option<Gravity>,
    /// The worst first.
    reasons: Vec<HealthReason>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct HealthReason {
    /// Stable; docs/errors.md explains it.
    code: String,
    gravity: Gravity,
    /// The node, storage or feature it is about; null for the cluster as a whole.
    subject: Option<String>,
    /// What is, and what to do.
    detail: String,
    since: Option<Timestamp>,
}

impl HealthView {
    /// `error` is why the cluster cannot be read: then the other reasons are old, and this is the worst.
    pub(super) fn of(error: Option<(String, String, Option<Timestamp>)>, reasons: Vec<Reason>) -> HealthView {
        let unread = error.map(|(code, detail, since)| HealthReason {
            code,
            gravity: Gravity::Critical,
            subject: None,
            detail,
            since,
        });
        let others = reasons.into_iter().map(|reason| HealthReason {
            code: reason.code,
            gravity: reason.gravity,
            subject: reason.subject,
            detail: reason.detail,
            since: Some(reason.since),
        });
        let reasons: Vec<HealthReason> = unread.into_iter().chain(others).collect();
        HealthView {
            gravity: reasons.iter().map(|reason| reason.gravity).max(),
            reasons,
        }
    }
}
