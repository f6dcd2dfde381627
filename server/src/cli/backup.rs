//! `muster backup` and `muster restore`: the database as one file.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use muster_domain::Timestamp;
use muster_store::Store;

use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;

/// Where to write.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write, which must not exist; or a folder, in which a file named after the time is made.
    #[arg(value_name = "FILE")]
    to: PathBuf,
}

/// What to restore.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A file that `muster backup` wrote, of this version or an older one, from SQLite or PostgreSQL alike.
    #[arg(value_name = "FILE")]
    from: PathBuf,
}

pub(super) async fn back_up(args: BackupArgs, config: Config) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let path = target(args.to, now);
    if path.exists() {
        bail!(
            "{} exists already and is kept: name another file, or a folder",
            path.display()
        );
    }
    let store = Store::open(config.database.expose()).await?;
    let part = path.with_added_extension("part");
    let written = write(&store, now, &part).await;
    store.close().await;
    let finished = written.and_then(|rows| fs::rename(&part, &path).map(|()| rows).map_err(Into::into));
    let rows = finished
        .inspect_err(|_| drop(fs::remove_file(&part)))
        .with_context(|| format!("no backup was made in {}", path.display()))?;
    println!(
        "{}: {rows} rows; keep it apart from the key file, without which its secrets do not open",
        path.display()
    );
    Ok(())
}

pub(super) async fn restore(args: RestoreArgs, config: Config) -> anyhow::Result<()> {
    let path = args.from;
    let file = File::open(&path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let lines = BufReader::new(GzDecoder::new(BufReader::new(file)));
    let store = Store::open(config.database.expose()).await?;
    let restored = store.restore(SystemClock.now(), lines).await;
    store.close().await;
    let restored = restored.with_context(|| format!("nothing was restored from {}", path.display()))?;
    println!(
        "restored {} rows, as they stood on {} (Muster {}), into {}",
        restored.rows,
        Timestamp::from_micros(restored.header.created_at),
        restored.header.program,
        config.database
    );
    if restored.ended_jobs > 0 {
        println!("{} jobs were under way then and are cancelled", restored.ended_jobs);
    }
    println!(
        "next: put the key file {} back that belongs to it, and run `muster doctor`",
        config.key_file.display()
    );
    Ok(())
}

/// In a folder the name holds the time, to the second, without what some file systems refuse.
fn target(path: PathBuf, now: Timestamp) -> PathBuf {
    if !path.is_dir() {
        return path;
    }
    let time: String = now
        .to_string()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .take(15)
        .collect();
    path.join(format!("muster-{time}Z.backup.gz"))
}

/// Writes a file that only its owner may read: password hashes are in it.
async fn write(store: &Store, now: Timestamp, path: &Path) -> anyhow::Result<u64> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    let mut packed = GzEncoder::new(BufWriter::new(file), Compression::default());
    let rows = store.back_up(now, env!("CARGO_PKG_VERSION"), &mut packed).await?;
    let mut file = packed.finish()?;
    file.flush()?;
    file.get_ref().sync_all()?;
    Ok(rows)
}
