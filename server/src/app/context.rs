//! Who asks, and in which request.

use muster_domain::access::Role;
use muster_domain::{AgentId, AuditId, RequestId, TokenId, UserId};
use muster_store::{StoreError, Tx, audit::AuditRow};
use uuid::Uuid;

use super::{App, Error};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A person with a session.
    User {
        /// Their account.
        id: UserId,
        /// Their name.
        name: String,
        /// What they may do.
        role: Role,
    },
    /// A script with an API token.
    Token {
        /// The token.
        id: TokenId,
        /// Its name.
        name: String,
        /// What it may do.
        role: Role,
    },
    /// An agent.
    Agent {
        /// Its id.
        id: AgentId,
        /// The name of its guest or node.
        name: String,
    },
    /// The server itself: schedules and reconcilers.
    System,
    /// Somebody with a shell on the server.
    CommandLine,
}

/// The context of one request, job or command. The first parameter of every use case.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who asks.
    pub caller: Caller,
    /// The request, for logs and problem documents.
    pub request: RequestId,
}

impl Ctx {
    /// The server itself asks.
    pub fn system(app: &App) -> Ctx {
        Ctx {
            caller: Caller::System,
            request: RequestId(app.ids.next()),
        }
    }

    /// Refuses callers below `needed`. Agents have use cases of their own and no role.
    pub fn require(&self, needed: Role) -> Result<(), Error> {
        match &self.caller {
            Caller::User { role, .. } | Caller::Token { role, .. } if role.includes(needed) => Ok(()),
            Caller::System | Caller::CommandLine => Ok(()),
            Caller::User { .. } | Caller::Token { .. } | Caller::Agent { .. } => Err(Error::Forbidden { needed }),
        }
    }

    /// What the caller may do at most: for the actions shown beside things. `None` for agents.
    pub fn role(&self) -> Option<Role> {
        match &self.caller {
            Caller::User { role, .. } | Caller::Token { role, .. } => Some(*role),
            Caller::System | Caller::CommandLine => Some(Role::Admin),
            Caller::Agent { .. } => None,
        }
    }

    /// Writes an audit entry in the transaction of the change it tells of. `action` is a word like `cluster.add`, `target` the kind, id and name
    /// of what was changed; `detail` holds no secret.
    pub async fn audit(
        &self,
        app: &App,
        tx: &mut Tx,
        action: &str,
        target: (&str, Option<Uuid>, &str),
        detail: serde_json::Value,
    ) -> Result<(), StoreError> {
        let (actor_kind, actor_id, actor_name) = self.actor();
        let (target_kind, target_id, target_name) = target;
        tx.record_audit(&AuditRow {
            id: AuditId(app.ids.next()).0,
            at: app.clock.now().as_micros(),
            actor_kind: actor_kind.to_owned(),
            actor_id,
            actor_name: actor_name.to_owned(),
            action: action.to_owned(),
            target_kind: target_kind.to_owned(),
            target_id,
            target_name: target_name.to_owned(),
            detail: detail.into(),
            request_id: Some(self.request.0),
        })
        .await
    }

    /// The caller's name, as it stands beside what they asked for.
    pub fn name(&self) -> &str {
        self.actor().2
    }

    fn actor(&self) -> (&'static str, Option<Uuid>, &str) {
        match &self.caller {
            Caller::User { id, name, .. } => ("user", Some(id.0), name),
            Caller::Token { id, name, .. } => ("token", Some(id.0), name),
            Caller::Agent { id, name } => ("agent", Some(id.0), name),
            Caller::System => ("system", None, "muster"),
            Caller::CommandLine => ("command_line", None, "command line"),
        }
    }
}
