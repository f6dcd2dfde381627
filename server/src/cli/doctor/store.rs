//! Whether the rows of the database contradict each other.

use anyhow::bail;
use muster_store::Store;
use muster_store::inspect::{FaultyRow, Finding};

use crate::app::inspection::inspect;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;

/// Prints every finding; fails when there is one. Reads one consistent view, changes nothing, and needs no key file.
pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let store = Store::open_to_read(config.database.expose()).await?;
    let findings = inspect(&mut store.read().await?, SystemClock.now()).await;
    store.close().await;
    let findings = findings?;
    for finding in &findings {
        print!("{}", shown(finding));
    }
    match findings.iter().map(|finding| finding.found).sum() {
        0_u64 => {
            println!("the store is clean");
            Ok(())
        }
        1 => bail!("one row is wrong"),
        count => bail!("{count} rows are wrong"),
    }
}

fn shown(finding: &Finding) -> String {
    let Finding { fault, table, .. } = finding;
    let mut text = format!("BAD   {fault} in {table}. {}\n", fault.meaning());
    for row in &finding.rows {
        let FaultyRow { id, name } = row;
        let parts = [id.map(|id| id.to_string()), name.clone()];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        text += &format!("        {}\n", parts.join("  "));
    }
    let more = finding.found - finding.rows.len() as u64;
    if more > 0 {
        text += &format!("        and {more} more\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use muster_domain::inconsistency::Inconsistency;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_finding_names_its_code_its_table_its_rows_and_what_to_do() {
        let finding = Finding {
            fault: Inconsistency::EnrolmentExpired,
            table: "enrolments",
            found: 3,
            rows: vec![FaultyRow {
                id: Some(Uuid::from_u128(1)),
                name: Some("web".to_owned()),
            }],
        };
        assert_eq!(
            shown(&finding),
            "BAD   enrolment_expired in enrolments. The line has expired, but a job still waits for it: cancel the job.\n        \
             00000000-0000-0000-0000-000000000001  web\n        and 2 more\n"
        );
    }
}
