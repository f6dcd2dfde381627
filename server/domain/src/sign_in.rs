//! How long somebody who signs in has to wait after sign-ins that failed. Three counts bound three kinds of guessing: of one name
//! from one address, of many names from one address, and of one name from many addresses. The last of them costs others only
//! their free tries and a short wait, so that a stranger elsewhere locks nobody out.

use std::time::Duration;

use crate::Timestamp;

/// So many tries of one name from one address are free.
const FREE: i64 = 5;
/// The wait after the first try that is not; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait for one name from one address.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// Failures of one name from one address that are this old count no longer.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);
/// So many tries from one address are free, whatever the names: many people may share it.
const FREE_OF_ADDRESS: i64 = 30;
/// The longest wait for one address as a whole.
const LONGEST_WAIT_OF_ADDRESS: Duration = Duration::from_secs(60);
/// With so many failures a name is being guessed from many addresses: no address has free tries any more.
const GUESSED: i64 = 50;
/// How long each address waits before its first try of such a name.
const WAIT_WHILE_GUESSED: Duration = Duration::from_secs(10);
/// Of the failures of an address or a name as a whole, one is forgotten each time this has passed.
const ONE_FORGOTTEN_EACH: Duration = Duration::from_secs(60);

/// Failures in a row, and what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: i64,
    /// When the last one was.
    pub last_at: Timestamp,
    /// Until then further tries are refused.
    pub blocked_until: Timestamp,
}

/// The counts that a try is judged by, and which it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Of this name from this address.
    pub pair: Failures,
    /// Of all names from this address.
    pub address: Failures,
    /// Of this name from all addresses.
    pub name: Failures,
}

/// What becomes of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// It may be made. It counts as failed before it is made: many at once then cannot all be the first.
    Made(Counts),
    /// Not before this much time has passed.
    Refused {
        /// The time.
        wait: Duration,
        /// How it counts for this name from this address; nothing else has changed.
        pair: Failures,
    },
}

impl Failures {
    /// None so far.
    pub const NONE: Failures = Failures {
        count: 0,
        last_at: Timestamp::from_micros(0),
        blocked_until: Timestamp::from_micros(0),
    };

    fn plus_one(self, now: Timestamp, wait: Duration) -> Failures {
        Failures {
            count: self.count + 1,
            last_at: now,
            blocked_until: now + wait,
        }
    }

    fn faded(self, now: Timestamp) -> i64 {
        let forgotten = now.since(self.last_at).as_secs() / ONE_FORGOTTEN_EACH.as_secs();
        self.count.saturating_sub_unsigned(forgotten).max(0)
    }

    /// After the try that was counted last turned out to be right.
    pub fn taken_back(self) -> Failures {
        Failures {
            count: (self.count - 1).max(0),
            blocked_until: Timestamp::from_micros(0),
            ..self
        }
    }
}

/// Judges a try by what has failed before.
pub fn judge(now: Timestamp, before: Counts) -> Try {
    let Counts { pair, address, name } = before;
    let is_recent = now.since(pair.last_at) < FORGOTTEN_AFTER;
    let pair = if is_recent { pair } else { Failures::NONE };
    let blocked_until = pair.blocked_until.max(address.blocked_until);
    if blocked_until > now {
        let wait = blocked_until.since(now);
        return Try::Refused { wait, pair };
    }
    if pair.count == 0 && name.faded(now) >= GUESSED {
        let pair = Failures {
            count: FREE,
            last_at: now,
            blocked_until: now + WAIT_WHILE_GUESSED,
        };
        return Try::Refused {
            wait: WAIT_WHILE_GUESSED,
            pair,
        };
    }
    let of_address = Failures {
        count: address.faded(now),
        ..address
    };
    let of_name = Failures {
        count: name.faded(now),
        ..name
    };
    Try::Made(Counts {
        pair: pair.plus_one(now, wait_after(pair.count + 1 - FREE, LONGEST_WAIT)),
        address: of_address.plus_one(
            now,
            wait_after(of_address.count + 1 - FREE_OF_ADDRESS, LONGEST_WAIT_OF_ADDRESS),
        ),
        name: of_name.plus_one(now, Duration::ZERO),
    })
}

