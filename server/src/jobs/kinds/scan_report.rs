//! What a scan came to, whichever way the answer took, and how it is written down.

use muster_domain::fleet::UpdatesState;
use muster_domain::reach::Transport;
use muster_domain::{CommandId, GuestId};
use muster_packages::scan::RefreshTrouble;
use muster_packages::{AvailableUpdate, PackageVersion, ScanError, ScanReport};
use muster_protocol::{Failure, Outcome, Report};
use muster_store::Tx;
use muster_store::guests::{GuestRow, GuestUpdates};
use muster_store::job_targets::TargetRow;
use muster_store::scans::{Besides, ScanRow, UpdateRow};
use sha2::{Digest as _, Sha256};

use crate::app::{App, Error, fleet};
use crate::jobs::context::move_target;
use crate::jobs::{JobContext, JobError, Step};

/// Longest text of a package's row, in characters. Real ones are far shorter.
const LONGEST: usize = 500;

/// What a scan came to.
#[derive(Debug, Clone)]
pub(super) enum Scanned {
    /// A report.
    Found {
        /// SHA-256 over its canonical JSON, hex.
        digest: String,
        /// The report.
        report: Box<ScanReport>,
    },
    /// The same report as last time.
    Same {
        /// Its digest.
        digest: String,
    },
    /// There is nothing that could be counted.
    Unsupported(String),
    /// No report.
    Failed(Failure),
}

/// How it got here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// The way in; none when there was none.
    pub(super) transport: Option<Transport>,
    /// The command whose outcome it is.
    pub(super) command: Option<CommandId>,
}

/// Of a scan that got nowhere.
pub(super) const NOWHERE: Source = Source {
    transport: None,
    command: None,
};

impl Source {
    fn word(self) -> &'static str {
        self.transport.map_or("none", Transport::as_str)
    }
}

impl Scanned {
    /// From an agent's answer.
    pub(super) fn of_outcome(outcome: Outcome) -> Scanned {
        match outcome {
            Outcome::Done {
                report: Report::Scan { digest, report: None },
            } => Scanned::Same { digest },
            Outcome::Done {
                report:
                    Report::Scan {
                        digest,
                        report: Some(report),
                    },
            } => match serde_json::from_value(report) {
                Ok(report) => Scanned::Found {
                    digest,
                    report: Box::new(report),
                },
                Err(error) => garbage(format!("The agent's report is not understood: {error}.")),
            },
            Outcome::Done { .. } => garbage("The agent answered another question.".to_owned()),
            Outcome::Failed(failure) if failure.code == "unsupported" => Scanned::Unsupported(failure.detail),
            Outcome::Failed(failure) => Scanned::Failed(failure),
        }
    }

    /// From what the script printed.
    pub(super) fn of_report(report: Result<ScanReport, ScanError>) -> Scanned {
        match report {
            Ok(report) => Scanned::Found {
                digest: hex::encode(Sha256::digest(report.canonical_json())),
                report: Box::new(report),
            },
            Err(error @ (ScanError::TooOld { .. } | ScanError::NoManager)) => Scanned::Unsupported(error.to_string()),
            Err(error) => Scanned::Failed(Failure {
                code: error.code().to_owned(),
                detail: error.to_string(),
                output: error.said().map(str::to_owned),
            }),
        }
    }

    /// A failure that the server found out.
    pub(super) fn failed(code: &str, detail: impl Into<String>) -> Scanned {
        Scanned::Failed(Failure {
            code: code.to_owned(),
            detail: detail.into(),
            output: None,
        })
    }
}

