//! Commands to agents. The table is the truth: links carry hints only, and an outcome is stored once.

use muster_domain::{AgentId, CommandId, TargetId, Timestamp};
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const INSERT: &str = "INSERT INTO commands (id, agent_id, target_id, payload, signature, state, issued_at, expires_at, \
    answer_until) VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8)";
const ONE: &str = "SELECT * FROM commands WHERE id = $1";
const LEASABLE: &str = "SELECT * FROM commands WHERE agent_id = $1 AND expires_at > $2 \
    AND (state = 'pending' OR (state = 'leased' AND leased_until <= $2)) ORDER BY id LIMIT $3";
const WAITS: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM commands WHERE agent_id = $1 AND expires_at > $2 \
    AND (state = 'pending' OR (state = 'leased' AND leased_until <= $2)) LIMIT 1) AS waiting";
const LEASE: &str = "UPDATE commands SET state = 'leased', leased_until = $1 WHERE id = $2";
const LAPSE: &str =
    "UPDATE commands SET state = 'pending', leased_until = NULL WHERE agent_id = $1 AND state = 'leased'";
const ACK: &str = "UPDATE commands SET state = 'acked', leased_until = NULL WHERE id = $1 AND agent_id = $2 \
    AND (state = 'acked' OR (state IN ('pending', 'leased') AND expires_at > $3))";
const ANSWER: &str = "UPDATE commands SET state = 'answered', outcome = $1, over_at = $2, leased_until = NULL \
    WHERE id = $3 AND agent_id = $4 AND state IN ('pending', 'leased', 'acked')";
const CANCEL: &str = "UPDATE commands SET state = 'cancelled', over_at = $1, leased_until = NULL \
    WHERE id = $2 AND state IN ('pending', 'leased', 'acked')";
const CANCEL_OF_AGENT: &str = "UPDATE commands SET state = 'cancelled', over_at = $1, leased_until = NULL \
    WHERE agent_id = $2 AND state IN ('pending', 'leased', 'acked')";
const FORGET_OUTCOME: &str = "UPDATE commands SET outcome = NULL WHERE id = $1";
const EXPIRE: &str = "UPDATE commands SET state = 'expired', over_at = $1, leased_until = NULL WHERE \
    (state IN ('pending', 'leased') AND expires_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)) \
    OR (state = 'acked' AND answer_until <= $1) RETURNING id";
const DROP_BEFORE: &str = "DELETE FROM commands WHERE over_at < $1";

/// One command. Times are microseconds since 1970.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct CommandRow {
    /// Its id; single use.
    pub id: Uuid,
    /// The only agent that may run it.
    pub agent_id: Uuid,
    /// The target of a job that waits for it.
    pub target_id: Option<Uuid>,
    /// The exact text that was signed: JSON of `muster_protocol::Command`.
    pub payload: String,
    /// The server's signature, base64.
    pub signature: String,
    /// `pending`, `leased`, `acked`, `answered`, `expired` or `cancelled`.
    pub state: String,
    /// When it was made.
    pub issued_at: i64,
    /// Not to be started from then on.
    pub expires_at: i64,
    /// Not waited for from then on.
    pub answer_until: i64,
    /// Until when it is held for the agent that leased it.
    pub leased_until: Option<i64>,
    /// When it was answered, expired or cancelled.
    pub over_at: Option<i64>,
    /// What came of it: JSON of `muster_protocol::Outcome`, until somebody has used it.
    pub outcome: Option<String>,
}

/// A command to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCommand {
    /// Its id.
    pub id: CommandId,
    /// The only agent that may run it.
    pub agent: AgentId,
    /// The target of a job that waits for it.
    pub target: Option<TargetId>,
    /// The exact text that was signed.
    pub payload: String,
    /// The server's signature, base64.
    pub signature: String,
    /// Now.
    pub issued_at: Timestamp,
    /// Not to be started from then on.
    pub expires_at: Timestamp,
    /// Not waited for from then on.
    pub answer_until: Timestamp,
}

