//! One session per container.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The containers whose console a client has open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Consoles(Arc<Mutex<HashSet<u32>>>);

/// The right to be at a container's console; ends with its last clone.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    _held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    consoles: Consoles,
    vmid: u32,
}

impl Consoles {
    /// The seat at a container's console, unless it is taken.
    pub(super) fn take(&self, vmid: u32) -> Option<Seat> {
        let is_free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(vmid);
        is_free.then(|| Seat {
            _held: Arc::new(Held {
                consoles: self.clone(),
                vmid,
            }),
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.consoles
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.vmid);
    }
}
