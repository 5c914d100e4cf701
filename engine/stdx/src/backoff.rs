//! How long to wait before trying again, and when to give up.

use crate::seed::Random;
use std::time::Duration;

/// How the waits grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The first wait.
    pub first: Duration,
    /// No wait is longer than this.
    pub longest: Duration,
    /// How many waits there are before giving up; `None` never gives up.
    pub attempts: Option<u32>,
}

/// Waits that double from `first` to `longest`. Each is shortened by a random part of up to one half, so that
/// those who failed together do not all come back together.
#[derive(Debug, Clone)]
pub struct Backoff {
    schedule: Schedule,
    n_waits: u32,
    random: Random,
}

impl Backoff {
    /// Starts at the first wait of `schedule`.
    pub fn new(schedule: Schedule) -> Backoff {
        Backoff::with_random(schedule, Random::from_entropy())
    }

    /// Like [`Backoff::new`] with known random numbers, for tests that must repeat.
    pub fn with_random(schedule: Schedule, random: Random) -> Backoff {
        Backoff {
            schedule,
            n_waits: 0,
            random,
        }
    }

    /// How long to wait now; `None` when it is time to give up.
    pub fn next_wait(&mut self) -> Option<Duration> {
        if self
            .schedule
            .attempts
            .is_some_and(|attempts| self.n_waits >= attempts)
        {
            return None;
        }
        let factor = 1u32.checked_shl(self.n_waits).unwrap_or(u32::MAX);
        let full = self
            .schedule
            .first
            .saturating_mul(factor)
            .min(self.schedule.longest);
        self.n_waits = self.n_waits.saturating_add(1);
        let half_ns = u64::try_from(full.as_nanos() / 2).unwrap_or(u64::MAX);
        Some(full - Duration::from_nanos(self.random.below(half_ns.saturating_add(1))))
    }

    /// How many waits were handed out since the start or the last [`Backoff::reset`].
    pub fn n_waits(&self) -> u32 {
        self.n_waits
    }

    /// What was tried has worked: the next wait is the first again.
    pub fn reset(&mut self) {
        self.n_waits = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(attempts: Option<u32>) -> Backoff {
        let schedule = Schedule {
            first: Duration::from_millis(10),
            longest: Duration::from_millis(100),
            attempts,
        };
        Backoff::with_random(schedule, Random::from_seed(3))
    }

    #[test]
    fn waits_double_up_to_the_longest_and_lose_at_most_one_half() {
        let mut backoff = backoff(None);
        for full_ms in [10, 20, 40, 80, 100, 100, 100] {
            let full = Duration::from_millis(full_ms);
            let wait = backoff
                .next_wait()
                .expect("without a limit there is always a next wait");
            assert!(
                wait <= full && wait >= full / 2,
                "{wait:?} is not between {full:?} and half of it"
            );
        }
    }

    #[test]
    fn gives_up_after_the_attempts_and_starts_again_after_a_reset() {
        let mut backoff = backoff(Some(2));
        assert!(backoff.next_wait().is_some() && backoff.next_wait().is_some());
        assert_eq!(backoff.next_wait(), None);
        backoff.reset();
        assert!(backoff.next_wait().expect("two waits again") <= Duration::from_millis(10));
    }

    #[test]
    fn many_waits_do_not_overflow() {
        let mut backoff = backoff(None);
        for _ in 0..10_000 {
            assert!(backoff.next_wait().expect("no limit") <= Duration::from_millis(100));
        }
        assert_eq!(backoff.n_waits(), 10_000);
    }
}
