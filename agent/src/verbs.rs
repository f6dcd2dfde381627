//! Doing what a command asks.

use std::time::Duration;

use muster_packages::scan::Patience;
use muster_packages::{Facts, FrameError, ScanError, ScanReport, facts, scan};
use muster_protocol::{Failure, HostFacts, MAX_MESSAGE_BYTES, Outcome, Report, Verb};
use sha2::{Digest, Sha256};

use crate::host::{Host, HostError, Limits, Output};
use crate::state::StateDir;

const FACTS: Limits = Limits {
    deadline: Duration::from_secs(30),
    output: 256 * 1024,
};

/// Does a verb and says what came of it. `scan` is how long a scan may take in all.
pub(crate) async fn perform(host: &dyn Host, state: &StateDir, verb: &Verb, scan: Duration) -> Outcome {
    let report = match verb {
        Verb::Facts => host_facts(host).await.map(Report::Facts),
        Verb::Scan { known_digest } => scan_here(host, state, scan)
            .await
            .map(|report| scan_report(&report, known_digest.as_deref())),
        Verb::Restart => Ok(Report::Restart),
    };
    let outcome = report.map_or_else(Outcome::Failed, |report| Outcome::Done { report });
    deliverable(outcome)
}

/// Reads what could be updated on this host. Two scans never run at once, whoever asks for them.
pub async fn scan_here(host: &dyn Host, state: &StateDir, deadline: Duration) -> Result<ScanReport, Failure> {
    let lock = state
        .try_lock("scan.lock")
        .map_err(|error| failure("tool_failed", error, None))?;
    if lock.is_none() {
        return Err(failure(
            "locked",
            "another scan is running in this guest; scan again later",
            None,
        ));
    }
    let limits = Limits {
        deadline,
        output: MAX_MESSAGE_BYTES,
    };
    let output = host
        .run(&scan::script(patience(deadline)), limits)
        .await
        .map_err(|error| not_run("the scan", &error))?;
    scan::parse(&output.stdout).map_err(|error| scan_failure(&error, output))
}

/// What this host is.
pub(crate) async fn host_facts(host: &dyn Host) -> Result<HostFacts, Failure> {
    let output = host
        .run(&facts::script(), FACTS)
        .await
        .map_err(|error| not_run("reading the facts", &error))?;
    facts::parse(&output.stdout)
        .map(protocol_facts)
        .map_err(|error| garbled(&error, output))
}

fn scan_report(report: &ScanReport, known_digest: Option<&str>) -> Report {
    let digest = hex::encode(Sha256::digest(report.canonical_json()));
    let known = known_digest == Some(digest.as_str());
    // Plain data under string keys: turning it into a JSON value cannot fail.
    let report = if known {
        None
    } else {
        Some(serde_json::to_value(report).unwrap_or_default())
    };
    Report::Scan { digest, report }
}

/// The script's own waiting must leave time for the rest of the scan.
fn patience(deadline: Duration) -> Patience {
    let usual = Patience::default();
    Patience {
        lock: usual.lock.min(deadline / 4),
        refresh: usual.refresh.min(deadline / 2),
    }
}

fn protocol_facts(facts: Facts) -> HostFacts {
    HostFacts {
        hostname: facts.hostname,
        os_id: facts.os_id,
        os_name: facts.os_name,
        os_version: facts.os_version,
        arch: facts.arch,
        kernel: facts.kernel,
        init: facts.init,
        machine: facts.machine,
        boot: facts.boot,
    }
}

fn scan_failure(error: &ScanError, output: Output) -> Failure {
    match error {
        ScanError::Frame(error) => garbled(error, output),
        error => failure(error.code(), error, error.said().map(str::to_owned)),
    }
}

fn garbled(error: &FrameError, output: Output) -> Failure {
    failure("garbage", error, Some(output.stderr).filter(|said| !said.is_empty()))
}

fn not_run(what: &str, error: &HostError) -> Failure {
    let code = if matches!(error, HostError::TimedOut(_)) {
        "timed_out"
    } else {
        "tool_failed"
    };
    failure(code, format!("{what} failed: {error}"), None)
}

/// The outcome, unless it is too large for the link.
fn deliverable(outcome: Outcome) -> Outcome {
    // An answer's own fields around the outcome take less than 200 bytes.
    let size = serde_json::to_vec(&outcome).map_or(0, |text| text.len());
    if size + 200 < MAX_MESSAGE_BYTES {
        return outcome;
    }
    Outcome::Failed(failure(
        "garbage",
        format!("the report is too large to send: {size} bytes"),
        None,
    ))
}

pub(crate) fn failure(code: &str, detail: impl ToString, output: Option<String>) -> Failure {
    Failure {
        code: code.to_owned(),
        detail: detail.to_string(),
        output,
    }
}
