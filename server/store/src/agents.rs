//! Agents: one identity per guest. Whether an agent is online stands in its guest's row and in memory.

use muster_domain::{AgentId, GuestId};
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{During as _, StoreError};
use crate::tx::{Tx, on};

const ONE: &str = "SELECT * FROM agents WHERE id = $1";
const OF_GUEST: &str = "SELECT * FROM agents WHERE guest_id = $1";
const SAVE: &str = "INSERT INTO agents (id, guest_id, public_key, version, facts, machine, counter, generation, \
    quarantine, enrolled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
    ON CONFLICT (guest_id) DO UPDATE SET public_key = excluded.public_key, version = excluded.version, \
    facts = excluded.facts, machine = excluded.machine, counter = excluded.counter, \
    generation = excluded.generation, quarantine = excluded.quarantine, enrolled_at = excluded.enrolled_at";
const ADVANCE: &str = "UPDATE agents SET counter = $1, version = $2 WHERE id = $3 AND counter = $4";
const QUARANTINE: &str = "UPDATE agents SET quarantine = $1 WHERE id = $2";
const REMOVE: &str = "DELETE FROM agents WHERE id = $1";
const SAME_MACHINE: &str = "SELECT a.guest_id, g.name, g.vmid FROM agents a JOIN guests g ON g.id = a.guest_id \
    WHERE a.machine = $1 AND a.guest_id <> $2 AND g.gone_at IS NULL ORDER BY g.name, g.id LIMIT 5";
const CONNECTED: &str = "SELECT a.id, a.guest_id FROM agents a JOIN guests g ON g.id = a.guest_id \
    WHERE g.agent_state IN ('online', 'late')";

/// One agent.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AgentRow {
    /// Its id.
    pub id: Uuid,
    /// Its guest.
    pub guest_id: Uuid,
    /// Its Ed25519 public key, 32 bytes.
    pub public_key: Vec<u8>,
    /// Version of its program.
    pub version: String,
    /// What it saw of its host at enrolment: JSON of `muster_protocol::HostFacts`.
    pub facts: Json<serde_json::Value>,
    /// Hash of its machine id.
    pub machine: Option<String>,
    /// The number given with the last welcome.
    pub counter: i64,
    /// Raised after a rollback of the guest's disk.
    pub generation: i64,
    /// Why it may not connect.
    pub quarantine: Option<String>,
    /// When it enrolled, microseconds since 1970.
    pub enrolled_at: i64,
}

/// A guest whose agent reports the same machine id as another.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct SameMachine {
    /// The guest.
    pub guest_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its number.
    pub vmid: i64,
}

impl Tx {
    /// One agent.
    pub async fn agent(&mut self, id: AgentId) -> Result<Option<AgentRow>, StoreError> {
        on!(self, conn => sqlx::query_as(ONE).bind(id.0).fetch_optional(conn).await).during("read an agent")
    }

    /// The agent of a guest.
    pub async fn agent_of(&mut self, guest: GuestId) -> Result<Option<AgentRow>, StoreError> {
        on!(self, conn => sqlx::query_as(OF_GUEST).bind(guest.0).fetch_optional(conn).await)
            .during("read a guest's agent")
    }

