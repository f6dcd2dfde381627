//! Whether Muster can read its clusters, and what it found wrong with them when it last did.

use muster_domain::health::Gravity;
use muster_store::clusters::ClusterRow;

use super::Finding;
use crate::app::App;

/// One finding for a cluster that is well, one for each thing that is not.
pub(super) async fn look(app: &App) -> anyhow::Result<Vec<Finding>> {
    let clusters = app.store.read().await?.clusters().await?;
    Ok(clusters.iter().flat_map(of).collect())
}

fn of(row: &ClusterRow) -> Vec<Finding> {
    let name = &row.name;
    if row.paused {
        return vec![Finding::remark(format!("{name}: paused, so nothing of it is read"))];
    }
    if let Some(code) = &row.error_code {
        let detail = row.error_detail.as_deref().unwrap_or_default();
        return vec![Finding::wrong(format!("{name}: {code}: {detail}"))];
    }
    let told = row.health.iter().filter_map(|reason| {
        let text = format!("{name}: {}: {}", reason.code, reason.detail);
        match reason.gravity {
            Gravity::Critical => Some(Finding::wrong(text)),
            Gravity::Warning => Some(Finding::remark(text)),
            Gravity::Note => None,
        }
    });
    let told: Vec<Finding> = told.collect();
    match (told.is_empty(), row.last_discovered_at) {
        (false, _) => told,
        (true, Some(_)) => vec![Finding::fine(format!("{name} is read"))],
        (true, None) => vec![Finding::remark(format!("{name}: not read yet"))],
    }
}
