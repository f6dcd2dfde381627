//! Logs: one line per fact, as text for people or JSON for collectors, on standard error. And measurements.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging for the whole process. `filter` is a level (`info`) or a list like `info,muster::http=debug`.
pub fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter: EnvFilter = filter.parse().with_context(|| {
        format!("the log filter \"{filter}\" is not valid: write a level like info, or info,muster=debug")
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => registry.with(lines.with_target(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    }
    .context("logging cannot be started twice")
}

/// Upper bounds of the classes of durations, in seconds.
const SECONDS: [f64; 10] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0];

/// All measurements so far, in the text format of Prometheus.
pub fn measurements() -> anyhow::Result<String> {
    let recorder = recorder()?;
    recorder.run_upkeep();
    Ok(recorder.render())
}

/// Starts measuring for the whole process; a second call finds it started.
pub fn recorder() -> anyhow::Result<&'static PrometheusHandle> {
    static STARTED: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(started) = STARTED.get() {
        return Ok(started);
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .build_recorder();
    let handle = recorder.handle();
    // Only the first of two calls at the same time succeeds; both then find the same.
    if metrics::set_global_recorder(recorder).is_ok() {
        metrics::gauge!("muster_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        return Ok(STARTED.get_or_init(|| handle));
    }
    STARTED.get().context("measuring was started by something else")
}
