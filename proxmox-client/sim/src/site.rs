//! A cluster with what surrounds it: clock, faults, listeners.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::Method;
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::sync::mpsc::UnboundedSender;

use crate::clock::Clock;
use crate::faults::{Fault, Faults};
use crate::guests::{Id, Nature};
use crate::qga::{GuestAgents, Wish};
use crate::terminals::{Seat, Terminals};
use crate::wire::{Door, Pki};
use crate::world::{Cluster, ConsoleMode, Event, Millis};

/// How long Proxmox VE takes for what it delays on purpose or cannot help.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Before the answer to a failed login.
    pub failed_login: Duration,
    /// Before the answer that another node cannot be reached.
    pub unreachable: Duration,
    /// Before the answer that a guest agent does not answer.
    pub silent_agent: Duration,
    /// How long a console waits for its client to say who it is.
    pub console_login: Duration,
    /// By how much the first start after the rollback of a container that ran is late (on images; 15 to 48 s).
    pub slow_mount: Duration,
    /// How long a connection may be idle before it is closed.
    pub idle: Duration,
}

impl Default for Timing {
    /// As measured on Proxmox VE 9.1.9.
    fn default() -> Timing {
        let seconds = Duration::from_secs;
        Timing {
            failed_login: seconds(3),
            unreachable: seconds(3),
            silent_agent: seconds(3),
            console_login: seconds(10),
            slow_mount: seconds(15),
            idle: seconds(5),
        }
    }
}

/// What is outside of a cluster's state: the systems in its guests, and who follows what happens to them.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) events: UnboundedSender<(usize, Event)>,
    pub(crate) terminals: Arc<Terminals>,
    pub(crate) agents: Arc<GuestAgents>,
}

/// One simulated cluster on the network.
pub(crate) struct Site {
    /// Its place among the clusters.
    pub(crate) index: usize,
    name: String,
    pub(crate) faults: Faults,
    pub(crate) timing: Timing,
    pub(crate) doors: Vec<Arc<Door>>,
    pub(crate) pki: Pki,
    clock: Clock,
    cluster: Mutex<Cluster>,
    around: Around,
    console_cuts: broadcast::Sender<String>,
    not_modelled: Mutex<BTreeSet<String>>,
    calls: Mutex<BTreeMap<String, u64>>,
}

impl Site {
    /// Puts a cluster on the network.
    pub(crate) fn new(
        index: usize,
        cluster: Cluster,
        (pki, doors): (Pki, Vec<Arc<Door>>),
        (clock, timing): (Clock, Timing),
        around: Around,
    ) -> Site {
        let name = cluster.name.clone();
        let (faults, not_modelled, cluster) = (Faults::default(), Mutex::default(), Mutex::new(cluster));
        Site {
            index,
            name,
            faults,
            timing,
            doors,
            pki,
            clock,
            cluster,
            around,
            console_cuts: broadcast::Sender::new(64),
            not_modelled,
            calls: Mutex::default(),
        }
    }

    /// Sits down at the terminal of a running container, which boots if it has to.
    pub(crate) fn attach(&self, vmid: u32, nature: &Nature, mode: ConsoleMode, by_ssh: bool) -> Result<Seat> {
        let cluster = self.name.clone();
        self.around
            .terminals
            .attach(&Id { cluster, vmid }, nature, mode, by_ssh)
    }

    /// Has the guest agent in a running machine do something; the error is what it says.
    pub(crate) fn ask_agent(&self, vmid: u32, wish: Wish) -> Result<Value> {
        let nature = self.with(|cluster, _| cluster.guests.get(&vmid).and_then(Nature::of));
        let nature = nature.context("the machine was switched off")?;
        let cluster = self.name.clone();
        self.around.agents.perform(&Id { cluster, vmid }, &nature, wish)
    }

    /// The tasks of consoles that somebody stops from now on.
    pub(crate) fn console_cuts(&self) -> broadcast::Receiver<String> {
        self.console_cuts.subscribe()
    }

    /// Milliseconds since 1970, by the cluster's clock.
    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Works with the cluster as it is now. What happened to its guests is passed on.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Cluster, Millis) -> T) -> T {
        let mut cluster = self.lock();
        let now = self.now();
        cluster.advance(now);
        let result = work(&mut cluster, now);
        for event in cluster.take_events() {
            match event {
                // Its client may have gone just before.
                Event::ConsoleCut { upid } => drop(self.console_cuts.send(upid)),
                // Nobody listens while everything is being stopped.
                event => drop(self.around.events.send((self.index, event))),
            }
        }
        result
    }

    /// Remembers that there was no answer for a call that Proxmox VE has.
    pub(crate) fn note_not_modelled(&self, method: &Method, path: &str) {
        tracing::warn!(%method, path, "Proxmox VE has this call, the simulator does not model it");
        let mut calls = self.not_modelled.lock().unwrap_or_else(PoisonError::into_inner);
        calls.insert(format!("{method} {path}"));
    }

    /// Counts a request that arrived, whatever becomes of it.
    pub(crate) fn count_call(&self, method: &Method, path: &str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(format!("{method} {path}")).or_default() += 1;
    }

    /// How often each call has come, and begins to count anew.
    pub(crate) fn take_calls(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls for which there was no answer.
    pub(crate) fn not_modelled(&self) -> Vec<String> {
        let calls = self.not_modelled.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().cloned().collect()
    }

    /// Switches a node off or on.
    pub(crate) fn set_online(&self, node: &str, online: bool) -> Result<()> {
        let exists = self.with(|cluster, now| cluster.set_online(node, online, now));
        anyhow::ensure!(exists, "there is no node '{node}'");
        self.set_doors();
        Ok(())
    }

    /// Switches a fault on.
    pub(crate) fn set_fault(&self, node: Option<&str>, fault: Fault) -> Result<()> {
        if let Some(node) = node {
            self.door(node)?;
        }
        self.faults.set(node, fault);
        self.set_doors();
        Ok(())
    }

    /// Switches faults off.
    pub(crate) fn clear_faults(&self, node: Option<&str>) {
        self.faults.clear(node);
        self.set_doors();
    }

    /// Gives a node a new key and certificate, as its renewal does.
    pub(crate) fn renew_certificate(&self, node: &str) -> Result<String> {
        let door = self.door(node)?;
        let certificate = self.pki.renew(node, &door.address.ip().to_string())?;
        door.set_tls(certificate.tls);
        let fingerprint = certificate.fingerprint;
        self.with(|cluster, _| {
            if let Some(node) = cluster.node_mut(node) {
                node.fingerprint.clone_from(&fingerprint);
            }
        });
        Ok(fingerprint)
    }

    fn door(&self, node: &str) -> Result<&Arc<Door>> {
        self.doors
            .iter()
            .find(|door| door.node == node)
            .with_context(|| format!("there is no node '{node}'"))
    }

    /// A node listens if it is on and no fault keeps it from that.
    fn set_doors(&self) {
        for door in &self.doors {
            let is_online = self.with(|cluster, _| cluster.node(&door.node).is_some_and(|node| node.online));
            door.set_open(is_online && !self.faults.of(&door.node).refuses());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
