//! Where a server lives: its key, its database and the agents it hands out.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use muster::app::Seal;
use muster::config::{Config, DatabaseUrl};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use zeroize::Zeroizing;

/// A folder with a key, and a database. Both go with this value.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    database: String,
}

impl Place {
    /// With a database of SQLite.
    pub(crate) fn on_sqlite() -> Result<Place> {
        let folder = tempfile::tempdir()?;
        let database = format!("sqlite:{}", folder.path().join("muster.db").display());
        Place::new(folder, database)
    }

    /// With a fresh database of the PostgreSQL server that `TEST_POSTGRES_URL` names.
    pub(crate) async fn on_postgres() -> Result<Place> {
        Place::new(tempfile::tempdir()?, create_database().await?)
    }

    /// The same, with a certificate of its own making.
    pub(crate) fn with_tls(self) -> Result<Place> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        std::fs::write(self.path("cert.pem"), made.cert.pem())?;
        std::fs::write(self.path("key.pem"), made.signing_key.serialize_pem())?;
        Ok(self)
    }

    fn new(folder: tempfile::TempDir, database: String) -> Result<Place> {
        let place = Place { folder, database };
        Seal::create(&place.path("key"), Zeroizing::new([7; 32]))?;
        Ok(place)
    }

    /// A file of the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of the database.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// A server's configuration.
    pub(crate) fn config(&self) -> Config {
        let file = |name: &str| Some(self.path(name)).filter(|path| path.is_file());
        Config {
            database: DatabaseUrl::new(&self.database),
            key_file: self.path("key"),
            tls_cert: file("cert.pem"),
            tls_key: file("key.pem"),
            // A server with a certificate of its own stands before agents itself.
            trusted_proxies: match file("cert.pem") {
                Some(_) => Vec::new(),
                None => vec!["127.0.0.1/32".parse().expect("a network")],
            },
            agent_dir: Some(agents().unwrap_or_else(|| self.path("agents"))),
            ..Config::default()
        }
    }
}

/// The folder with the static agent, which `make test` builds.
pub(super) fn agents() -> Option<PathBuf> {
    std::env::var_os("TEST_AGENTS").map(PathBuf::from)
}

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Creates an empty database. Its name holds the process id, so that tests of several processes do not meet.
async fn create_database() -> Result<String> {
    let base = std::env::var("TEST_POSTGRES_URL")
        .context("TEST_POSTGRES_URL names a throw-away PostgreSQL server; `make test` starts one")?;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("muster_it_{}_{count}", std::process::id());
    let mut admin = PgConnection::connect(&base).await?;
    admin
        .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}")))
        .await?;
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    let (server, _) = base.rsplit_once('/').context("the address ends in a database name")?;
    Ok(format!("{server}/{name}"))
}
