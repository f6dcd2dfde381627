//! Putting the parts together and starting them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use muster_store::Store;
use tokio::net::TcpListener;

use crate::app::{App, Seal, discovery};
use crate::clock::{SystemClock, SystemIds};
use crate::config::Config;
use crate::lifecycle::Kick;
use crate::{http, jobs, telemetry};

/// How often what is old is dropped.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);

/// Opens what the configuration names: the database, brought up to date, and the key.
pub async fn open(config: Config) -> anyhow::Result<App> {
    let app = open_as_it_is(config).await?;
    app.store.migrate().await?;
    Ok(app)
}

/// Opens the database and brings its tables up to date.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let store = Store::open(config.database.expose()).await?;
    store.migrate().await?;
    Ok(store)
}

/// Runs the server until it is asked to stop.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    telemetry::recorder()?;
    let app = open_as_it_is(config).await?;
    // An active server of the version before goes on with its tables until it ends.
    let upgrade = app.store.is_older().await;
    if !upgrade {
        app.store.migrate().await?;
    }
    app.lifecycle.stop_on_signals().context("signals cannot be watched")?;
    let listener = listen(&app).await?;
    let tls = http::tls::start(&app)?;
    let address = listener.local_addr().context("the listener has no address")?;
    app.lease.wait();
    let served = http::serve::serve(listener, http::router(app.clone()), tls, app.lifecycle.clone());
    app.lifecycle.spawn("http", served);
    if app.wait_for_lease().await? {
        if upgrade {
            app.store.migrate().await?;
        }
        app.lease.active();
        let holder = app.clone();
        app.lifecycle
            .spawn("server lease", async move { holder.hold_lease().await });
        start_loops(&app);
        tracing::info!(
            url = app.config.base(), %address, database = %app.config.database, version = env!("CARGO_PKG_VERSION"),
            "Muster is serving"
        );
        print_setup_link(&app).await?;
    }
    app.lifecycle.stopping().cancelled().await;
    if !app.lifecycle.finish().await {
        tracing::warn!("some work did not end in time; it goes on at the next start");
    }
    if let Err(error) = app.release_lease().await {
        tracing::debug!(%error, "the server lease was not given up; it ends by itself");
    }
    app.store.close().await;
    tracing::info!("Muster has stopped");
    Ok(())
}

/// Starts the background loops. Each part adds its own here.
pub fn start_loops(app: &App) {
    let keeper = app.clone();
    app.lifecycle
        .every("housekeeping", HOUSEKEEPING, Kick::default(), move || {
            let app = keeper.clone();
            async move {
                let sessions = app.drop_ended_sessions().await?;
                let audit = app.drop_old_audit().await?;
                let events = app.drop_old_events().await?;
                Ok(format!(
                    "dropped {sessions} sessions, {audit} audit entries, {events} events"
                ))
            }
        });
    discovery::start(app);
    jobs::start(app);
}

async fn open_as_it_is(config: Config) -> anyhow::Result<App> {
    let seal = Seal::read(&config.key_file)?;
    let store = Store::open(config.database.expose()).await?;
    Ok(App::new(
        store,
        Arc::new(SystemClock),
        Arc::new(SystemIds),
        seal,
        config,
    ))
}

async fn listen(app: &App) -> anyhow::Result<TcpListener> {
    let address = app.config.listen;
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: is another program using the port? choose one with --listen")
    })
}

/// On standard output and not in the log, which others may collect.
async fn print_setup_link(app: &App) -> anyhow::Result<()> {
    if let Some(link) = app.setup_link().await? {
        println!("Set Muster up within a day: {}", *link);
    }
    Ok(())
}
