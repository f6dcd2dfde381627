//! `muster doctor`: looks for what is wrong before it hurts, and says what to do about each.

mod start;

use anyhow::bail;
use clap::Args;

use crate::config::Config;

/// What to look at beyond the usual.
#[derive(Debug, Args)]
pub struct DoctorArgs {}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    verdict: Verdict,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Remark,
    Wrong,
}

impl Finding {
    /// As it should be.
    pub(super) fn fine(text: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Fine,
            text: text.into(),
        }
    }

    /// Works, but somebody should know.
    pub(super) fn remark(text: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Remark,
            text: text.into(),
        }
    }

    /// Does not work; the text says what to do.
    pub(super) fn wrong(text: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Wrong,
            text: text.into(),
        }
    }
}

/// Prints every finding; fails when something is wrong.
pub(super) async fn run(_args: DoctorArgs, config: Config) -> anyhow::Result<()> {
    let findings = start::look(config).await;
    for finding in &findings {
        let sign = match finding.verdict {
            Verdict::Fine => "ok  ",
            Verdict::Remark => "note",
            Verdict::Wrong => "BAD ",
        };
        println!("{sign}  {}", finding.text);
    }
    match findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Wrong)
        .count()
    {
        0 => Ok(()),
        1 => bail!("one thing is wrong"),
        count => bail!("{count} things are wrong"),
    }
}
