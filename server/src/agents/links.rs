//! Which agents are connected, in memory. Heartbeats change only this; the database hears of changes of state.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use muster_domain::agent::state_after;
use muster_domain::fleet::AgentState;
use muster_domain::{AgentId, GuestId, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The agents that are, or were a moment ago, connected.
#[derive(Default)]
pub struct Links {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: u64,
    agents: HashMap<AgentId, Entry>,
}

struct Entry {
    guest: GuestId,
    /// What the database says.
    state: AgentState,
    heard: Timestamp,
    /// The last number given, once a message has proven that it arrived.
    confirmed: Option<u64>,
    session: Option<Session>,
}

/// One connection of an agent.
#[derive(Clone)]
pub struct Session {
    /// Whose.
    pub agent: AgentId,
    number: u64,
    counter: u64,
    hint: Arc<Notify>,
    leave: CancellationToken,
}

/// An agent whose state is no longer what the database says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The agent.
    pub agent: AgentId,
    /// Its guest.
    pub guest: GuestId,
    /// What it is now.
    pub state: AgentState,
    /// When it was last heard of.
    pub heard: Timestamp,
}

impl Links {
    /// Takes in an agent that the database calls connected although this process has not seen it: it has from `now` the
    /// usual time to come back.
    pub fn expect(&self, agent: AgentId, guest: GuestId, now: Timestamp) {
        self.lock().agents.entry(agent).or_insert(Entry {
            guest,
            state: AgentState::Online,
            heard: now,
            confirmed: None,
            session: None,
        });
    }

    /// Notes a welcomed agent. An older connection of the same agent is ended: the newest one counts.
    pub fn connect(&self, agent: AgentId, guest: GuestId, counter: u64, now: Timestamp) -> Session {
        let mut inner = self.lock();
        inner.sessions += 1;
        let session = Session {
            agent,
            number: inner.sessions,
            counter,
            hint: Arc::new(Notify::new()),
            leave: CancellationToken::new(),
        };
        let before = inner.agents.insert(
            agent,
            Entry {
                guest,
                state: AgentState::Online,
                heard: now,
                confirmed: None,
                session: Some(session.clone()),
            },
        );
        if let Some(old) = before.and_then(|entry| entry.session) {
            old.leave.cancel();
        }
        session
    }

    /// Notes a message. It proves that the agent has stored the number of its welcome.
    pub fn heard(&self, session: &Session, now: Timestamp) {
        if let Some(entry) = self.lock().of(session) {
            entry.heard = now;
            entry.confirmed = Some(session.counter);
        }
    }

    /// Notes the end of a connection. The agent stays what it is until it has been silent for long enough.
    pub fn closed(&self, session: &Session) {
        if let Some(entry) = self.lock().of(session) {
            entry.session = None;
        }
    }

    /// Tells a connected agent that commands wait. Nothing is lost when it is not connected: it asks after each welcome.
    pub fn hint(&self, agent: AgentId) {
        if let Some(session) = self.lock().agents.get(&agent).and_then(|entry| entry.session.as_ref()) {
            session.hint.notify_one();
        }
    }

    /// Ends an agent's connection and forgets the agent: its identity no longer counts.
    pub fn forget(&self, agent: AgentId) {
        if let Some(session) = self.lock().agents.remove(&agent).and_then(|entry| entry.session) {
            session.leave.cancel();
        }
    }

    /// Whether the agent is known to have stored this number.
    pub fn is_confirmed(&self, agent: AgentId, counter: u64) -> bool {
        self.lock().agents.get(&agent).and_then(|entry| entry.confirmed) == Some(counter)
    }

    /// How an agent is; `None` when this process has never seen it.
    pub fn state(&self, agent: AgentId, now: Timestamp) -> Option<AgentState> {
        self.lock()
            .agents
            .get(&agent)
            .map(|entry| state_after(now.since(entry.heard)))
    }

    /// How many agents are connected.
    pub fn count(&self) -> usize {
        self.lock()
            .agents
            .values()
            .filter(|entry| entry.session.is_some())
            .count()
    }

