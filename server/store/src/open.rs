//! Opening a database, bringing its tables up to date, and the two kinds of transactions.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgConnection, PgPool, SqlitePool};
use tokio::sync::watch;

use crate::error::{During as _, StoreError};
use crate::tx::{Inner, Tx};

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How long a transaction waits for its turn.
const TURN: Duration = Duration::from_secs(30);
/// Connections of a SQLite reader pool, and of the whole PostgreSQL pool.
const READERS: u32 = 8;

/// The database of one Muster.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    published: watch::Sender<()>,
}

#[derive(Clone)]
enum Pools {
    /// One writer, so that writers queue fairly instead of failing with "database is locked".
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is none that we know.
    #[error("\"{url}\" is no database address: write sqlite:<file> or postgres://<user>@<host>/<database>")]
    Address {
        /// The address without its password.
        url: String,
    },
    /// It did not answer.
    #[error("the database at {url} cannot be opened: is the path writable, the server running, the password right?")]
    Connect {
        /// The address without its password.
        url: String,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// It was written by a newer Muster.
    #[error(
        "the database has table version {found}, this program knows up to {known}: start the newer program again, or restore a backup"
    )]
    Newer {
        /// Version in the database.
        found: i64,
        /// Newest version this program knows.
        known: i64,
    },
    /// It was written by an older Muster, or by none yet.
    #[error(
        "the database has table version {found}, this program reads version {known}: bring it up to date first (`muster migrate`)"
    )]
    Older {
        /// Version in the database; 0 when it is empty.
        found: i64,
        /// The version this program knows.
        known: i64,
    },
    /// A step of the migration failed; nothing of that step remains.
    #[error("the tables cannot be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

impl Store {
    /// Opens the database at `url` (`sqlite:<file>` or `postgres://…`) without touching its tables.
    pub async fn open(url: &str) -> Result<Store, OpenError> {
        let connect = |source| OpenError::Connect {
            url: without_password(url),
            source,
        };
        let pools = match url.split_once(':') {
            Some(("sqlite", _)) => open_sqlite(url).await.map_err(connect)?,
            Some(("postgres" | "postgresql", _)) => open_postgres(url).await.map_err(connect)?,
            _ => {
                return Err(OpenError::Address {
                    url: without_password(url),
                });
            }
        };
        Ok(Store::on(pools))
    }

    /// Opens the database at `url` only to read it: nothing is created, and its tables must be those that this program knows.
    pub async fn open_to_read(url: &str) -> Result<Store, OpenError> {
        let store = match url.split_once(':') {
            Some(("sqlite", _)) => {
                let pool = open_sqlite_to_read(url).await.map_err(|source| OpenError::Connect {
                    url: without_password(url),
                    source,
                })?;
                Store::on(Pools::Sqlite {
                    writer: pool.clone(),
                    readers: pool,
                })
            }
            _ => Store::open(url).await?,
        };
        let (found, known) = (store.table_version().await, store.newest_version());
        match found.cmp(&known) {
            Ordering::Equal => Ok(store),
            Ordering::Less => Err(OpenError::Older { found, known }),
            Ordering::Greater => Err(OpenError::Newer { found, known }),
        }
    }

    fn on(pools: Pools) -> Store {
        Store {
            pools,
            published: watch::Sender::new(()),
        }
    }

    /// Whether the tables exist, but are older than this program knows them.
    pub async fn is_older(&self) -> bool {
        let found = self.table_version().await;
        found > 0 && found < self.newest_version()
    }

