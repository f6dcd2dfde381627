//! What was measured, beside what it should be. Each bench leaves its figures in `target/bench`, where `make bench` collects them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// The figures of one bench.
pub(crate) struct Figures {
    bench: &'static str,
    all: Vec<Value>,
}

impl Figures {
    /// None yet.
    pub(crate) fn of(bench: &'static str) -> Figures {
        Figures { bench, all: Vec::new() }
    }

    /// A figure that is to be at most `target`. Printed at once.
    pub(crate) fn at_most(&mut self, what: &str, measured: f64, target: f64, unit: &str) {
        self.add(what, measured, Some((target, measured <= target)), unit);
    }

    /// A figure without a target, which helps to read the others.
    pub(crate) fn note(&mut self, what: &str, measured: f64, unit: &str) {
        self.add(what, measured, None, unit);
    }

    /// Something that cannot be measured here, and why.
    pub(crate) fn missing(&mut self, what: &str, why: &str) {
        println!("{what}: not measured, {why}");
        self.all.push(json!({ "what": what, "missing": why }));
    }

    /// Writes them for `make bench`.
    pub(crate) fn write(self) -> Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{}.json", self.bench));
        std::fs::write(&file, serde_json::to_vec_pretty(&self.all)?).with_context(|| format!("{}", file.display()))
    }

    fn add(&mut self, what: &str, measured: f64, target: Option<(f64, bool)>, unit: &str) {
        let said = match target {
            Some((target, true)) => format!(", at most {target:.1} {unit}: pass"),
            Some((target, false)) => format!(", at most {target:.1} {unit}: MISS"),
            None => String::new(),
        };
        println!("{what}: {measured:.1} {unit}{said}");
        let (target, pass) = target.unzip();
        self.all
            .push(json!({ "what": what, "measured": measured, "target": target, "unit": unit, "pass": pass }));
    }
}

/// The time below which that share of all times lies, in milliseconds. Sorts them.
pub(crate) fn quantile(times: &mut [Duration], share: f64) -> f64 {
    times.sort();
    let place = (times.len() as f64 * share) as usize;
    times
        .get(place.min(times.len().saturating_sub(1)))
        .map_or(0.0, Duration::as_secs_f64)
        * 1000.0
}
