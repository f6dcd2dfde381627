//! What is to go wrong with a guest: it is planned, and happens to the next operations of its kind.

use std::collections::BTreeMap;

/// An operation that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// It does not start.
    Start,
    /// No snapshot is made.
    Snapshot,
    /// Returning to a snapshot fails half-way: the guest is off and stays locked.
    Rollback,
    /// A snapshot is not deleted.
    DeleteSnapshot,
    /// No backup is made.
    Backup,
    /// A connection to its console breaks off.
    Console,
}

impl Mishap {
    /// All of them.
    pub const ALL: [Mishap; 6] = [
        Mishap::Start,
        Mishap::Snapshot,
        Mishap::Rollback,
        Mishap::DeleteSnapshot,
        Mishap::Backup,
        Mishap::Console,
    ];

    /// Its name in control requests.
    pub fn name(self) -> &'static str {
        match self {
            Mishap::Start => "start",
            Mishap::Snapshot => "snapshot",
            Mishap::Rollback => "rollback",
            Mishap::DeleteSnapshot => "delete-snapshot",
            Mishap::Backup => "backup",
            Mishap::Console => "console",
        }
    }

    /// The one of that name.
    pub(crate) fn parse(name: &str) -> Option<Mishap> {
        Mishap::ALL.into_iter().find(|mishap| mishap.name() == name)
    }

    /// How the task of the operation ends.
    fn error(self) -> &'static str {
        match self {
            Mishap::Start => "startup for container failed",
            Mishap::Snapshot => "lvcreate snapshot error: free space in thin pool pve/data reached threshold.",
            Mishap::Rollback => "lvm rollback error: Logical volume pve/data in use.",
            Mishap::DeleteSnapshot => "lvremove snapshot error: Logical volume pve/data in use.",
            Mishap::Backup => "command 'tar cpf - | zstd' failed: exit code 2",
            Mishap::Console => "the connection breaks off",
        }
    }
}

/// The mishaps planned for one guest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mishaps(BTreeMap<Mishap, Planned>);

#[derive(Debug, Clone, Copy)]
struct Planned {
    times: u32,
    after: u32,
}

impl Mishaps {
    /// Plans one for the next operations, `times` of them. A console's connection breaks off with the message that comes
    /// `after` others.
    pub(crate) fn plan(&mut self, mishap: Mishap, times: u32, after: u32) {
        self.0.insert(mishap, Planned { times, after });
    }

    /// An operation begins: the error if it goes wrong.
    pub(crate) fn happens(&mut self, mishap: Mishap) -> Result<(), String> {
        match self.take(mishap) {
            Some(_) => Err(mishap.error().to_owned()),
            None => Ok(()),
        }
    }

    /// A connection to the console begins: after how many messages it breaks off.
    pub(crate) fn console_breaks_after(&mut self) -> Option<u32> {
        self.take(Mishap::Console).map(|planned| planned.after)
    }

    fn take(&mut self, mishap: Mishap) -> Option<Planned> {
        let planned = self.0.get_mut(&mishap)?;
        planned.times -= 1;
        let happening = *planned;
        if happening.times == 0 {
            self.0.remove(&mishap);
        }
        Some(happening)
    }
}
