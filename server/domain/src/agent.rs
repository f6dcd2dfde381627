//! Agents: who is believed, and who counts as connected.

use std::time::Duration;

use crate::fleet::AgentState;

/// How often an agent sends a heartbeat.
pub const HEARTBEAT: Duration = Duration::from_secs(10);
/// Silence after which an agent is late: one heartbeat missed.
pub const LATE_AFTER: Duration = Duration::from_secs(16);
/// Silence after which an agent is offline: two heartbeats missed, and some.
pub const OFFLINE_AFTER: Duration = Duration::from_secs(26);

/// Whether an agent's number fits the last one it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// It is the only one with this key, as far as can be told.
    Single {
        /// The number to give it now.
        next: u64,
    },
    /// Somebody else connected with the same key in the meantime: the guest was copied, or its disk was set back.
    Copied,
}

/// Judges the number an agent presents. `given` is the last number that was given under its key; `confirmed` says that the
/// agent that got it is known to have stored it.
///
/// One behind is fine while nothing confirms the last one: that welcome may have been lost on the way, so its number is
/// given once more. A higher number than was ever given means that the server's database was restored from a backup.
pub fn judge(given: u64, presented: u64, confirmed: bool) -> Identity {
    if presented >= given {
        Identity::Single { next: presented + 1 }
    } else if presented + 1 == given && !confirmed {
        Identity::Single { next: given }
    } else {
        Identity::Copied
    }
}

/// What a connected or once connected agent is after so much silence.
pub fn state_after(silence: Duration) -> AgentState {
    if silence >= OFFLINE_AFTER {
        AgentState::Offline
    } else if silence >= LATE_AFTER {
        AgentState::Late
    } else {
        AgentState::Online
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An agent's disk: the number it stored last.
    #[derive(Clone, Copy)]
    struct Disk(u64);

    /// The server's side of one key.
    #[derive(Default)]
    struct Server {
        given: u64,
        confirmed: bool,
    }

    impl Server {
        /// One connection; `delivered` says whether the welcome arrived. False when the copy was found out.
        fn connect(&mut self, disk: &mut Disk, delivered: bool) -> bool {
            let Identity::Single { next } = judge(self.given, disk.0, self.confirmed) else {
                return false;
            };
            self.given = next;
            self.confirmed = delivered;
            if delivered {
                disk.0 = next;
            }
            true
        }
    }

    proptest! {
        /// However many welcomes are lost, an agent alone is never suspected.
        #[test]
        fn one_agent_alone_is_never_suspected(lost in prop::collection::vec(any::<bool>(), 1..40)) {
            let (mut server, mut disk) = (Server::default(), Disk(0));
            for lost in lost {
                prop_assert!(server.connect(&mut disk, !lost));
            }
        }

        /// Two disks with one key are found out soon after both have connected, in whatever order, and also when the server
        /// has forgotten in between which welcomes arrived.
        #[test]
        fn a_copy_is_found_out(before in 1..20_u64, order in prop::collection::vec(any::<bool>(), 12), forgets: bool) {
            let (mut server, mut disk) = (Server::default(), Disk(0));
            for _ in 0..before {
                prop_assert!(server.connect(&mut disk, true));
            }
            let mut copy = disk;
            server.confirmed &= !forgets;
            let mut found = false;
            for original in order.into_iter().chain([true, false, true, false]) {
                found |= !server.connect(if original { &mut disk } else { &mut copy }, true);
            }
            prop_assert!(found);
        }
    }

    #[test]
    fn a_restored_server_believes_its_agents() {
        assert_eq!(judge(3, 9, false), Identity::Single { next: 10 });
    }

    #[test]
    fn silence_makes_late_and_then_offline() {
        assert_eq!(state_after(HEARTBEAT), AgentState::Online);
        assert_eq!(state_after(LATE_AFTER), AgentState::Late);
        assert_eq!(state_after(OFFLINE_AFTER), AgentState::Offline);
        assert!(OFFLINE_AFTER + Duration::from_secs(2) <= Duration::from_secs(30));
    }
}
