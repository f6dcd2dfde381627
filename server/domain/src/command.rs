//! The life of a command to an agent: pending → leased → acked → answered, or expired, or cancelled.

use std::time::Duration;

use crate::fleet::words;

/// How long a leased command is held for its agent before it is offered again.
pub const LEASE: Duration = Duration::from_secs(30);

words! {
    /// Where a command stands.
    CommandState {
        /// Waits for its agent.
        Pending = "pending",
        /// Sent to its agent, which has not said that it wrote it down.
        Leased = "leased",
        /// In the agent's journal; it may be running.
        Acked = "acked",
        /// The outcome is stored.
        Answered = "answered",
        /// Its time has passed without an answer.
        Expired = "expired",
        /// Nobody wants the answer any more.
        Cancelled = "cancelled",
    }
}

/// What can happen to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandEvent {
    /// The agent asked for work and got it.
    Lease,
    /// The lease ran out without an acknowledgement.
    Lapse,
    /// The agent wrote it down and asks whether it may run.
    Ack,
    /// The agent's outcome arrived.
    Answer,
    /// Its time has passed.
    Expire,
    /// Nobody wants it any more.
    Cancel,
}

impl CommandState {
    /// Whether nothing will happen to it any more.
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            CommandState::Answered | CommandState::Expired | CommandState::Cancelled
        )
    }

    /// The state after `event`; `None` when the event changes nothing: a second answer is not stored, an acknowledgement of
    /// a cancelled command is refused, a command that an agent has acknowledged is never leased again.
    pub const fn next(self, event: CommandEvent) -> Option<CommandState> {
        use CommandEvent as E;
        use CommandState as S;
        match (self, event) {
            (S::Pending, E::Lease) => Some(S::Leased),
            (S::Leased, E::Lapse) => Some(S::Pending),
            // Acknowledged a second time: the connection was cut before the server's word arrived. The agent's journal
            // keeps it from running twice.
            (S::Pending | S::Leased | S::Acked, E::Ack) => Some(S::Acked),
            (S::Pending | S::Leased | S::Acked, E::Answer) => Some(S::Answered),
            (S::Pending | S::Leased | S::Acked, E::Expire) => Some(S::Expired),
            (S::Pending | S::Leased | S::Acked, E::Cancel) => Some(S::Cancelled),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENTS: [CommandEvent; 6] = [
        CommandEvent::Lease,
        CommandEvent::Lapse,
        CommandEvent::Ack,
        CommandEvent::Answer,
        CommandEvent::Expire,
        CommandEvent::Cancel,
    ];

    #[test]
    fn every_word_is_read_back() {
        for state in CommandState::ALL {
            assert_eq!(CommandState::parse(state.as_str()), Some(*state));
        }
    }

    proptest! {
        /// Once acknowledged, a command is never handed out again; one outcome is stored at most; and its time can always
        /// end it, so that nothing waits for ever.
        #[test]
        fn a_command_is_handed_out_once_and_always_ends(
            events in prop::collection::vec(prop::sample::select(&EVENTS[..]), 0..40),
        ) {
            let mut state = CommandState::Pending;
            let (mut acked, mut answers) = (false, 0);
            for event in events {
                let Some(next) = state.next(event) else { continue };
                prop_assert!(!state.is_over());
                acked |= next == CommandState::Acked;
                answers += u32::from(event == CommandEvent::Answer);
                prop_assert!(!(acked && next == CommandState::Leased));
                prop_assert!(answers <= 1);
                state = next;
            }
            prop_assert!(state.is_over() || state.next(CommandEvent::Expire) == Some(CommandState::Expired));
        }
    }
}