fn wait_after(beyond_free: i64, longest: Duration) -> Duration {
    match u32::try_from(beyond_free) {
        Ok(beyond @ 1..) => FIRST_WAIT.saturating_mul(1 << (beyond - 1).min(16)).min(longest),
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    /// Everybody's counts, as a server keeps them. Names and addresses are numbers.
    #[derive(Default)]
    struct Kept(HashMap<(Option<u32>, Option<u32>), Failures>);

    impl Kept {
        /// A try that fails. How long it has to wait, if it is refused.
        fn fails(&mut self, now: Timestamp, name: u32, address: u32) -> Option<Duration> {
            let keys = [(Some(name), Some(address)), (None, Some(address)), (Some(name), None)];
            let [pair, of_address, of_name] = keys.map(|key| self.0.get(&key).copied().unwrap_or(Failures::NONE));
            match judge(
                now,
                Counts {
                    pair,
                    address: of_address,
                    name: of_name,
                },
            ) {
                Try::Made(after) => {
                    self.0
                        .extend(keys.into_iter().zip([after.pair, after.address, after.name]));
                    None
                }
                Try::Refused { wait, pair } => {
                    self.0.insert(keys[0], pair);
                    Some(wait)
                }
            }
        }
    }

    #[test]
    fn waiting_starts_after_the_free_tries_doubles_and_has_an_end() {
        let (mut kept, mut now, mut waits) = (Kept::default(), START, Vec::new());
        for _ in 0..20 {
            assert_eq!(kept.fails(now, 1, 1), None);
            let wait = kept.0[&(Some(1), Some(1))].blocked_until.since(now);
            waits.push(wait.as_secs());
            now = now + wait;
        }
        assert_eq!(waits[..8], [0, 0, 0, 0, 0, 2, 4, 8]);
        assert_eq!(waits[19], 900);
    }

    #[test]
    fn old_failures_are_forgotten() {
        let mut kept = Kept::default();
        while kept.fails(START, 1, 1).is_none() {}
        let next_day = START + Duration::from_secs(25 * 3600);
        assert!((0..FREE).all(|_| kept.fails(next_day, 1, 1).is_none()));
    }

    #[test]
    fn one_address_tries_many_names_at_a_bounded_rate() {
        let mut kept = Kept::default();
        let mut made = 0;
        for second in 0..3600_u32 {
            let now = START + Duration::from_secs(second.into());
            made += i64::from(kept.fails(now, second, 1).is_none());
        }
        assert!((FREE_OF_ADDRESS..FREE_OF_ADDRESS + 80).contains(&made), "{made}");
        assert_eq!(
            kept.fails(START + Duration::from_secs(3600), 1, 2),
            None,
            "others are not held up"
        );
    }

    proptest! {
        /// Whatever a stranger does from other addresses, somebody who comes along waits ten seconds at most.
        #[test]
        fn a_stranger_elsewhere_costs_a_short_wait(tries in prop::collection::vec((0..3_u32, 1..400_u32, 0..20_u64), 0..600)) {
            let (mut kept, mut now) = (Kept::default(), START);
            for (name, address, later) in tries {
                now = now + Duration::from_secs(later);
                kept.fails(now, name, address);
            }
            let wait = kept.fails(now, 0, 0).unwrap_or_default();
            prop_assert!(wait <= WAIT_WHILE_GUESSED);
            if wait > Duration::ZERO {
                kept.fails(now + wait, 0, 7);
                prop_assert_eq!(kept.fails(now + wait, 0, 0), None);
            }
        }

        /// A name that is being guessed from many addresses gives each of them one try, and that only after a wait.
        #[test]
        fn a_guessed_name_has_no_free_tries(addresses in 100..200_u32) {
            let mut kept = Kept::default();
            let made: i64 = (0..addresses).map(|address| i64::from(kept.fails(START, 0, address).is_none())).sum();
            prop_assert_eq!(made, GUESSED);
            let later = START + WAIT_WHILE_GUESSED;
            prop_assert_eq!(kept.fails(later, 0, 99), None);
            prop_assert_eq!(kept.fails(later, 0, 99), Some(FIRST_WAIT));
        }
    }
}
