//! Commands in virtual machines, through the QEMU guest agent.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::{Client, Error, Output, Result, catalogue, perl};

/// PVE's limit for what a command reads (`PVE/API2/Qemu/Agent.pm`).
const LARGEST_INPUT: usize = 64 * 1024;

/// How much of each stream the guest agent keeps (`qga/commands.c`, GUEST_EXEC_MAX_OUTPUT).
const LARGEST_OUTPUT: usize = 16 * 1024 * 1024;

/// The pause between two looks at a running command grows from the first to the longest by half.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Started {
    #[serde(deserialize_with = "perl::sure")]
    pid: u64,
}

/// PVE has decoded the streams already; absent ones are empty.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Progress {
    #[serde(deserialize_with = "perl::flag")]
    exited: bool,
    #[serde(default, rename = "exitcode", deserialize_with = "perl::maybe")]
    exit_code: Option<i64>,
    #[serde(default, deserialize_with = "perl::maybe")]
    signal: Option<i64>,
    #[serde(default)]
    out_data: String,
    #[serde(default)]
    err_data: String,
    #[serde(default, deserialize_with = "perl::flag")]
    out_truncated: bool,
    #[serde(default, deserialize_with = "perl::flag")]
    err_truncated: bool,
}

impl Client {
    /// Runs a program with its arguments in a virtual machine and waits for its end, for at most `within`. No shell
    /// reads the words: name one as the program where one is wanted. The program reads `input`, at most 64 KiB.
    ///
    /// Needs `VM.GuestAgent.Unrestricted` on `/vms/{vmid}` on PVE 9, `VM.Monitor` on PVE 8. Fails with `Rejected` when
    /// the machine does not run or its agent does not answer: then nothing was run. With `TimedOut` the program runs
    /// on, with `Unknown` it may have run but its end is lost, with `TooLarge` it ended but the agent has cut its
    /// output off.
    pub async fn qemu_exec(
        &self,
        node: &str,
        vmid: u32,
        command: &[&str],
        input: &[u8],
        within: Duration,
    ) -> Result<Output> {
        let deadline = Instant::now() + within;
        let pid = self.qemu_exec_start(node, vmid, command, input).await?;
        let late = || Error::TimedOut {
            call: catalogue::QEMU_EXEC.name,
            after: within,
        };
        let mut pause = FIRST_PAUSE;
        loop {
            match tokio::time::timeout_at(deadline, self.qemu_exec_progress(node, vmid, pid)).await {
                Ok(Ok(progress)) if progress.exited => return output(progress),
                Ok(Ok(_)) => {}
                Ok(Err(error)) if may_pass(&error) => {}
                Ok(Err(error)) => return Err(self.lost(node, error)),
                Err(_) => return Err(late()),
            }
            if Instant::now() + pause >= deadline {
                return Err(late());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    async fn qemu_exec_start(&self, node: &str, vmid: u32, command: &[&str], input: &[u8]) -> Result<u64> {
        if input.len() > LARGEST_INPUT {
            return Err(Error::invalid(
                "input",
                format!("it has {} bytes, and PVE takes {LARGEST_INPUT}", input.len()),
            ));
        }
        let mut request = catalogue::QEMU_EXEC.at(&[node, &vmid.to_string()])?;
        for word in command {
            request = request.with("command", word);
        }
        if !input.is_empty() {
            request = request.with("input-data", characters(input));
        }
        let started: Started = self.fetch(request).await?;
        Ok(started.pid)
    }

    async fn qemu_exec_progress(&self, node: &str, vmid: u32, pid: u64) -> Result<Progress> {
        let request = catalogue::QEMU_EXEC_STATUS.at(&[node, &vmid.to_string()])?;
        self.fetch(request.with("pid", pid)).await
    }

    /// A refused look at a command that was started: the machine went down, or an answer that told the end was lost
    /// on its way, after which the agent knows nothing of the command any more.
    fn lost(&self, node: &str, error: Error) -> Error {
        match error {
            Error::Rejected { call, message, .. } => Error::Unknown {
                call,
                endpoint: self.endpoint_for(node),
                reason: message,
            },
            other => other,
        }
    }
}

fn output(progress: Progress) -> Result<Output> {
    if progress.out_truncated || progress.err_truncated {
        return Err(Error::TooLarge {
            call: catalogue::QEMU_EXEC.name,
            limit: LARGEST_OUTPUT,
        });
    }
    let by_signal = progress.signal.map(|signal| 128 + signal);
    Ok(Output {
        exit: progress.exit_code.or(by_signal).unwrap_or_default(),
        stdout: bytes(&progress.out_data),
        stderr: bytes(&progress.err_data),
    })
}

/// Whether a failed look says nothing about the command.
fn may_pass(error: &Error) -> bool {
    matches!(
        error,
        Error::NotSent { .. } | Error::Unknown { .. } | Error::TimedOut { .. } | Error::NodeUnreachable { .. }
    )
}

/// The bytes behind a stream. PVE writes each byte as the character of that number, since what it got from the agent
/// are bytes and JSON has characters only. A text with larger characters was not made like that and stands for itself.
fn bytes(stream: &str) -> Vec<u8> {
    let each: Result<Vec<u8>, _> = stream.chars().map(u8::try_from).collect();
    each.unwrap_or_else(|_| stream.as_bytes().to_vec())
}

/// The other way round: PVE makes bytes of characters below 256, and fails for others.
fn characters(input: &[u8]) -> String {
    input.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_is_no_bytes_stands_for_itself() {
        assert_eq!(bytes("20 €"), "20 €".as_bytes());
        assert_eq!(bytes("Ã©"), "é".as_bytes());
    }

    proptest! {
        #[test]
        fn every_byte_survives(input in any::<Vec<u8>>()) {
            prop_assert_eq!(bytes(&characters(&input)), input);
        }
    }
}
