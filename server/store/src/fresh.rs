//! Empty PostgreSQL databases for tests, on a throw-away server.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Creates an empty database on the server at `base` and returns its address. Names hold the process id, so that tests in
/// parallel processes do not meet.
///
/// # Panics
/// When the server refuses: a test cannot go on then.
pub async fn create(base: &str) -> String {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("muster_{}_{number}", std::process::id());
    let mut admin = PgConnection::connect(base).await.expect("the test server answers");
    for statement in [
        format!("DROP DATABASE IF EXISTS {name}"),
        format!("CREATE DATABASE {name}"),
    ] {
        admin
            .execute(AssertSqlSafe(statement))
            .await
            .expect("the test server obeys");
    }
    let (server, _) = base.rsplit_once('/').expect("the address ends in a database name");
    format!("{server}/{name}")
}
