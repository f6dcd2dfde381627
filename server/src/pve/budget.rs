//! How many calls may be made about things that only have grown old. What changed is always asked at once.

use std::time::Duration;

use muster_domain::Timestamp;

/// Calls per minute beside the regular ones: 6 lists, 1 cluster status and these make at most 12.
const PER_MINUTE: f64 = 4.0;
/// Calls that may be saved up.
const MOST: f64 = 8.0;

/// What is left, and when that was reckoned.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Budget {
    left: f64,
    at: Option<Timestamp>,
}

impl Budget {
    /// Takes `calls` when so many are left.
    pub(super) fn take(&mut self, calls: u32, now: Timestamp) -> bool {
        let waited = self.at.map_or(Duration::ZERO, |at| now.since(at));
        self.left = (self.left + waited.as_secs_f64() / 60.0 * PER_MINUTE).min(MOST);
        self.at = Some(now);
        let enough = self.left >= f64::from(calls);
        if enough {
            self.left -= f64::from(calls);
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_allows_four_calls_a_minute() {
        let mut budget = Budget::default();
        let mut now = Timestamp::from_micros(0);
        let mut calls = 0;
        for _ in 0..360 {
            now = now + Duration::from_secs(10);
            while budget.take(2, now) {
                calls += 2;
            }
        }
        assert!((200..=240).contains(&calls), "{calls}");
    }

    #[test]
    fn a_long_pause_saves_up_a_little_only() {
        let mut budget = Budget::default();
        assert!(!budget.take(1, Timestamp::from_micros(0)));
        let later = Timestamp::from_micros(0) + Duration::from_secs(86_400);
        assert!(budget.take(8, later));
        assert!(!budget.take(1, later));
    }
}
