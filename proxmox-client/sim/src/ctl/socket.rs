//! The control socket: one request per connection, as a line of JSON with the asking program's standard streams
//! attached; the answer is a line of JSON.

use std::fs;
use std::io::{BufRead, BufReader, IoSlice, IoSliceMut, Write, stderr, stdin, stdout};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Weak;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde_json::{Value, json};

use super::{Control, Request};
use crate::guests::Streams;

/// The longest request.
const REQUEST_LIMIT: usize = 256 << 10;

/// Where the socket of a simulator is.
fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("ctl.sock")
}

/// Serves requests until [`stop`].
pub(crate) fn serve(state_dir: &Path, control: Weak<Control>) -> Result<()> {
    let path = path(state_dir);
    // A simulator that was killed leaves it behind.
    drop(fs::remove_file(&path));
    let socket = UnixListener::bind(&path).with_context(|| {
        format!(
            "cannot make the socket {}: is the path longer than 100 characters?",
            path.display()
        )
    })?;
    let accept = move || {
        for stream in socket.incoming().map_while(Result::ok) {
            let Some(control) = control.upgrade() else { return };
            thread::spawn(move || {
                if let Err(error) = answer(stream, &control) {
                    tracing::debug!(%error, "a control request was lost");
                }
            });
        }
    };
    thread::Builder::new()
        .name("ctl".to_owned())
        .spawn(accept)
        .context("cannot start a thread")?;
    Ok(())
}

/// Ends the serving thread of a control that is gone.
pub(crate) fn stop(state_dir: &Path) {
    drop(UnixStream::connect(path(state_dir)));
    drop(fs::remove_file(path(state_dir)));
}

fn answer(stream: UnixStream, control: &Control) -> Result<()> {
    let (request, streams) = receive(&stream)?;
    let request: Request = serde_json::from_str(&request).context("the request is not understood")?;
    let answer = match control.perform(request, streams) {
        Ok(value) => json!({ "answer": value }),
        Err(error) => json!({ "error": format!("{error:#}") }),
    };
    writeln!(&stream, "{answer}").context("nobody reads the answer")
}

/// Reads a line and the streams that came with its beginning.
fn receive(stream: &UnixStream) -> Result<(String, Option<Streams>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut attached = RecvAncillaryBuffer::new(&mut space);
    let mut first = [0; 4096];
    let received = recvmsg(
        stream,
        &mut [IoSliceMut::new(&mut first)],
        &mut attached,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let rights = attached.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fds: Vec<OwnedFd> = rights.flatten().collect();
    let mut line = String::from_utf8_lossy(&first[..received.bytes]).into_owned();
    let mut rest = BufReader::new(stream);
    while !line.ends_with('\n') && line.len() < REQUEST_LIMIT && rest.read_line(&mut line)? > 0 {}
    Ok((line, <[OwnedFd; 3]>::try_from(fds).ok().map(streams)))
}

fn streams([stdin, stdout, stderr]: [OwnedFd; 3]) -> Streams {
    Streams {
        stdin: Stdio::from(stdin),
        stdout: Stdio::from(stdout),
        stderr: Stdio::from(stderr),
    }
}

/// Sends a request to the simulator that keeps its state in `state_dir`. Commands use the standard streams of this
/// process; their exit code is in the answer as `exit`.
///
/// Fails if no simulator runs there, or with what it says.
pub fn send(state_dir: &Path, request: &Request) -> Result<Value> {
    let path = path(state_dir);
    let stream = UnixStream::connect(&path).with_context(|| {
        format!(
            "no simulator listens at {}: start one with proxmox-sim serve",
            path.display()
        )
    })?;
    let line = format!("{}\n", serde_json::to_string(request)?);
    let (stdin, stdout, stderr) = (stdin(), stdout(), stderr());
    let fds = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut attached = SendAncillaryBuffer::new(&mut space);
    if !attached.push(SendAncillaryMessage::ScmRights(&fds)) {
        bail!("the standard streams cannot be passed on");
    }
    let sent = sendmsg(
        &stream,
        &[IoSlice::new(line.as_bytes())],
        &mut attached,
        SendFlags::NOSIGNAL,
    )?;
    (&stream).write_all(&line.as_bytes()[sent..])?;
    let mut answer = String::new();
    BufReader::new(&stream)
        .read_line(&mut answer)
        .context("the simulator ended")?;
    let mut answer: Value = serde_json::from_str(&answer).context("the simulator ended")?;
    match answer["error"].take() {
        Value::Null => Ok(answer["answer"].take()),
        error => Err(anyhow!("{}", error.as_str().unwrap_or_default())),
    }
}