    /// The agents whose state is no longer what the database says. Each stays in this list until it is [`noted`](Self::noted).
    pub fn changes(&self, now: Timestamp) -> Vec<Change> {
        let inner = self.lock();
        let changed = inner.agents.iter().filter_map(|(agent, entry)| {
            let state = state_after(now.since(entry.heard));
            (state != entry.state).then_some(Change {
                agent: *agent,
                guest: entry.guest,
                state,
                heard: entry.heard,
            })
        });
        changed.collect()
    }

    /// The database now says so. A connection that went silent for good is ended.
    pub fn noted(&self, change: &Change) {
        let mut inner = self.lock();
        let Some(entry) = inner.agents.get_mut(&change.agent) else {
            return;
        };
        entry.state = change.state;
        if change.state == AgentState::Offline
            && entry.heard == change.heard
            && let Some(session) = entry.session.take()
        {
            session.leave.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The agent's entry, while this is its newest connection.
    fn of(&mut self, session: &Session) -> Option<&mut Entry> {
        let current = |entry: &&mut Entry| {
            let of_entry = entry.session.as_ref();
            of_entry.is_some_and(|current| current.number == session.number)
        };
        self.agents.get_mut(&session.agent).filter(current)
    }
}

impl Session {
    /// Ends when there is something to lease.
    pub async fn hinted(&self) {
        self.hint.notified().await;
    }

    /// Ends when the connection is to be closed: a newer one replaced it, or the identity no longer counts.
    pub async fn left(&self) {
        self.leave.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use muster_domain::agent::{LATE_AFTER, OFFLINE_AFTER};
    use uuid::Uuid;

    use super::*;

    const AGENT: AgentId = AgentId(Uuid::from_u128(1));
    const GUEST: GuestId = GuestId(Uuid::from_u128(2));
    const START: Timestamp = Timestamp::from_micros(0);

    fn states(links: &Links, now: Timestamp) -> Vec<AgentState> {
        links.changes(now).iter().map(|change| change.state).collect()
    }

    #[test]
    fn silence_is_told_once_per_state() {
        let links = Links::default();
        let session = links.connect(AGENT, GUEST, 1, START);
        assert_eq!(states(&links, START), []);
        let late = START + LATE_AFTER;
        assert_eq!(states(&links, late), [AgentState::Late]);
        for change in links.changes(late) {
            links.noted(&change);
        }
        assert_eq!(states(&links, late), []);
        links.heard(&session, late);
        assert_eq!(states(&links, late), [AgentState::Online]);
    }

    #[tokio::test]
    async fn a_silent_connection_is_ended_and_the_newest_one_counts() {
        let links = Links::default();
        let first = links.connect(AGENT, GUEST, 1, START);
        let second = links.connect(AGENT, GUEST, 2, START);
        first.left().await;
        links.closed(&first);
        assert_eq!(
            links.count(),
            1,
            "the end of the old connection does not end the new one"
        );
        let dead = START + OFFLINE_AFTER;
        for change in links.changes(dead) {
            links.noted(&change);
        }
        second.left().await;
        assert_eq!(links.count(), 0);
    }

    #[test]
    fn only_a_message_after_the_welcome_confirms_its_number() {
        let links = Links::default();
        let session = links.connect(AGENT, GUEST, 7, START);
        assert!(!links.is_confirmed(AGENT, 7));
        links.heard(&session, START);
        assert!(links.is_confirmed(AGENT, 7));
        links.closed(&session);
        assert!(links.is_confirmed(AGENT, 7), "known beyond the end of the connection");
    }

    #[test]
    fn after_a_restart_agents_have_the_usual_time_to_come_back() {
        let links = Links::default();
        links.expect(AGENT, GUEST, START);
        assert_eq!(states(&links, START + Duration::from_secs(1)), []);
        assert_eq!(states(&links, START + OFFLINE_AFTER), [AgentState::Offline]);
    }
}
