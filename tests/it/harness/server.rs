//! A server in this process: its inside can be looked at, and its clock can be set.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Result, ensure};
use muster::app::inspection::inspect;
use muster::app::tokens::NewToken;
use muster::app::{App, Caller, Ctx, Seal};
use muster::clock::{Clock, SystemClock, SystemIds};
use muster::config::Config;
use muster_domain::access::Role;
use muster_domain::{RequestId, Timestamp};
use muster_store::Store;
use tokio::net::TcpListener;

use super::{Client, Place};

/// A running server. Its background work ends and its database goes with this value.
pub(crate) struct Muster {
    client: Client,
    /// The server from the inside, for what has no address.
    pub(crate) app: App,
    _place: Place,
}

/// What of a server a test takes into its own hands.
pub(crate) struct Start {
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether clusters are discovered by themselves, and other loops run.
    pub(crate) discovers: bool,
    /// Seconds that one exchange with Proxmox VE may take.
    pub(crate) pve_timeout_seconds: u64,
}

impl Default for Start {
    fn default() -> Start {
        Start {
            clock: Arc::new(SystemClock),
            discovers: true,
            pve_timeout_seconds: Config::default().pve_timeout_seconds,
        }
    }
}

/// The system's clock, ahead or behind by as much as a test likes.
#[derive(Default)]
pub(crate) struct ShiftedClock(AtomicI64);

impl ShiftedClock {
    /// Sets it forward, or back.
    pub(crate) fn shift(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(SystemClock.now().as_micros() + self.0.load(Ordering::SeqCst))
    }
}

impl Muster {
    /// Starts a server on SQLite.
    pub(crate) async fn start() -> Result<Muster> {
        Muster::start_on(Place::on_sqlite()?, Start::default()).await
    }

    /// Starts a server on SQLite, parts of which are in the test's hands.
    pub(crate) async fn start_with(start: Start) -> Result<Muster> {
        Muster::start_on(Place::on_sqlite()?, start).await
    }

    /// Starts a server on PostgreSQL.
    pub(crate) async fn start_on_postgres() -> Result<Muster> {
        Muster::start_on(Place::on_postgres().await?, Start::default()).await
    }

    /// Starts a server on SQLite that serves TLS by a certificate of its own making.
    pub(crate) async fn start_with_tls() -> Result<Muster> {
        Muster::start_on(Place::on_sqlite()?.with_tls()?, Start::default()).await
    }

    async fn start_on(place: Place, start: Start) -> Result<Muster> {
        let config = Config {
            pve_timeout_seconds: start.pve_timeout_seconds,
            ..place.config()
        };
        let app = open(config, start.clock).await?;
        app.store.migrate().await?;
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let tls = muster::http::tls::start(&app)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        if start.discovers {
            muster::boot::start_loops(&app);
        } else {
            muster::jobs::start(&app);
        }
        let served =
            muster::http::serve::serve(listener, muster::http::router(app.clone()), tls, app.lifecycle.clone());
        app.lifecycle.spawn("http", served);
        let mut client = Client::new(url, token(&app, Role::Admin).await?);
        if let Some(certificate) = &app.config.tls_cert {
            client = client.believing(&std::fs::read(certificate)?)?;
        }
        Ok(Muster {
            client,
            app,
            _place: place,
        })
    }

    /// Fails when stored rows contradict each other, as `muster doctor --store` does. Call it last.
    pub(crate) async fn assert_store_is_clean(&self) -> Result<()> {
        assert_clean(&self.app).await
    }
}

impl Deref for Muster {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Muster {
    fn drop(&mut self) {
        self.app.lifecycle.stop();
    }
}

/// Fails when stored rows contradict each other.
pub(crate) async fn assert_clean(app: &App) -> Result<()> {
    let mut tx = app.store.read().await?;
    let findings = inspect(&mut tx, app.clock.now()).await?;
    ensure!(findings.is_empty(), "the store is not clean: {findings:#?}");
    Ok(())
}

/// The inside of a server that does nothing by itself.
pub(crate) async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<App> {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        // A second test of the same process finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let seal = Seal::read(&config.key_file)?;
    let store = Store::open(config.database.expose()).await?;
    Ok(App::new(store, clock, Arc::new(SystemIds), seal, config))
}

/// The context of somebody with a shell on the server.
pub(crate) fn shell(app: &App) -> Ctx {
    Ctx {
        caller: Caller::CommandLine,
        request: RequestId(app.ids.next()),
    }
}

/// A token of that role.
pub(crate) async fn token(app: &App, role: Role) -> Result<String> {
    let new = NewToken {
        name: format!("test {}", role.as_str()),
        role,
        owner: None,
        expires_at: None,
    };
    let (_, text) = app.create_token(&shell(app), new).await?;
    Ok(text.to_string())
}
