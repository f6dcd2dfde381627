//! Waking whoever waits for a thing with an id. A signal that nobody waits for is lost, which is fine: the database is the
//! truth, and waiting begins with looking there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

/// Who waits for what. One waiter per id.
#[derive(Default)]
pub struct Signals {
    waiting: Mutex<HashMap<Uuid, Arc<Notify>>>,
}

/// Somebody who waits; dropping it ends the waiting.
pub struct Waiting {
    signals: Arc<Signals>,
    id: Uuid,
    notify: Arc<Notify>,
}

impl Signals {
    /// Begins to wait for `id`: signals from now on are not missed.
    pub fn wait_for(self: &Arc<Self>, id: Uuid) -> Waiting {
        let notify = Arc::new(Notify::new());
        self.lock().insert(id, notify.clone());
        Waiting {
            signals: self.clone(),
            id,
            notify,
        }
    }

    /// Wakes whoever waits for `id`.
    pub fn signal(&self, id: Uuid) {
        if let Some(notify) = self.lock().get(&id) {
            notify.notify_one();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Ends with the next signal, or at once when one came since the last call.
    pub async fn signalled(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = self.signals.lock();
        if waiting
            .get(&self.id)
            .is_some_and(|notify| Arc::ptr_eq(notify, &self.notify))
        {
            waiting.remove(&self.id);
        }
    }
}
