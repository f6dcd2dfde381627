use std::io::BufReader;

use muster_domain::Timestamp;
use sqlx::AssertSqlSafe;

use super::*;
use crate::Store;
use crate::testing::{self, both};
use crate::tx::on;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
/// At least one row in every table that is kept, with odd values.
const SAMPLE: &str = include_str!("sample.sql");

async fn run(store: &Store, statements: &str) {
    let mut tx = store.begin().await.expect("begins");
    on!(tx, conn => sqlx::raw_sql(AssertSqlSafe(statements)).execute(conn).await.map(drop)).expect("runs");
    tx.commit().await.expect("commits");
}

async fn count(store: &Store, query: &str) -> i64 {
    let mut tx = store.read().await.expect("begins");
    on!(tx, conn => sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(conn).await).expect("counts")
}

/// A database with the sample in it.
async fn sample() -> crate::testing::Fresh {
    let fresh = testing::sqlite().await;
    run(&fresh.store, SAMPLE).await;
    fresh
}

async fn saved(store: &Store) -> String {
    let mut file = Vec::new();
    store.back_up(NOW, "1.2.3", &mut file).await.expect("is backed up");
    String::from_utf8(file).expect("is text")
}

async fn restore(store: &Store, text: &str) -> Result<Restored, BackupError> {
    store.restore(NOW, BufReader::new(text.as_bytes())).await
}

/// A backup without its first line.
fn contents(backup: &str) -> &str {
    backup.split_once('\n').expect("has lines").1
}

both! {
    async fn what_one_database_held_another_holds_afterwards(store: &Store) {
        let backup = saved(&sample().await.store).await;
        for table in TABLES {
            let head = format!("{{\"table\":\"{table}\"");
            let first = backup.lines().skip_while(|line| !line.starts_with(&head)).nth(1).expect("has a line");
            assert!(first.starts_with('['), "the sample has a row in {table}");
        }

        let restored = restore(store, &backup).await.expect("is restored");
        assert_eq!((restored.rows as usize, restored.ended_jobs), (backup.lines().count() - TABLES.len() - 2, 0));
        let again = saved(store).await;
        let back = testing::sqlite().await;
        restore(&back.store, &again).await.expect("is restored");
        assert_eq!(contents(&saved(&back.store).await), contents(&backup));
    }

    async fn work_under_way_is_ended_and_streams_begin_anew(store: &Store) {
        let source = sample().await;
        let under_way = "UPDATE jobs SET state = 'running', lease_until = 5; UPDATE job_targets SET state = 'waiting'; \
            UPDATE guests SET agent_state = 'enrolling'";
        run(&source.store, under_way).await;
        let restored = restore(store, &saved(&source.store).await).await.expect("is restored");

        assert_eq!(restored.ended_jobs, 2);
        let open = "SELECT COUNT(*) FROM jobs, job_targets WHERE jobs.state <> 'cancelled' OR lease_until IS NOT NULL \
            OR job_targets.reason_code <> 'restored' OR jobs.reason_detail IS NULL";
        assert_eq!(count(store, open).await, 0);
        let enrolling = "SELECT COUNT(*) FROM guests WHERE agent_state <> 'offline'";
        assert_eq!(count(store, enrolling).await, 0, "no line is restored that could enrol it");
        let first: i64 = count(store, "SELECT MIN(seq) FROM events").await;
        let tx = &mut store.begin().await.expect("begins");
        let next = tx.publish(NOW, "x", None, serde_json::json!({})).await.expect("is published");
        assert!(first > 1_000_000 && next == first + 1, "{first} {next}");
    }

    async fn every_table_is_kept_or_left_out(store: &Store) {
        const SQLITE: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        const POSTGRES: &str = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()";
        let mut tx = store.read().await.expect("begins");
        let query = if tx.is_postgres() { POSTGRES } else { SQLITE };
        let mut there: Vec<String> = on!(tx, conn => sqlx::query_scalar(query).fetch_all(conn).await).expect("lists");
        there.retain(|table| table != "_sqlx_migrations");
        there.sort();
        let mut known = [TABLES.as_slice(), LEFT_OUT.as_slice()].concat();
        known.sort_unstable();
        assert_eq!(there, known, "say in backup.rs whether a new table is kept");
    }

    async fn a_bad_file_leaves_the_database_empty(store: &Store) {
        let backup = saved(&sample().await.store).await;
        let lines: Vec<&str> = backup.lines().collect();
        let without = |gone: usize| -> String {
            let kept = lines.iter().enumerate().filter(|(place, _)| *place != gone);
            kept.map(|(_, line)| format!("{line}\n")).collect()
        };
        let row = lines.iter().rposition(|line| line.starts_with('[')).expect("has rows");

        let cut = restore(store, &without(lines.len() - 1)).await;
        assert!(matches!(cut, Err(BackupError::CutShort { .. })), "{cut:?}");
        let cut = restore(store, backup.trim_end()).await;
        assert!(matches!(cut, Err(BackupError::CutShort { .. })), "{cut:?}");
        let lacking = restore(store, &without(row)).await;
        assert!(matches!(lacking, Err(BackupError::Damaged { .. })), "{lacking:?}");
        let strange = restore(store, &backup.replace("\"table\":\"users\"", "\"table\":\"jokes\"")).await;
        assert!(matches!(&strange, Err(BackupError::Damaged { what, .. }) if what.contains("jokes")), "{strange:?}");
        let newer = restore(store, &backup.replacen("\"tables_version\":", "\"tables_version\":9", 1)).await;
        assert!(matches!(newer, Err(BackupError::Newer { .. })), "{newer:?}");
        for other in ["", "{}\n", "PK\u{3}\u{4}"] {
            let refused = restore(store, other).await;
            assert!(matches!(refused, Err(BackupError::NoBackup)), "{refused:?}");
        }
        for table in TABLES {
            assert_eq!(count(store, &format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
    }

    async fn only_an_empty_database_is_filled(store: &Store) {
        let backup = saved(&sample().await.store).await;
        restore(store, &backup).await.expect("is restored");
        let refused = restore(store, &backup).await;
        assert!(matches!(refused, Err(BackupError::NotEmpty { table: "settings" })), "{refused:?}");
    }
}
