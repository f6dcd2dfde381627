//! How long to wait before the next try: exponential with full jitter, so that thousands of agents that lost their server
//! in the same second do not come back in the same second.

use std::time::Duration;

use crate::identity::random;

pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    tries: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            tries: 0,
        }
    }

    /// Forgets earlier failures.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }

    /// The next wait: anything from nothing to `first` doubled with each try, `longest` at most.
    pub(crate) fn next(&mut self) -> Duration {
        let ceiling = self.first.saturating_mul(1 << self.tries.min(20)).min(self.longest);
        self.tries = self.tries.saturating_add(1);
        ceiling.mul_f64(fraction())
    }

    /// A wait that the server asked for: not shorter, and up to half as long again.
    pub(crate) fn after(&self, asked: Duration) -> Duration {
        asked + asked.mul_f64(fraction() / 2.0)
    }
}

/// A random number from 0 to 1.
fn fraction() -> f64 {
    f64::from(u32::from_le_bytes(random())) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_differ() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let waits: Vec<Duration> = (0..200).map(|_| backoff.next()).collect();
        assert!(waits[0] <= Duration::from_secs(1) && waits[1] <= Duration::from_secs(2));
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(60)));
        assert!(waits[10..].iter().any(|wait| *wait > Duration::from_secs(40)));
        assert!(waits[10..].iter().any(|wait| *wait < Duration::from_secs(20)));
        let asked = backoff.after(Duration::from_secs(10));
        assert!(asked >= Duration::from_secs(10) && asked <= Duration::from_secs(15));
    }
}
