//! The agent programs that guests fetch: files `muster-agent-<arch>`, built into the server or in a folder, known by their
//! SHA-256.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest as _, Sha256};

/// Architectures that agents are built for, as `uname -m` says them.
const ARCHITECTURES: [&str; 2] = ["x86_64", "aarch64"];

/// What `make agent` built before the server was built.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/agents"]
struct BuiltIn;

/// Where programs come from, and what was read.
pub struct Programs {
    /// `None`: what is built in.
    folder: Option<PathBuf>,
    read: Mutex<Vec<(SystemTime, Program)>>,
}

/// One agent program. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Architecture as `uname -m` says it.
    pub arch: &'static str,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// The program.
    pub bytes: Bytes,
}

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// None lies in the folder that was named.
    #[error("there is no agent program in {}: build one with `make agent`, or name another folder with --agent-dir", folder.display())]
    Missing {
        /// Where was looked.
        folder: PathBuf,
    },
    /// The server was built before any agent.
    #[error("this Muster was built without agents: name a folder that holds one with --agent-dir")]
    NoneBuiltIn,
    /// A file is there and cannot be read.
    #[error("the agent program {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Programs {
    /// Looks in `folder`, or at what is built in.
    pub fn new(folder: Option<PathBuf>) -> Programs {
        Programs {
            folder,
            read: Mutex::default(),
        }
    }

    /// The architectures there are programs for.
    pub fn architectures(&self) -> Vec<&'static str> {
        let there = |arch: &&str| match &self.folder {
            Some(folder) => folder.join(name(arch)).is_file(),
            None => BuiltIn::get(&name(arch)).is_some(),
        };
        ARCHITECTURES.into_iter().filter(there).collect()
    }

    /// All programs there are, at least one. A file is read again when it was replaced.
    pub async fn all(&self) -> Result<Vec<Program>, ProgramError> {
        let mut all = Vec::new();
        for arch in self.architectures() {
            all.push(match &self.folder {
                Some(folder) => self.load(arch, folder.join(name(arch))).await?,
                None => built_in(arch).ok_or(ProgramError::NoneBuiltIn)?,
            });
        }
        match &self.folder {
            _ if !all.is_empty() => Ok(all),
            Some(folder) => Err(ProgramError::Missing { folder: folder.clone() }),
            None => Err(ProgramError::NoneBuiltIn),
        }
    }

    async fn load(&self, arch: &'static str, path: PathBuf) -> Result<Program, ProgramError> {
        let unreadable = |source| ProgramError::Unreadable {
            path: path.clone(),
            source,
        };
        let changed = modified(&path).map_err(unreadable)?;
        if let Some(program) = self.known(arch, changed) {
            return Ok(program);
        }
        let bytes = tokio::fs::read(&path).await.map_err(unreadable)?;
        let program = Program {
            arch,
            sha256: hex::encode(Sha256::digest(&bytes)),
            bytes: bytes.into(),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.retain(|(_, known)| known.arch != arch);
        read.push((changed, program.clone()));
        Ok(program)
    }

    fn known(&self, arch: &str, changed: SystemTime) -> Option<Program> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let known = read.iter().find(|(at, program)| *at == changed && program.arch == arch);
        known.map(|(_, program)| program.clone())
    }
}

fn name(arch: &str) -> String {
    format!("muster-agent-{arch}")
}

fn built_in(arch: &'static str) -> Option<Program> {
    let EmbeddedFile { data, metadata } = BuiltIn::get(&name(arch))?;
    Some(Program {
        arch,
        sha256: hex::encode(metadata.sha256_hash()),
        bytes: match data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        },
    })
}

fn modified(path: &Path) -> std::io::Result<SystemTime> {
    path.metadata()?.modified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_replaced_program_is_read_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let programs = Programs::new(Some(folder.path().to_owned()));
        assert!(matches!(programs.all().await, Err(ProgramError::Missing { .. })));
        assert_eq!(programs.architectures(), [""; 0]);
        let file = folder.path().join("muster-agent-x86_64");
        std::fs::write(&file, "one").expect("writes");
        let first = programs.all().await.expect("reads");
        assert_eq!(first.iter().map(|program| program.arch).collect::<Vec<_>>(), ["x86_64"]);
        assert_eq!(programs.all().await.expect("reads"), first);
        std::fs::write(&file, "two").expect("writes");
        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(9);
        std::fs::File::options()
            .write(true)
            .open(&file)
            .expect("opens")
            .set_modified(later)
            .expect("dates");
        let second = programs.all().await.expect("reads");
        assert_eq!(second[0].bytes, Bytes::from_static(b"two"));
        assert_ne!(second[0].sha256, first[0].sha256);
    }
}