/// Writes it all in one transaction: the updates, the guest's counts, the target's end. What a failed scan leaves is the
/// last good data, called stale.
pub(super) async fn write(
    job: &JobContext,
    target: &TargetRow,
    source: Source,
    scanned: Scanned,
) -> Result<(), JobError> {
    if let Scanned::Failed(Failure { output: Some(said), .. }) = &scanned {
        for line in said.lines().filter(|line| !line.trim().is_empty()).take(40) {
            job.log("warning", Some(target), &cut(line)).await?;
        }
    }
    let app = &job.app;
    let _turn = job.turn.lock().await;
    let written: Result<(), Error> = muster_store::write!(app.store, tx => {
        if let Some(command) = source.command {
            tx.forget_outcome(command).await?;
        }
        let guest = match target.guest_id {
            Some(id) => tx.guest(GuestId(id)).await?,
            None => None,
        };
        let step = match guest {
            Some(guest) => {
                let (updates, step) = record(app, tx, &guest, source, &scanned).await?;
                fleet::updates_changed(app, tx, GuestId(guest.id), &updates).await?;
                step
            }
            None => Step::skip("gone", "Skipped. The guest no longer exists."),
        };
        let step = match source.transport {
            Some(transport) => step.by(transport),
            None => step,
        };
        move_target(app, tx, target, &step).await.map(drop)
    });
    Ok(written?)
}

async fn record(
    app: &App,
    tx: &mut Tx,
    row: &GuestRow,
    source: Source,
    scanned: &Scanned,
) -> Result<(GuestUpdates, Step), Error> {
    let guest = GuestId(row.id);
    let now = app.clock.now().as_micros();
    let scan = |digest: &str, besides: Besides| ScanRow {
        guest_id: row.id,
        scanned_at: now,
        transport: source.word().to_owned(),
        digest: digest.to_owned(),
        besides: besides.into(),
    };
    match scanned {
        Scanned::Found { digest, report } => {
            tx.replace_updates(guest, &rows(report)).await?;
            tx.save_scan(&scan(digest, besides(report))).await?;
            let updates = counts(report, now);
            let result = shown(&updates, source);
            Ok((updates, Step::succeed(result, sentence(report))))
        }
        Scanned::Same { digest } => match tx.scan(guest).await? {
            Some(known) if known.digest == *digest => {
                tx.save_scan(&scan(digest, known.besides.0)).await?;
                let updates = same(row, now);
                let result = shown(&updates, source);
                Ok((
                    updates,
                    Step::succeed(result, "Nothing has changed since the last scan."),
                ))
            }
            _ => {
                let detail = "The agent answered with a digest that Muster does not hold: scan again.";
                Ok((failed(row, detail), Step::fail("garbage", detail)))
            }
        },
        Scanned::Unsupported(detail) => {
            tx.forget_scan(guest).await?;
            let updates = GuestUpdates {
                state: UpdatesState::Unsupported.as_str(),
                total: None,
                security: None,
                scanned_at: Some(now),
                reason: Some(cut(detail)),
                reboot_required: None,
            };
            Ok((updates, Step::skip("unsupported", cut(detail))))
        }
        Scanned::Failed(failure) => {
            let detail = cut(&failure.detail);
            Ok((failed(row, &detail), Step::fail(&failure.code, detail)))
        }
    }
}

/// What the target shows of it.
fn shown(updates: &GuestUpdates, source: Source) -> serde_json::Value {
    serde_json::json!({
        "total": updates.total, "security": updates.security, "reboot_required": updates.reboot_required,
        "transport": source.word(),
    })
}

fn counts(report: &ScanReport, now: i64) -> GuestUpdates {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let state = if report.refreshed {
        UpdatesState::Fresh
    } else {
        UpdatesState::Stale
    };
    let old_lists = || {
        let trouble = report
            .refresh_trouble
            .map_or("no reason is known", RefreshTrouble::sentence);
        match report.refresh_error.as_deref() {
            Some(said) => cut(&format!(
                "The package lists could not be fetched anew, because {trouble}: {said}"
            )),
            None => format!("The package lists could not be fetched anew: {trouble}."),
        }
    };
    GuestUpdates {
        state: state.as_str(),
        total: Some(count(report.updates.len())),
        security: security(report).map(count),
        scanned_at: Some(now),
        reason: (!report.refreshed).then(old_lists),
        reboot_required: Some(report.reboot_required),
    }
}

