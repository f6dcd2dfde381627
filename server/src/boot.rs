//! Putting the parts together and starting them.

use std::sync::Arc;

use anyhow::Context as _;
use muster_store::Store;
use tokio::net::TcpListener;

use crate::app::{App, Seal, discovery};
use crate::clock::{SystemClock, SystemIds};
use crate::config::Config;
use crate::{http, jobs};

/// Opens what the configuration names: the database, brought up to date, and the key.
pub async fn open(config: Config) -> anyhow::Result<App> {
    let seal = Seal::read(&config.key_file)?;
    let store = open_store(&config).await?;
    Ok(App::new(
        store,
        Arc::new(SystemClock),
        Arc::new(SystemIds),
        seal,
        config,
    ))
}

/// Opens the database and brings its tables up to date.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let store = Store::open(config.database.expose()).await?;
    store.migrate().await?;
    Ok(store)
}

/// Runs the server until it is asked to stop.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let app = open(config).await?;
    app.lifecycle.stop_on_signals().context("signals cannot be watched")?;
    let address = app.config.listen;
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: is another program using the port? choose one with --listen")
    })?;
    let address = listener.local_addr().context("the listener has no address")?;
    start_loops(&app);
    tracing::info!(%address, database = %app.config.database, version = env!("CARGO_PKG_VERSION"), "Muster is serving");
    http::serve::serve(listener, http::router(app.clone()), None, app.lifecycle.clone()).await;
    if !app.lifecycle.finish().await {
        tracing::warn!("some work did not end in time; it goes on at the next start");
    }
    app.store.close().await;
    tracing::info!("Muster has stopped");
    Ok(())
}

/// Starts the background loops. Each part adds its own here.
pub fn start_loops(app: &App) {
    discovery::start(app);
    jobs::start(app);
}