impl Tx {
    /// Adds a command.
    pub async fn insert_command(&mut self, command: &NewCommand) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(INSERT)
            .bind(command.id.0)
            .bind(command.agent.0)
            .bind(command.target.map(|id| id.0))
            .bind(&command.payload)
            .bind(&command.signature)
            .bind(command.issued_at.as_micros())
            .bind(command.expires_at.as_micros())
            .bind(command.answer_until.as_micros())
            .execute(conn)
            .await
            .map(drop))
        .during("add a command")
    }

    /// One command.
    pub async fn command(&mut self, id: CommandId) -> Result<Option<CommandRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ONE).bind(id.0).fetch_optional(conn).await).during("read a command")
    }

    /// Whether there is anything that the agent could lease.
    pub async fn has_commands(&mut self, agent: AgentId, now: Timestamp) -> Result<bool, StoreError> {
        let count: i64 =
            on!(self, conn => sqlx::query_scalar(WAITS).bind(agent.0).bind(now.as_micros()).fetch_one(conn).await)
                .during("look for commands")?;
        Ok(count > 0)
    }

    /// Hands an agent its oldest waiting commands, at most `limit`, until `until`. What it does not acknowledge by then is
    /// handed out again; what it acknowledged never is.
    pub async fn lease_commands(
        &mut self,
        agent: AgentId,
        limit: i64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<CommandRow>, StoreError> {
        let commands: Vec<CommandRow> = on!(self, conn => sqlx::query_as(LEASABLE)
            .bind(agent.0)
            .bind(now.as_micros())
            .bind(limit)
            .fetch_all(conn)
            .await)
        .during("look for commands")?;
        for command in &commands {
            on!(self, conn => sqlx::query(LEASE).bind(until.as_micros()).bind(command.id).execute(conn).await.map(drop))
                .during("lease a command")?;
        }
        Ok(commands)
    }

    /// Offers an agent again what it was handed and has not acknowledged: whoever handed it over did not reach it.
    pub async fn lapse_leases_of(&mut self, agent: AgentId) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(LAPSE).bind(agent.0).execute(conn).await.map(drop))
            .during("take leased commands back")
    }

    /// Notes that the agent has written the command down. False when it may not run: it is over, or its time has passed.
    pub async fn ack_command(&mut self, id: CommandId, agent: AgentId, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(ACK)
            .bind(id.0)
            .bind(agent.0)
            .bind(now.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .during("acknowledge a command")
    }

    /// Stores an outcome. False when the command was over already: its outcome stays as it was.
    pub async fn answer_command(
        &mut self,
        id: CommandId,
        agent: AgentId,
        outcome: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(ANSWER)
            .bind(outcome)
            .bind(now.as_micros())
            .bind(id.0)
            .bind(agent.0)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .during("store an outcome")
    }

    /// Cancels a command. False when it was over already.
    pub async fn cancel_command(&mut self, id: CommandId, now: Timestamp) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(CANCEL)
            .bind(now.as_micros())
            .bind(id.0)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .during("cancel a command")
    }

    /// Cancels what an agent has not answered.
    pub async fn cancel_commands_of(&mut self, agent: AgentId, now: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(CANCEL_OF_AGENT)
            .bind(now.as_micros())
            .bind(agent.0)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("cancel an agent's commands")
    }

    /// Drops an outcome that has been used; the command stays answered.
    pub async fn forget_outcome(&mut self, id: CommandId) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(FORGET_OUTCOME).bind(id.0).execute(conn).await.map(drop))
            .during("drop a used outcome")
    }

    /// Ends commands whose time has passed: those not started, and those acknowledged but never answered.
    pub async fn expire_commands(&mut self, now: Timestamp) -> Result<Vec<CommandId>, StoreError> {
        let ids: Vec<Uuid> = on!(self, conn => sqlx::query_scalar(EXPIRE).bind(now.as_micros()).fetch_all(conn).await)
            .during("expire commands")?;
        Ok(ids.into_iter().map(CommandId).collect())
    }

    /// Forgets commands that were over before `moment`.
    pub async fn drop_commands_before(&mut self, moment: Timestamp) -> Result<u64, StoreError> {
        on!(self, conn => sqlx::query(DROP_BEFORE)
            .bind(moment.as_micros())
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))
        .during("drop old commands")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::agents::AgentRow;
    use crate::testing::{both, fleet};

    const AGENT: AgentId = AgentId(Uuid::from_u128(7));
    const OTHER: AgentId = AgentId(Uuid::from_u128(8));
    const COMMAND: CommandId = CommandId(Uuid::from_u128(50));

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    /// An agent with one command that may be started until 100 and answered until 200.
    async fn with_command(store: &Store) {
        let agent = AgentRow {
            id: AGENT.0,
            guest_id: Uuid::from_u128(3),
            public_key: vec![1; 32],
            version: "0.1.0".to_owned(),
            facts: sqlx::types::Json(serde_json::json!({})),
            machine: None,
            counter: 0,
            generation: 0,
            quarantine: None,
            enrolled_at: 1,
        };
        let command = NewCommand {
            id: COMMAND,
            agent: AGENT,
            target: None,
            payload: "{}".to_owned(),
            signature: "s".to_owned(),
            issued_at: at(10),
            expires_at: at(100),
            answer_until: at(200),
        };
        let added: Result<(), StoreError> = crate::write!(store, tx => {
            tx.insert_cluster(&fleet::cluster(1, "a")).await?;
            tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
            tx.insert_guest(&fleet::guest(3, 1, 2, 100)).await?;
            tx.save_agent(&agent).await?;
            tx.insert_command(&command).await
        });
        added.expect("adds");
    }

    async fn lease(store: &Store, agent: AgentId, now: i64) -> usize {
        let leased: Result<_, StoreError> =
            crate::write!(store, tx => { tx.lease_commands(agent, 10, at(now), at(now + 30)).await });
        leased.expect("leases").len()
    }

    async fn has_commands(store: &Store, now: i64) -> bool {
        let mut tx = store.read().await.expect("reads");
        tx.has_commands(AGENT, at(now)).await.expect("reads")
    }

    async fn ack(store: &Store, agent: AgentId, now: i64) -> bool {
        let acked: Result<_, StoreError> =
            crate::write!(store, tx => { tx.ack_command(COMMAND, agent, at(now)).await });
        acked.expect("acknowledges")
    }

    async fn answer(store: &Store, agent: AgentId, outcome: &str) -> bool {
        let stored: Result<_, StoreError> =
            crate::write!(store, tx => { tx.answer_command(COMMAND, agent, outcome, at(60)).await });
        stored.expect("answers")
    }

    async fn expire(store: &Store, now: i64) -> Vec<CommandId> {
        let expired: Result<_, StoreError> = crate::write!(store, tx => { tx.expire_commands(at(now)).await });
        expired.expect("expires")
    }

    async fn command(store: &Store) -> CommandRow {
        let mut tx = store.read().await.expect("reads");
        tx.command(COMMAND).await.expect("reads").expect("exists")
    }

    both! {
        async fn a_lease_that_ran_out_is_given_again_an_acknowledged_command_never(store: &Store) {
            with_command(store).await;
            assert_eq!(lease(store, OTHER, 20).await, 0, "bound to another agent");
            assert!(has_commands(store, 20).await);
            assert_eq!(lease(store, AGENT, 20).await, 1);
            assert_eq!(lease(store, AGENT, 49).await, 0);
            assert!(!has_commands(store, 49).await);
            assert_eq!(lease(store, AGENT, 50).await, 1);
            assert!(!ack(store, OTHER, 51).await);
            assert!(ack(store, AGENT, 51).await);
            assert!(ack(store, AGENT, 199).await, "asked again after the connection was cut");
            assert_eq!(lease(store, AGENT, 90).await, 0);
        }

        async fn an_outcome_is_stored_once(store: &Store) {
            with_command(store).await;
            assert!(!answer(store, OTHER, "foreign").await);
            assert!(answer(store, AGENT, "first").await);
            assert!(!answer(store, AGENT, "second").await);
            let row = command(store).await;
            assert_eq!((row.state.as_str(), row.outcome.as_deref(), row.over_at), ("answered", Some("first"), Some(60)));
            assert!(!ack(store, AGENT, 61).await);
        }

        async fn a_command_that_was_not_started_expires(store: &Store) {
            with_command(store).await;
            assert_eq!(expire(store, 99).await, []);
            assert_eq!(lease(store, AGENT, 100).await, 0);
            assert!(!ack(store, AGENT, 100).await);
            assert_eq!(expire(store, 100).await, [COMMAND]);
            assert!(!answer(store, AGENT, "late").await);
        }

        async fn an_acknowledged_command_is_waited_for_longer(store: &Store) {
            with_command(store).await;
            assert!(ack(store, AGENT, 99).await);
            assert_eq!(expire(store, 199).await, []);
            assert_eq!(expire(store, 200).await, [COMMAND]);
        }

        async fn a_cancelled_command_may_not_run(store: &Store) {
            with_command(store).await;
            let cancelled: Result<_, StoreError> = crate::write!(store, tx => {
                Ok((tx.cancel_command(COMMAND, at(20)).await?, tx.cancel_commands_of(AGENT, at(20)).await?))
            });
            assert_eq!(cancelled.expect("cancels"), (true, 0));
            assert!(!ack(store, AGENT, 21).await);
            assert!(!answer(store, AGENT, "late").await);
            let dropped: Result<_, StoreError> = crate::write!(store, tx => {
                Ok((tx.drop_commands_before(at(20)).await?, tx.drop_commands_before(at(21)).await?))
            });
            assert_eq!(dropped.expect("drops"), (0, 1));
        }

        async fn a_used_outcome_is_dropped(store: &Store) {
            with_command(store).await;
            assert!(answer(store, AGENT, "{}").await);
            let forgotten: Result<(), StoreError> = crate::write!(store, tx => { tx.forget_outcome(COMMAND).await });
            forgotten.expect("forgets");
            assert_eq!(command(store).await.outcome, None);
        }
    }
}