/// Nothing has changed since the last report but its age. A failed scan in between has called its numbers stale; a report
/// over old package lists says so itself, and is as stale as it was.
fn same(row: &GuestRow, now: i64) -> GuestUpdates {
    let old_lists = row.updates_state == UpdatesState::Stale.as_str()
        && row
            .updates_reason
            .as_deref()
            .is_some_and(|reason| !reason.starts_with(FAILED));
    let state = if old_lists {
        UpdatesState::Stale
    } else {
        UpdatesState::Fresh
    };
    GuestUpdates {
        state: state.as_str(),
        total: row.updates_total,
        security: row.updates_security,
        scanned_at: Some(now),
        reason: row.updates_reason.clone().filter(|_| old_lists),
        reboot_required: row.reboot_required,
    }
}

/// Begins the reason of every failed scan, so that it is told from a report over old package lists.
const FAILED: &str = "The last scan failed: ";

fn failed(row: &GuestRow, detail: &str) -> GuestUpdates {
    let state = match row.updates_total {
        Some(_) => UpdatesState::Stale,
        None => UpdatesState::Failed,
    };
    GuestUpdates {
        state: state.as_str(),
        total: row.updates_total,
        security: row.updates_security,
        scanned_at: row.updates_scanned_at,
        reason: Some(format!("{FAILED}{detail}")),
        reboot_required: row.reboot_required,
    }
}

/// How many of the updates are for security; none when there are updates of which nobody says.
fn security(report: &ScanReport) -> Option<usize> {
    let certain = report
        .updates
        .iter()
        .filter(|update| update.security == Some(true))
        .count();
    let silent = report.updates.iter().any(|update| update.security.is_none());
    (certain > 0 || !silent).then_some(certain)
}

fn sentence(report: &ScanReport) -> String {
    let security = match security(report) {
        Some(security) => format!("{security} security"),
        None => "nothing is known about security".to_owned(),
    };
    let restart = if report.reboot_required {
        " The guest wants a restart."
    } else {
        ""
    };
    let lists = if report.refreshed {
        ""
    } else {
        " The package lists are old."
    };
    match report.updates.len() {
        0 => format!("Up to date.{restart}{lists}"),
        1 => format!("1 update, {security}.{restart}{lists}"),
        n => format!("{n} updates, {security}.{restart}{lists}"),
    }
}

fn rows(report: &ScanReport) -> Vec<UpdateRow> {
    report.updates.iter().map(row).collect()
}

fn row(update: &AvailableUpdate) -> UpdateRow {
    UpdateRow {
        source: update.source.name().to_owned(),
        name: cut(&update.name),
        arch: cut(&update.arch),
        from_version: update.from.as_deref().map(cut),
        to_version: cut(&update.to),
        origin: Some(cut(&update.origin)).filter(|origin| !origin.is_empty()),
        security: update.security,
        evidence: update.evidence.as_deref().map(cut),
        held: update.held,
        size: update.size.and_then(|size| i64::try_from(size).ok()),
        severity: update.severity.map(|severity| severity.name().to_owned()),
        fixes: cut(&update.fixes.join(" ")),
        phased: update.phased.map(i64::from),
        kept_back: update.kept_back,
        installed_size: update.installed_size.and_then(|size| i64::try_from(size).ok()),
    }
}

fn besides(report: &ScanReport) -> Besides {
    let packages =
        |packages: &[PackageVersion]| packages.iter().map(|one| (cut(&one.name), cut(&one.version))).collect();
    Besides {
        installs: packages(&report.installs),
        removes: packages(&report.removes),
        restarts: report.restarts.iter().map(|one| cut(one)).collect(),
        interrupted: report.interrupted.as_deref().map(cut),
    }
}

/// Text of a guest, fit for a row: PostgreSQL takes no NUL, and nobody reads more.
fn cut(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(LONGEST).collect()
}

fn garbage(detail: String) -> Scanned {
    Scanned::failed("garbage", detail)
}
