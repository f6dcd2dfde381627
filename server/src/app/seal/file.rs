//! The key file: one key per line in hexadecimal, readable by its owner only.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Seal;

/// Why the key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is not there.
    #[error("there is no key file {}: create one with `muster key init --key-file {}`, or put back the one that belongs to this database", path.display(), path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others can read it.
    #[error("the key file {} can be read by other users of this machine (mode {mode:o}): run `chmod 600 {}`", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It does not hold keys.
    #[error("line {line} of the key file {} is not a key (64 hexadecimal digits): put back the file that belongs to this database", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The wrong line, from 1.
        line: usize,
    },
    /// It already exists.
    #[error("{} exists already and is kept: secrets may be sealed with it. `muster key rotate` replaces a key", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("the key file {} cannot be {operation}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// `read`, `written`…
        operation: &'static str,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

impl Seal {
    /// Reads the key file. Refuses one that other users could read.
    pub fn read(path: &Path) -> Result<Seal, KeyFileError> {
        Ok(Seal::new(&keys(path)?))
    }

    /// Creates a key file with one new key, and its folder when that is missing. Never replaces a file.
    pub fn create(path: &Path, key: Zeroizing<[u8; 32]>) -> Result<Seal, KeyFileError> {
        if path.exists() {
            return Err(KeyFileError::Exists { path: path.to_owned() });
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(failed(path, "written"))?;
        }
        let keys = [key];
        replace(path, &keys)?;
        Ok(Seal::new(&keys))
    }
}

/// The keys of the file, the sealing one first.
pub(super) fn keys(path: &Path) -> Result<Vec<Zeroizing<[u8; 32]>>, KeyFileError> {
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
        _ => failed(path, "read")(error),
    })?;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open {
            path: path.to_owned(),
            mode,
        });
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(failed(path, "read"))?);
    let keys: Vec<_> = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            parse(line).ok_or_else(|| KeyFileError::Malformed {
                path: path.to_owned(),
                line: index + 1,
            })
        })
        .collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err(KeyFileError::Malformed {
            path: path.to_owned(),
            line: 1,
        });
    }
    Ok(keys)
}

/// Writes the file anew beside the old one and renames it, so that a crash leaves one of the two whole.
pub(super) fn replace(path: &Path, keys: &[Zeroizing<[u8; 32]>]) -> Result<(), KeyFileError> {
    let beside = path.with_extension("new");
    let mut text = Zeroizing::new(String::new());
    for key in keys {
        text.push_str(&Zeroizing::new(hex::encode(key.as_slice())));
        text.push('\n');
    }
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(failed(path, "written"))
}

fn parse(line: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(line.trim(), key.as_mut_slice()).ok()?;
    Some(key)
}

fn failed(path: &Path, operation: &'static str) -> impl FnOnce(std::io::Error) -> KeyFileError {
    let path = path.to_owned();
    move |source| KeyFileError::System {
        path,
        operation,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_file_is_private_and_opens_what_it_sealed() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("deep/key");
        let sealed = Seal::create(&path, Zeroizing::new([7; 32]))?.seal(uuid::Uuid::nil(), "x", b"y");
        assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        let opened = Seal::read(&path)?.open(uuid::Uuid::nil(), "x", &sealed.key_id, &sealed.bytes)?;
        assert_eq!(opened.as_slice(), b"y");
        Ok(())
    }

    #[test]
    fn refuses_missing_readable_broken_and_existing_files() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("key");
        assert!(matches!(Seal::read(&path), Err(KeyFileError::Missing { .. })));
        Seal::create(&path, Zeroizing::new([7; 32]))?;
        assert!(matches!(
            Seal::create(&path, Zeroizing::new([8; 32])),
            Err(KeyFileError::Exists { .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640))?;
        assert!(matches!(Seal::read(&path), Err(KeyFileError::Open { mode: 0o640, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        fs::write(&path, "not a key\n")?;
        assert!(matches!(
            Seal::read(&path),
            Err(KeyFileError::Malformed { line: 1, .. })
        ));
        fs::write(&path, "")?;
        assert!(matches!(
            Seal::read(&path),
            Err(KeyFileError::Malformed { line: 1, .. })
        ));
        Ok(())
    }
}
