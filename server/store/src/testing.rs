//! Every store test runs on both databases: [`both`] makes two tests of one body.

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

/// A fresh PostgreSQL database on the server named by `TEST_POSTGRES_URL`.
pub(crate) async fn postgres() -> Fresh {
    let store = Store::open(&database::create().await).await.expect("opens");
    store.migrate().await.expect("migrates");
    Fresh { store, _folder: None }
}

mod database {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

    static COUNT: AtomicU32 = AtomicU32::new(0);

    /// Creates an empty database and returns its address. Names hold the process id, so that tests in parallel processes
    /// do not meet; the server is a throw-away one.
    pub(super) async fn create() -> String {
        let base = std::env::var("TEST_POSTGRES_URL")
            .expect("TEST_POSTGRES_URL names a throw-away PostgreSQL server; `make test` starts one");
        let name = format!(
            "muster_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = PgConnection::connect(&base).await.expect("the test server answers");
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
                let fresh = $crate::testing::postgres().await;
                body(&fresh.store).await;
                fresh.store.close().await;
            }
        }
    )*};
}
pub(crate) use both;
