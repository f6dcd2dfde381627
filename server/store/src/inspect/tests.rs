//! Every fault is planted into a sound database and must be found, alone.

mod sound;

use std::collections::BTreeSet;

use sqlx::AssertSqlSafe;

use super::*;
use crate::Store;
use crate::testing::both;

const NOW: i64 = 1_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn judgement() -> Judgement {
    let old = at(NOW - 100_000);
    Judgement {
        now: at(NOW),
        settled: at(NOW - 100),
        soon: at(NOW + 100),
        jobs_at_once: 32,
        server: Uuid::nil(),
        dropped: Dropped {
            audit: old,
            jobs: at(NOW - 200_000),
            logs: old,
            discoveries: old,
            events: old,
            answers: old,
            abandoned: old,
            commands: old,
            idle: old,
            ended: old,
        },
    }
}

/// A fault, the table it shows in, and the statements that plant it.
type Plant = (Inconsistency, &'static str, &'static [&'static str]);

/// At least one for every check but those for dangling references.
fn plants() -> Vec<Plant> {
    use Inconsistency as I;
    vec![
        (
            I::JobEndedWithOpenTargets,
            "jobs",
            &["UPDATE job_targets SET state = 'running', finished_at = NULL WHERE name = 'target of the discover'"],
        ),
        // Asleep, and due without having been taken.
        (
            I::JobWithoutOpenTargets,
            "jobs",
            &[
                "DELETE FROM enrolments",
                "UPDATE guests SET agent_state = 'none' WHERE agent_state = 'enrolling'",
                "UPDATE job_targets SET state = 'failed', finished_at = 1 WHERE name = 'target of the install'",
            ],
        ),
        (
            I::JobNotTaken,
            "jobs",
            &["UPDATE jobs SET run_at = 1 WHERE kind = 'install'"],
        ),
        (
            I::JobLeaseLapsed,
            "jobs",
            &["UPDATE jobs SET lease_until = 999000 WHERE kind = 'scan'"],
        ),
        (
            I::JobLeaseOfEnded,
            "jobs",
            &["UPDATE jobs SET lease_until = 1 WHERE kind = 'discover'"],
        ),
        (
            I::JobEndUnclear,
            "jobs",
            &["UPDATE jobs SET finished_at = NULL WHERE kind = 'discover'"],
        ),
        (
            I::JobEndUnclear,
            "jobs",
            &["UPDATE jobs SET finished_at = 999000 WHERE kind = 'scan'"],
        ),
        (
            I::TargetEndUnclear,
            "job_targets",
            &["UPDATE job_targets SET finished_at = NULL WHERE name = 'target of the discover'"],
        ),
        (
            I::TargetOfGoneGuest,
            "job_targets",
            &["UPDATE guests SET gone_at = 999000 WHERE vmid = 101"],
        ),
        (
            I::TargetOfGoneGuest,
            "job_targets",
            &["DELETE FROM guests WHERE vmid = 101"],
        ),
        (
            I::CommandForReplacedAgent,
            "commands",
            &["UPDATE agents SET enrolled_at = 999000"],
        ),
        (
            I::CommandForReplacedAgent,
            "commands",
            &["UPDATE agents SET quarantine = 'copied'"],
        ),
        (
            I::CommandOverdue,
            "commands",
            &["UPDATE commands SET expires_at = 999000 WHERE state = 'pending'"],
        ),
        (
            I::CommandOverdue,
            "commands",
            &[
                "UPDATE commands SET state = 'leased', expires_at = 999000, leased_until = 999000 WHERE state = 'pending'",
            ],
        ),
        (
            I::CommandOverdue,
            "commands",
            &["UPDATE commands SET state = 'acked', answer_until = 999000 WHERE state = 'pending'"],
        ),
        (
            I::CommandOfEndedWork,
            "commands",
            &["UPDATE job_targets SET state = 'failed', finished_at = 999000 WHERE name = 'target of the scan'"],
        ),
        (
            I::CommandEndUnclear,
            "commands",
            &["UPDATE commands SET over_at = NULL WHERE state = 'cancelled'"],
        ),
        (
            I::CommandEndUnclear,
            "commands",
            &["UPDATE commands SET leased_until = 1 WHERE state = 'cancelled'"],
        ),
        (
            I::ServerLeaseLapsed,
            "server_lease",
            &["UPDATE server_lease SET expires_at = 999000"],
        ),
        (
            I::EnrolmentOfEndedWork,
            "enrolments",
            &[
                "UPDATE jobs SET state = 'failed', finished_at = 999000 WHERE kind = 'install'",
                "UPDATE job_targets SET state = 'failed', finished_at = 999000 WHERE name = 'target of the install'",
            ],
        ),
        (
            I::EnrolmentExpired,
            "enrolments",
            &["UPDATE enrolments SET expires_at = 999000"],
        ),
        (
            I::EnrollingInVain,
            "guests",
            &["DELETE FROM enrolments", "DELETE FROM jobs WHERE kind = 'install'"],
        ),
        (I::AgentMissing, "guests", &["DELETE FROM agents"]),
        (
            I::AgentUnmentioned,
            "agents",
            &["UPDATE guests SET agent_state = 'none' WHERE agent_state = 'online'"],
        ),
        (
            I::NodeOfOtherCluster,
            "guests",
            &["UPDATE guests SET cluster_id = (SELECT id FROM proxmox_clusters WHERE name = 'b')"],
        ),
        (
            I::UpdatesMiscounted,
            "guests",
            &["UPDATE guests SET updates_total = 3 WHERE updates_total = 2"],
        ),
        (I::UpdatesMiscounted, "guests", &["UPDATE updates SET security = FALSE"]),
        (I::UpdatesMiscounted, "guests", &["DELETE FROM updates"]),
        (I::ScanContradicted, "guests", &["DELETE FROM scans"]),
        (
            I::ScanContradicted,
            "guests",
            &["UPDATE guests SET updates_state = 'unknown'"],
        ),
        (
            I::SecretWithoutOwner,
            "secrets",
            &[
                "DELETE FROM proxmox_clusters",
                "DELETE FROM jobs WHERE kind = 'install'",
            ],
        ),
        (
            I::ClusterWithoutSecret,
            "proxmox_clusters",
            &["DELETE FROM secrets WHERE purpose = 'pve_token'"],
        ),
        (
            I::ServerKeyMissing,
            "secrets",
            &["DELETE FROM secrets WHERE purpose = 'server_identity'"],
        ),
        (I::KeptTooLong, "audit", &["UPDATE audit SET at = 1"]),
        (
            I::KeptTooLong,
            "job_log",
            &["UPDATE jobs SET finished_at = 850000 WHERE kind = 'discover'"],
        ),
        (
            I::KeptTooLong,
            "jobs",
            &[
                "DELETE FROM job_log",
                "UPDATE jobs SET finished_at = 1 WHERE kind = 'discover'",
            ],
        ),
        (
            I::KeptTooLong,
            "proxmox_discovery_log",
            &["UPDATE proxmox_discovery_log SET started_at = 1"],
        ),
        (I::KeptTooLong, "events", &["UPDATE events SET at = 1"]),
        (
            I::KeptTooLong,
            "idempotency",
            &["UPDATE idempotency SET started_at = 1"],
        ),
        (
            I::KeptTooLong,
            "commands",
            &["UPDATE commands SET over_at = 1 WHERE state = 'cancelled'"],
        ),
        (
            I::KeptTooLong,
            "enrolments",
            &["UPDATE enrolments SET used_at = 1, expires_at = 1"],
        ),
        (I::KeptTooLong, "sessions", &["UPDATE sessions SET expires_at = 1"]),
        (I::KeptTooLong, "sessions", &["UPDATE sessions SET seen_at = 1"]),
        (
            I::KeptTooLong,
            "one_time_links",
            &["UPDATE one_time_links SET expires_at = 1"],
        ),
        (
            I::KeptTooLong,
            "sign_in_failures",
            &["UPDATE sign_in_failures SET last_at = 1"],
        ),
    ]
}

async fn run(tx: &mut Tx, statement: &'static str) {
    on!(tx, conn => sqlx::query(statement).execute(conn).await.map(drop)).expect(statement);
}

async fn found(tx: &mut Tx) -> Vec<(Inconsistency, &'static str)> {
    let findings = tx.inspect(&judgement()).await.expect("reads");
    findings.iter().map(|finding| (finding.fault, finding.table)).collect()
}

#[test]
fn every_check_has_a_plant() {
    let planted: BTreeSet<_> = plants().iter().map(|(fault, table, _)| (*fault, *table)).collect();
    let checks = work::CHECKS.iter().chain(fleet::CHECKS).chain(kept::CHECKS);
    let checked: BTreeSet<_> = checks.map(|check| (check.fault, check.table)).collect();
    assert_eq!(planted, checked);
    let faults: BTreeSet<_> = checked.iter().map(|(fault, _)| *fault).collect();
    let all = Inconsistency::ALL
        .iter()
        .copied()
        .filter(|fault| *fault != Inconsistency::DanglingReference);
    assert_eq!(faults, all.collect());
}

both! {
    async fn every_planted_fault_is_found_alone(store: &Store) {
        let written: Result<(), StoreError> = crate::write!(store, tx => { sound::write(tx).await });
        written.expect("writes");
        assert_eq!(found(&mut store.read().await.expect("reads")).await, []);
        for (fault, table, statements) in plants() {
            // Dropped in the end, which undoes it.
            let mut tx = store.begin().await.expect("begins");
            for statement in statements {
                run(&mut tx, statement).await;
            }
            assert_eq!(found(&mut tx).await, [(fault, table)], "{statements:?}");
        }
    }

    async fn jobs_that_wait_for_a_place_or_their_turn_are_not_at_fault(store: &Store) {
        let written: Result<(), StoreError> = crate::write!(store, tx => { sound::write(tx).await });
        written.expect("writes");
        let mut tx = store.begin().await.expect("begins");
        run(&mut tx, "UPDATE jobs SET run_at = 1 WHERE kind = 'install'").await;
        let full = Judgement { jobs_at_once: 1, ..judgement() };
        assert_eq!(tx.inspect(&full).await.expect("reads"), []);
        run(&mut tx, "UPDATE jobs SET state = 'queued' WHERE kind = 'install'").await;
        assert_eq!(found(&mut tx).await, [(Inconsistency::JobNotTaken, "jobs")]);
        run(&mut tx, "UPDATE jobs SET concurrency_key = 'one' WHERE kind <> 'discover'").await;
        assert_eq!(found(&mut tx).await, []);
    }

    async fn a_few_rows_are_named_and_all_are_counted(store: &Store) {
        let written: Result<(), StoreError> = crate::write!(store, tx => {
            for number in 1..=8 {
                tx.insert_cluster(&crate::testing::fleet::cluster(number, &format!("c{number}"))).await?;
            }
            Ok(())
        });
        written.expect("writes");
        let findings = store.read().await.expect("reads").inspect(&judgement()).await.expect("reads");
        let [Finding { fault: Inconsistency::ClusterWithoutSecret, found: 8, rows, .. }] = findings.as_slice() else {
            panic!("{findings:?}")
        };
        let names: Vec<_> = rows.iter().map(|row| row.name.as_deref().unwrap_or_default()).collect();
        assert_eq!(names, ["c1", "c2", "c3", "c4", "c5"]);
        assert_eq!(rows[0].id, Some(id(1)));
    }

    /// The list of what refers to what is the database's own, so that a new reference without its check fails.
    async fn every_dangling_reference_is_found(store: &Store) {
        let written: Result<(), StoreError> = crate::write!(store, tx => { sound::write(tx).await });
        written.expect("writes");
        let references = references(&mut store.read().await.expect("reads")).await;
        assert_eq!(references.len(), dangling::CHECKS.len(), "{references:?}");
        for (table, column) in references {
            // Dropped in the end, which undoes it. Until then the database does not insist.
            let mut tx = store.begin().await.expect("begins");
            let careless = if tx.is_postgres() {
                "SET LOCAL session_replication_role = replica"
            } else {
                "PRAGMA defer_foreign_keys = on"
            };
            run(&mut tx, careless).await;
            let break_it = AssertSqlSafe(format!(
                "UPDATE {table} SET {column} = $1 WHERE {column} = \
                 (SELECT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 1)"
            ));
            on!(tx, conn => sqlx::query(break_it).bind(id(999)).execute(conn).await.map(drop)).expect("breaks it");
            let findings = tx.inspect(&judgement()).await.expect("reads");
            let names_it = |row: &FaultyRow| row.name.as_deref() == Some(column.as_str());
            let seen = findings.iter().any(|finding| {
                (finding.fault, finding.table) == (Inconsistency::DanglingReference, table.as_str())
                    && finding.rows.iter().any(names_it)
            });
            assert!(seen, "{table}.{column}: {findings:?}");
        }
    }
}

/// Every column that refers to another table, with its table.
async fn references(tx: &mut Tx) -> Vec<(String, String)> {
    let statement = if tx.is_postgres() {
        "SELECT CAST(c.conrelid::regclass AS TEXT), CAST(a.attname AS TEXT) FROM pg_constraint c \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f'"
    } else {
        "SELECT m.name, f.\"from\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'"
    };
    on!(tx, conn => sqlx::query_as(statement).fetch_all(conn).await).expect("the catalogue")
}
