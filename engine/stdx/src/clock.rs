//! What time it is: really, or as the test says.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A source of time. Code that asks a `Clock` instead of the operating system can be tested without waiting.
pub trait Clock: Send + Sync {
    /// Nanoseconds since 1970-01-01 UTC; may jump when the machine's clock is set.
    fn now_ns(&self) -> i64;

    /// Time since some fixed moment; never runs backwards. Only differences mean something.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clock.
#[derive(Debug, Clone)]
pub struct RealClock {
    start: Instant,
}

impl RealClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> RealClock {
        RealClock {
            start: Instant::now(),
        }
    }
}

impl Default for RealClock {
    fn default() -> RealClock {
        RealClock::new()
    }
}

impl Clock for RealClock {
    fn now_ns(&self) -> i64 {
        system_time_ns(SystemTime::now())
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct TestClock {
    /// Guards the two times, so that both move together.
    times: Mutex<Times>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    now_ns: i64,
    monotonic: Duration,
}

impl TestClock {
    /// A clock that shows `now_ns` nanoseconds since 1970.
    pub fn new(now_ns: i64) -> TestClock {
        TestClock {
            times: Mutex::new(Times {
                now_ns,
                monotonic: Duration::ZERO,
            }),
        }
    }

    /// Lets `by` pass.
    pub fn advance(&self, by: Duration) {
        let mut times = self.times();
        let by_ns = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        times.now_ns = times.now_ns.saturating_add(by_ns);
        times.monotonic = times.monotonic.saturating_add(by);
    }

    /// Sets the wall clock, forwards or backwards, as an administrator would; monotonic time does not move.
    pub fn set(&self, now_ns: i64) {
        self.times().now_ns = now_ns;
    }

    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.times
            .lock()
            .expect("no code panics while it holds the times")
    }
}

impl Clock for TestClock {
    fn now_ns(&self) -> i64 {
        self.times().now_ns
    }

    fn monotonic(&self) -> Duration {
        self.times().monotonic
    }
}

/// `time` as nanoseconds since 1970, negative before; times out of range become the nearest one in range.
pub fn system_time_ns(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_clock_is_past_2020_and_monotonic_time_does_not_run_back() {
        let clock = RealClock::new();
        assert!(clock.now_ns() > 1_577_836_800_000_000_000);
        let first = clock.monotonic();
        assert!(clock.monotonic() >= first);
    }

    #[test]
    fn the_test_clock_moves_only_when_told() {
        let clock = TestClock::new(5);
        assert_eq!((clock.now_ns(), clock.monotonic()), (5, Duration::ZERO));
        clock.advance(Duration::from_nanos(7));
        assert_eq!(
            (clock.now_ns(), clock.monotonic()),
            (12, Duration::from_nanos(7))
        );
        clock.set(3);
        assert_eq!(
            (clock.now_ns(), clock.monotonic()),
            (3, Duration::from_nanos(7))
        );
    }

    #[test]
    fn times_before_1970_are_negative() {
        assert_eq!(system_time_ns(UNIX_EPOCH - Duration::from_nanos(9)), -9);
        assert_eq!(
            system_time_ns(UNIX_EPOCH + Duration::from_secs(1)),
            1_000_000_000
        );
    }
}
