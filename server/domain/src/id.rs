//! Ids. Each kind of thing has its own type, so that a node's id cannot be taken for a guest's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                $name(id)
            }
        }
    )*};
}

ids! {
    /// A PVE cluster or standalone node.
    ClusterId;
    /// A PVE host.
    NodeId;
    /// An LXC container or a VM. Stays the same when the guest migrates.
    GuestId;
    /// An agent in a guest or on a node.
    AgentId;
    /// A one-time permission to enrol an agent.
    EnrolmentId;
    /// A durable piece of background work.
    JobId;
    /// One target of a job.
    TargetId;
    /// A signed command to an agent.
    CommandId;
    /// A person's account.
    UserId;
    /// A signed-in browser.
    SessionId;
    /// An API token of Muster itself.
    TokenId;
    /// An entry of the audit log.
    AuditId;
    /// One discovery of a cluster.
    DiscoveryId;
    /// A request, for logs and problem documents.
    RequestId;
    /// A running server process: the owner of leases.
    ServerId;
}
