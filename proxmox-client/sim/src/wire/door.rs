//! A node's listener, which can be closed (the node is off) and opened again.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::connection;
use crate::site::Site;

/// How long opening and closing may take.
const MOVES_WITHIN: Duration = Duration::from_secs(5);

/// How often a common free port is looked for.
const PORT_TRIES: usize = 50;

/// Where one node listens.
pub(crate) struct Door {
    /// The node's name.
    pub(crate) node: String,
    /// Its address.
    pub(crate) address: SocketAddr,
    tls: RwLock<Arc<ServerConfig>>,
    open: watch::Sender<bool>,
    /// Whether it listens by now.
    listens: (Mutex<bool>, Condvar),
}

impl Door {
    /// An open door.
    pub(crate) fn new(node: &str, address: SocketAddr, tls: Arc<ServerConfig>) -> Door {
        Door {
            node: node.to_owned(),
            address,
            tls: RwLock::new(tls),
            open: watch::Sender::new(true),
            listens: (Mutex::new(true), Condvar::new()),
        }
    }

    /// What it presents to new connections.
    pub(crate) fn tls(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.tls.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Presents another certificate from now on.
    pub(crate) fn set_tls(&self, tls: Arc<ServerConfig>) {
        *self.tls.write().unwrap_or_else(PoisonError::into_inner) = tls;
    }

    /// Opens it, or closes it with all its connections; when this returns, that is done.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.send_replace(open);
        let (listens, changed) = &self.listens;
        let listens = listens.lock().unwrap_or_else(PoisonError::into_inner);
        // Only a port that somebody else took meanwhile lets the time run out.
        drop(changed.wait_timeout_while(listens, MOVES_WITHIN, |listens| *listens != open));
    }

    fn note(&self, listens: bool) {
        *self.listens.0.lock().unwrap_or_else(PoisonError::into_inner) = listens;
        self.listens.1.notify_all();
    }

    /// Serves until `stop`. `listener` is the one that took the port at the start.
    pub(crate) async fn serve(self: Arc<Door>, listener: StdListener, site: Arc<Site>, stop: CancellationToken) {
        let mut waiting = Some(listener);
        let mut open = self.open.subscribe();
        loop {
            let listener = match waiting.take() {
                Some(listener) => TcpListener::from_std(listener),
                None => TcpListener::bind(self.address).await,
            };
            let listener = match listener {
                Ok(listener) => listener,
                Err(error) => return tracing::error!(%error, address = %self.address, "cannot listen"),
            };
            self.note(true);
            let closing = stop.child_token();
            tokio::select! {
                () = self.accept(&listener, &site, &closing) => {}
                _ = open.wait_for(|open| !open) => {}
                () = stop.cancelled() => {}
            }
            drop(listener);
            closing.cancel();
            self.note(false);
            tokio::select! {
                opened = open.wait_for(|open| *open) => if opened.is_err() { return },
                () = stop.cancelled() => return,
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    async fn accept(self: &Arc<Door>, listener: &TcpListener, site: &Arc<Site>, closing: &CancellationToken) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (door, site, closing) = (Arc::clone(self), Arc::clone(site), closing.clone());
                    tokio::spawn(async move {
                        tokio::select! {
                            () = connection::serve(stream, door, site) => {}
                            () = closing.cancelled() => {}
                        }
                    });
                }
                Err(error) => debug!(%error, "a connection was lost before it was accepted"),
            }
        }
    }
}

/// Listens on every address at the same port: `port`, or a free one if it is 0.
pub(crate) fn bind_all(addresses: &[std::net::Ipv4Addr], port: u16) -> Result<(u16, Vec<StdListener>)> {
    for _ in 0..PORT_TRIES {
        match try_bind_all(addresses, port) {
            Ok(bound) => return Ok(bound),
            Err(error) if port != 0 => return Err(error),
            Err(error) => debug!(%error, "that port is taken somewhere, trying another"),
        }
    }
    bail!(
        "found no port that is free on all of {} addresses; stop what else uses 127.70.0.0 and above",
        addresses.len()
    )
}

fn try_bind_all(addresses: &[std::net::Ipv4Addr], wanted: u16) -> Result<(u16, Vec<StdListener>)> {
    let mut port = wanted;
    let mut listeners = Vec::new();
    for address in addresses {
        let at = SocketAddr::from((*address, port));
        let listener = StdListener::bind(at).with_context(|| format!("cannot listen on {at}"))?;
        listener.set_nonblocking(true)?;
        port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok((port, listeners))
}