    /// Adds the guest's agent, or gives the one it has a new identity under its old id.
    pub async fn save_agent(&mut self, agent: &AgentRow) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(SAVE)
            .bind(agent.id)
            .bind(agent.guest_id)
            .bind(&agent.public_key)
            .bind(&agent.version)
            .bind(&agent.facts)
            .bind(&agent.machine)
            .bind(agent.counter)
            .bind(agent.generation)
            .bind(&agent.quarantine)
            .bind(agent.enrolled_at)
            .execute(conn)
            .await
            .map(drop))
        .during("store an agent")
    }

    /// Sets an agent's counter from `seen` to `counter`. False when another hello was quicker.
    pub async fn advance_agent(
        &mut self,
        id: AgentId,
        seen: i64,
        counter: i64,
        version: &str,
    ) -> Result<bool, StoreError> {
        on!(self, conn => sqlx::query(ADVANCE)
            .bind(counter)
            .bind(version)
            .bind(id.0)
            .bind(seen)
            .execute(conn)
            .await
            .map(|done| done.rows_affected() == 1))
        .during("count an agent's connection")
    }

    /// Keeps an agent from connecting, and says why.
    pub async fn quarantine_agent(&mut self, id: AgentId, reason: &str) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(QUARANTINE).bind(reason).bind(id.0).execute(conn).await.map(drop))
            .during("quarantine an agent")
    }

    /// Forgets an agent with its commands.
    pub async fn remove_agent(&mut self, id: AgentId) -> Result<(), StoreError> {
        on!(self, conn => sqlx::query(REMOVE).bind(id.0).execute(conn).await.map(drop)).during("remove an agent")
    }

    /// Other guests whose agent reported this machine id, at most five.
    pub async fn agents_on_machine(&mut self, machine: &str, but: GuestId) -> Result<Vec<SameMachine>, StoreError> {
        on!(self, conn => sqlx::query_as(SAME_MACHINE).bind(machine).bind(but.0).fetch_all(conn).await)
            .during("look for agents on the same machine")
    }

    /// The agents whose guests' rows say that they are online or late, each with its guest.
    pub async fn agents_believed_connected(&mut self) -> Result<Vec<(AgentId, GuestId)>, StoreError> {
        let ids: Vec<(Uuid, Uuid)> =
            on!(self, conn => sqlx::query_as(CONNECTED).fetch_all(conn).await).during("read the connected agents")?;
        Ok(ids
            .into_iter()
            .map(|(agent, guest)| (AgentId(agent), GuestId(guest)))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::guests::GuestAgent;
    use crate::testing::{both, fleet};

    fn agent(id: u128, guest: u128) -> AgentRow {
        AgentRow {
            id: Uuid::from_u128(id),
            guest_id: Uuid::from_u128(guest),
            public_key: vec![1; 32],
            version: "0.1.0".to_owned(),
            facts: Json(serde_json::json!({ "os_id": "debian" })),
            machine: Some("m".to_owned()),
            counter: 0,
            generation: 0,
            quarantine: None,
            enrolled_at: 1,
        }
    }

    async fn with_agents(store: &Store) {
        let added: Result<(), StoreError> = crate::write!(store, tx => {
            tx.insert_cluster(&fleet::cluster(1, "a")).await?;
            tx.insert_node(&fleet::node(2, 1, "pve1")).await?;
            tx.insert_guest(&fleet::guest(3, 1, 2, 100)).await?;
            tx.insert_guest(&fleet::guest(4, 1, 2, 101)).await?;
            tx.save_agent(&agent(7, 3)).await?;
            tx.save_agent(&agent(8, 4)).await
        });
        added.expect("adds");
    }

    both! {
        async fn a_second_enrolment_replaces_the_identity_under_the_same_id(store: &Store) {
            with_agents(store).await;
            let id = AgentId(Uuid::from_u128(7));
            let mut again = agent(99, 3);
            again.public_key = vec![2; 32];
            let written: Result<(), StoreError> = crate::write!(store, tx => {
                tx.quarantine_agent(id, "copied").await?;
                tx.save_agent(&again).await
            });
            written.expect("writes");
            again.id = id.0;
            let mut tx = store.read().await.expect("reads");
            assert_eq!(tx.agent(id).await.expect("reads"), Some(again.clone()));
            assert_eq!(tx.agent_of(GuestId(again.guest_id)).await.expect("reads"), Some(again));
        }

        async fn of_two_hellos_with_one_counter_one_counts(store: &Store) {
            with_agents(store).await;
            let id = AgentId(Uuid::from_u128(7));
            let advanced: Result<_, StoreError> = crate::write!(store, tx => {
                Ok((tx.advance_agent(id, 0, 1, "0.2.0").await?, tx.advance_agent(id, 0, 1, "0.2.0").await?))
            });
            assert_eq!(advanced.expect("advances"), (true, false));
            let mut tx = store.read().await.expect("reads");
            let row = tx.agent(id).await.expect("reads").expect("exists");
            assert_eq!((row.counter, row.version.as_str()), (1, "0.2.0"));
        }

        async fn copies_of_a_machine_and_connected_agents_are_found(store: &Store) {
            with_agents(store).await;
            let online = GuestAgent { state: "online", version: None, seen_at: None, reason: None };
            let written: Result<(), StoreError> =
                crate::write!(store, tx => { tx.set_guest_agent(GuestId(Uuid::from_u128(4)), &online).await });
            written.expect("writes");
            let mut tx = store.read().await.expect("reads");
            let same = tx.agents_on_machine("m", GuestId(Uuid::from_u128(3))).await.expect("reads");
            assert_eq!(same.iter().map(|guest| guest.vmid).collect::<Vec<_>>(), [101]);
            assert_eq!(tx.agents_believed_connected().await.expect("reads"), [(AgentId(Uuid::from_u128(8)), GuestId(Uuid::from_u128(4)))]);
            drop(tx);
            let removed: Result<(), StoreError> =
                crate::write!(store, tx => { tx.remove_agent(AgentId(Uuid::from_u128(8))).await });
            removed.expect("removes");
            let mut tx = store.read().await.expect("reads");
            assert_eq!(tx.agent_of(GuestId(Uuid::from_u128(4))).await.expect("reads"), None);
        }
    }
}
