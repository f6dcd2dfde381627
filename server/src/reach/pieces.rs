//! Writing a file through a way that only runs scripts: in pieces of base64.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use super::{Obstacle, Ran, Shell};

/// Bytes in one piece: with base64 around it, well below what the kernel takes as one argument (128 KiB).
const PIECE: usize = 60 * 1024;
/// How long one piece may take.
const WITHIN: Duration = Duration::from_secs(60);

/// Writes the file anew and compares its checksum.
pub(super) async fn put(shell: &mut dyn Shell, path: &str, bytes: &[u8]) -> Result<(), Obstacle> {
    done(shell.run(&format!("umask 077; : >'{path}'"), WITHIN).await?, path)?;
    for piece in bytes.chunks(PIECE) {
        let line = format!("printf %s {} | base64 -d >>'{path}'", BASE64.encode(piece));
        done(shell.run(&line, WITHIN).await?, path)?;
    }
    let sum = done(shell.run(&format!("sha256sum <'{path}'"), WITHIN).await?, path)?;
    let arrived = String::from_utf8_lossy(&sum.output).contains(&hex::encode(Sha256::digest(bytes)));
    match arrived {
        true => Ok(()),
        false => Err(Obstacle::lost(
            "damaged",
            format!("{path} arrived damaged in the guest."),
        )),
    }
}

fn done(ran: Ran, path: &str) -> Result<Ran, Obstacle> {
    match ran.exit {
        0 => Ok(ran),
        exit => Err(Obstacle {
            kind: super::Kind::Failed,
            code: "guest_failed",
            detail: format!(
                "{path} cannot be written in the guest: {} (exit code {exit}).",
                ran.last_words()
            ),
        }),
    }
}
