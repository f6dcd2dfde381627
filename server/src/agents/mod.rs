//! The agent channel: enrolment, the WebSocket of each agent, and what its installation fetches.
//!
//! Nothing here decides anything that lasts. Who is connected is kept in memory ([`Links`]) and learned again after a start;
//! commands, identities and states are rows, written by the use cases in `app`.

mod certificate;
mod download;
mod enrol;
mod identity;
mod link;
mod links;
mod programs;
mod signals;
mod socket;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::sync::{OnceCell, Semaphore};

use crate::app::{App, Error};
use crate::http::Site;

pub use certificate::OwnCertificate;
pub(crate) use identity::SERVER;
pub use identity::ServerIdentity;
pub use links::{Change, Links, Session};
pub use programs::{Program, ProgramError, Programs};
pub use signals::{Signals, Waiting};

/// Largest body of an enrolment, in bytes.
const ENROLMENT_LIMIT: usize = 64 * 1024;
/// Links that may be between their first byte and their welcome. Further ones are told to come back.
const HANDSHAKES: usize = 1024;
/// Handshakes that may use the database at a time.
const ADMISSIONS: usize = 32;

/// What this process knows of agents. Cheap to clone.
#[derive(Clone)]
pub struct Agents {
    /// Who is connected.
    pub links: Arc<Links>,
    /// Wakes whoever waits for the end of a command.
    pub settled: Arc<Signals>,
    /// The agent programs that guests fetch.
    pub programs: Arc<Programs>,
    /// What they meet where Muster serves TLS itself.
    pub certificate: Arc<OwnCertificate>,
    identity: Arc<OnceCell<ServerIdentity>>,
    handshakes: Arc<Semaphore>,
    admissions: Arc<Semaphore>,
}

impl Agents {
    /// With nobody connected. Agent programs are looked for in `folder`, or built in.
    pub fn new(folder: Option<PathBuf>) -> Agents {
        Agents {
            links: Arc::default(),
            settled: Arc::default(),
            programs: Arc::new(Programs::new(folder)),
            certificate: Arc::default(),
            identity: Arc::default(),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
            admissions: Arc::new(Semaphore::new(ADMISSIONS)),
        }
    }
}

impl App {
    /// The server's own key, which signs welcomes and commands.
    pub async fn identity(&self) -> Result<&ServerIdentity, Error> {
        let load = || ServerIdentity::load(&self.store, &self.seal, self.ids.as_ref());
        self.agents.identity.get_or_try_init(load).await
    }
}

/// The addresses that agents and their installation use. They are no part of the API that people use.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/install/{id}", get(download::script))
        .route("/agent/download/{arch}", get(download::program))
        .route(
            "/agent/v1/enrol",
            post(enrol::enrol).layer(DefaultBodyLimit::max(ENROLMENT_LIMIT)),
        )
        .route("/agent/v1/link", get(link::link))
}
