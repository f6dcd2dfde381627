//! How many calls may be made about things that only have grown old. What changed is always asked at once, and counts.

use std::collections::VecDeque;
use std::time::Duration;

use muster_domain::Timestamp;

/// Calls within any minute beside the regular ones: 6 lists, 1 cluster status and these make at most 12.
const MOST: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);

/// When the calls of the last minute were made.
#[derive(Debug, Clone, Default)]
pub(super) struct Budget {
    made: VecDeque<Timestamp>,
}

impl Budget {
    /// Takes `calls` when so many are left.
    pub(super) fn take(&mut self, calls: usize, now: Timestamp) -> bool {
        self.made.retain(|at| now.since(*at) < MINUTE);
        let enough = self.made.len() + calls <= MOST;
        if enough {
            self.spend(calls, now);
        }
        enough
    }

    /// Counts calls that are made in any case.
    pub(super) fn spend(&mut self, calls: usize, now: Timestamp) {
        // More than a full minute's need not be remembered.
        let calls = calls.min(MOST);
        self.made.extend(std::iter::repeat_n(now, calls));
        while self.made.len() > 2 * MOST {
            self.made.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_than_five() {
        let mut budget = Budget::default();
        let mut now = Timestamp::from_micros(0);
        let mut made = Vec::new();
        for _ in 0..360 {
            now = now + Duration::from_secs(10);
            while budget.take(2, now) {
                made.extend([now, now]);
            }
        }
        assert!(made.len() >= 236, "{}", made.len());
        for start in &made {
            let minute = made.iter().filter(|at| **at >= *start && at.since(*start) < MINUTE);
            assert!(minute.count() <= MOST);
        }
    }

    #[test]
    fn calls_that_had_to_be_made_leave_less_for_the_others() {
        let mut budget = Budget::default();
        let now = Timestamp::from_micros(0);
        budget.spend(4, now);
        assert!(!budget.take(2, now));
        assert!(budget.take(1, now));
        budget.spend(1000, now);
        assert!(!budget.take(1, now + Duration::from_secs(59)));
        assert!(budget.take(4, now + MINUTE));
    }
}
