//! `muster doctor`: looks for what is wrong before it hurts, and says what to do about each.

mod clusters;
mod start;
mod store;

use anyhow::bail;
use clap::Args;

use crate::config::Config;

/// What to look at beyond the usual.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Look only at the rows of the database, whether they contradict each other.
    ///
    /// Changes nothing and may run beside a server: what a server is at work on is no fault. Names what is wrong, where, and what
    /// to do; prints "the store is clean" when nothing is.
    #[arg(long)]
    store: bool,
}

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
pub(super) async fn run(args: DoctorArgs, config: Config) -> anyhow::Result<()> {
    if args.store {
        return store::run(config).await;
    }
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
