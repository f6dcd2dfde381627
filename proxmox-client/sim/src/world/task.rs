//! Tasks: what Proxmox VE calls its background work, each named by a UPID.

use std::fmt;

use super::Millis;

/// The name of a task: `UPID:node:pid:pstart:starttime:type:id:user:` (PVE/UPID.pm).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upid {
    pub(crate) node: String,
    pub(crate) pid: u32,
    pub(crate) pstart: u64,
    /// Seconds since 1970.
    pub(crate) starttime: u64,
    pub(crate) kind: String,
    pub(crate) id: String,
    /// The full token id for tasks of tokens.
    pub(crate) user: String,
}

/// A task and what it wrote.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) upid: Upid,
    pub(crate) log: Vec<String>,
    /// `None` while it runs.
    pub(crate) end: Option<TaskEnd>,
}

/// How and when a task ended.
#[derive(Debug, Clone)]
pub(crate) struct TaskEnd {
    /// Seconds since 1970.
    pub(crate) at: u64,
    /// `OK` or the error in one line.
    pub(crate) status: String,
}

impl Upid {
    /// Reads a UPID; `None` if it is none.
    pub(crate) fn parse(text: &str) -> Option<Upid> {
        let parts: Vec<&str> = text.strip_prefix("UPID:")?.strip_suffix(':')?.split(':').collect();
        let [node, pid, pstart, starttime, kind, id, user] = parts[..] else {
            return None;
        };
        let hex = |digits: &str| u64::from_str_radix(digits, 16).ok();
        let is_whole = pid.len() == 8 && matches!(pstart.len(), 8 | 9) && starttime.len() == 8;
        (is_whole && !node.is_empty() && !kind.is_empty() && !user.is_empty()).then_some(())?;
        Some(Upid {
            node: node.to_owned(),
            pid: u32::try_from(hex(pid)?).ok()?,
            pstart: hex(pstart)?,
            starttime: hex(starttime)?,
            kind: kind.to_owned(),
            id: id.to_owned(),
            user: user.to_owned(),
        })
    }

    /// The user without the token's name.
    pub(crate) fn plain_user(&self) -> &str {
        self.user.split('!').next().unwrap_or_default()
    }

    /// The token's name, for tasks of tokens.
    pub(crate) fn token_name(&self) -> Option<&str> {
        self.user.split_once('!').map(|(_, name)| name)
    }
}

impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Upid {
            node,
            pid,
            pstart,
            starttime,
            kind,
            id,
            user,
        } = self;
        write!(
            f,
            "UPID:{node}:{pid:08X}:{pstart:08X}:{starttime:08X}:{kind}:{id}:{user}:"
        )
    }
}

impl Task {
    /// Ends the task: `Ok` or the text of its error. A task that has ended stays as it is.
    pub(crate) fn finish(&mut self, now: Millis, outcome: Result<(), String>) {
        if self.end.is_some() {
            return;
        }
        let (last_line, status) = match outcome {
            Ok(()) => ("TASK OK".to_owned(), "OK".to_owned()),
            Err(text) => (format!("TASK ERROR: {text}"), text),
        };
        self.log.push(last_line);
        self.end = Some(TaskEnd { at: now / 1000, status });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_upid_is_read_as_it_was_written(
            pid in any::<u32>(), pstart in 0u64..0xf_ffff_ffff, starttime in 0u64..0xffff_ffff, vmid in 100u32..999,
        ) {
            let upid = Upid {
                node: "pve1".to_owned(), pid, pstart, starttime,
                kind: "vzstart".to_owned(), id: vmid.to_string(), user: "ops@pve!full".to_owned(),
            };
            prop_assert_eq!(Upid::parse(&upid.to_string()), Some(upid));
        }
    }

    #[test]
    fn the_owner_is_split_into_user_and_token() {
        let upid = Upid::parse("UPID:pve1:000008B3:00043EFE:6B01147C:vzstart:101:ops@pve!full:").expect("recorded");
        assert_eq!((upid.plain_user(), upid.token_name()), ("ops@pve", Some("full")));
        assert_eq!((upid.pid, upid.pstart, upid.starttime), (2227, 278_270, 1_795_232_892));
        assert_eq!(Upid::parse("foo"), None);
    }
}
