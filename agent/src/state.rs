//! The agent's folder: small JSON files, each replaced as a whole, so that a crash leaves the old or the new one.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Where the agent keeps what must survive a restart, unless told otherwise.
pub const DEFAULT_STATE_DIR: &str = "/var/lib/muster-agent";

/// A folder that only its owner can enter.
#[derive(Debug, Clone)]
pub struct StateDir {
    path: PathBuf,
}

/// A file of the folder could not be read or written, or holds something else than the agent wrote.
#[derive(Debug, Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct StateError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Keeps other processes from doing the same thing; given back when dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

impl StateDir {
    /// Opens the folder, and makes it if there is none.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let state = Self { path: path.into() };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(state.path.join("outcomes"))
            .map_err(|source| error("make", &state.path, source))?;
        Ok(state)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a lock, or says by `None` that another process holds it.
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>, StateError> {
        let path = self.path.join(name);
        let file = options()
            .truncate(false)
            .open(&path)
            .map_err(|source| error("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(error("lock", &path, source)),
        }
    }

    /// Reads a file; `None` when there is none.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StateError> {
        let path = self.path.join(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(error("read", &path, source)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| error("understand", &path, source.into()))
    }

    /// Replaces a file. When this returns, the new content survives a loss of power.
    pub(crate) fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StateError> {
        let path = self.path.join(name);
        self.replace(&path, value)
            .map_err(|source| error("write", &path, source))
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StateError> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(error("remove", &path, source)),
            _ => Ok(()),
        }
    }

    fn replace<T: Serialize>(&self, path: &Path, value: &T) -> io::Result<()> {
        let new = path.with_extension("new");
        let mut file = options().truncate(true).open(&new)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(path.parent().unwrap_or(&self.path))?.sync_all()
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn error(action: &'static str, path: &Path, source: io::Error) -> StateError {
    StateError {
        action,
        path: path.to_owned(),
        source,
    }
}
