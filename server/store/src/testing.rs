//! Every store test runs on both databases: [`both`] makes two tests of one body.

use std::io::Write as _;

use crate::Store;

/// A fresh, migrated database that goes away with this value.
pub(crate) struct Fresh {
    /// The store under test.
    pub(crate) store: Store,
    _folder: Option<tempfile::TempDir>,
}

/// A fresh SQLite database in a temporary folder.
pub(crate) async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&format!("sqlite:{}", folder.path().join("muster.db").display()))
        .await
        .expect("opens");
    store.migrate().await.expect("migrates");
    Fresh {
        store,
        _folder: Some(folder),
    }
}

/// A fresh PostgreSQL database on the server named by `TEST_POSTGRES_URL`; `None`, counted as a skip, without one.
pub(crate) async fn postgres(test: &str) -> Option<Fresh> {
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        skip(test, "TEST_POSTGRES_URL names no throw-away PostgreSQL server");
        return None;
    };
    let store = Store::open(&database::create(&server).await).await.expect("opens");
    store.migrate().await.expect("migrates");
    Some(Fresh { store, _folder: None })
}

/// Notes a test that cannot run here in the file that `make test` counts. In CI a skip is a failure at once.
fn skip(test: &str, reason: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "{test} cannot be skipped in CI: {reason}"
    );
    eprintln!("skipped: {test}: {reason}");
    if let Some(path) = std::env::var_os("MUSTER_TEST_SKIPS") {
        let mut file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(path)
            .expect("the list of skips opens");
        writeln!(file, "{test}: {reason}").expect("the list of skips is written");
    }
}

mod database {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

    static COUNT: AtomicU32 = AtomicU32::new(0);

    /// Creates an empty database and returns its address. Names hold the process id, so that tests in parallel processes
    /// do not meet; the server is a throw-away one.
    pub(super) async fn create(base: &str) -> String {
        let name = format!(
            "muster_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = PgConnection::connect(base).await.expect("the test server answers");
        admin
            .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}")))
            .await
            .expect("drops");
        admin
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .expect("creates");
        let (server, _) = base.rsplit_once('/').expect("the address ends in a database name");
        format!("{server}/{name}")
    }
}

/// Makes two tests of one async function of `&Store`: `<name>::sqlite` and `<name>::postgres`.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($store:ident: &Store) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn body($store: &Store) $body

            #[tokio::test]
            async fn sqlite() {
                let fresh = $crate::testing::sqlite().await;
                body(&fresh.store).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(fresh) = $crate::testing::postgres(concat!(module_path!(), "::", stringify!($name))).await {
                    body(&fresh.store).await;
                    fresh.store.close().await;
                }
            }
        }
    )*};
}
pub(crate) use both;