    /// Creates or updates the tables. Does nothing when they are as this program knows them.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        let (found, known) = (self.table_version().await, self.newest_version());
        if found > known {
            return Err(OpenError::Newer { found, known });
        }
        self.run(self.migrator()).await
    }

    /// Creates the tables as they were at `version`.
    pub(crate) async fn migrate_to(&self, version: i64) -> Result<(), OpenError> {
        let steps = self.migrator().iter().filter(|step| step.version <= version);
        self.run(&Migrator::with_migrations(steps.cloned().collect())).await
    }

    /// The newest migration that this program knows.
    pub(crate) fn newest_version(&self) -> i64 {
        self.migrator().iter().map(|step| step.version).max().unwrap_or(0)
    }

    async fn run(&self, migrator: &Migrator) -> Result<(), OpenError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => migrator.run(writer).await,
            Pools::Postgres(pool) => migrator.run(pool).await,
        }
        .map_err(OpenError::Migrate)
    }

    /// `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres(_) => "postgres",
        }
    }

    /// A transaction that only reads: one consistent view, undone when dropped.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { readers, .. } => Inner::Sqlite(readers.begin().await.during("begin reading")?),
            Pools::Postgres(pool) => Inner::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await
                    .during("begin reading")?,
            ),
        };
        Ok(self.transaction(inner))
    }

    /// A transaction that may write. Callers use [`write!`](crate::write), which also runs the work again when it must.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await.during("begin writing")?)
            }
            Pools::Postgres(pool) => Inner::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE")
                    .await
                    .during("begin writing")?,
            ),
        };
        Ok(self.transaction(inner))
    }

    /// Changes each time a transaction of this process that published an event commits. Other processes' events do not show
    /// here: who follows the log also looks from time to time.
    pub fn published(&self) -> watch::Receiver<()> {
        self.published.subscribe()
    }

    /// Ends all connections; open transactions are waited for.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    fn migrator(&self) -> &'static Migrator {
        match &self.pools {
            Pools::Sqlite { .. } => &SQLITE,
            Pools::Postgres(_) => &POSTGRES,
        }
    }

    fn transaction(&self, inner: Inner) -> Tx {
        Tx {
            inner,
            published: self.published.clone(),
            events: HashMap::new(),
        }
    }

    /// Newest migration in the database; 0 when it is empty.
    pub(crate) async fn table_version(&self) -> i64 {
        const NEWEST: &str = "SELECT MAX(version) FROM _sqlx_migrations";
        let newest: Result<Option<i64>, sqlx::Error> = match &self.pools {
            Pools::Sqlite { writer, .. } => sqlx::query_scalar(NEWEST).fetch_one(writer).await,
            Pools::Postgres(pool) => sqlx::query_scalar(NEWEST).fetch_one(pool).await,
        };
        // The table is missing in an empty database.
        newest.ok().flatten().unwrap_or(0)
    }
}

async fn open_sqlite(url: &str) -> Result<Pools, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(TURN);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(TURN)
        .connect_with(options.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(TURN)
        .connect_lazy_with(options.pragma("query_only", "on"));
    Ok(Pools::Sqlite { writer, readers })
}

/// One pool that never writes, on a file that must exist.
async fn open_sqlite_to_read(url: &str) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(false)
        .busy_timeout(TURN)
        .pragma("query_only", "on");
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(TURN)
        .connect_with(options)
        .await
}

async fn open_postgres(url: &str) -> Result<Pools, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("muster");
    // A pool would go on trying for as long as a transaction may wait; a wrong address is better told at once.
    PgConnection::connect_with(&options).await?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(TURN)
        .connect_with(options)
        .await?;
    Ok(Pools::Postgres(pool))
}

/// The address with what stands between `:` and `@` left out.
pub fn without_password(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else {
        return url.to_owned();
    };
    match before
        .split_once("://")
        .and_then(|(scheme, rest)| rest.split_once(':').map(|(user, _)| (scheme, user)))
    {
        Some((scheme, user)) => format!("{scheme}://{user}:…@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::both;

    both! {
        async fn tables_of_a_newer_program_are_left_alone(store: &Store) {
            const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                SELECT 9999, description, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
            assert!(!store.is_older().await);
            match &store.pools {
                Pools::Sqlite { writer, .. } => sqlx::query(NEWER).execute(writer).await.map(drop),
                Pools::Postgres(pool) => sqlx::query(NEWER).execute(pool).await.map(drop),
            }
            .expect("a row of a migration to come");
            let refused = store.migrate().await.expect_err("is newer");
            assert!(matches!(refused, OpenError::Newer { found: 9999, .. }), "{refused}");
        }
    }

    #[test]
    fn addresses_are_shown_without_their_password() {
        let shown = [
            ("postgres://u:hunter2@h/db", "postgres://u:…@h/db"),
            ("postgres://u:hunt@er2@h/db", "postgres://u:…@h/db"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            ("sqlite:a@b.db", "sqlite:a@b.db"),
        ];
        for (url, expected) in shown {
            assert_eq!(without_password(url), expected);
        }
    }
}
