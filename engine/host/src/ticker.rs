//! Whose timer is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, Weak};
use std::time::{Duration, Instant};

/// The first expiry of a timer is spread over at most this many seconds, so that plugins loaded together do not all
/// tick together for ever.
const STAGGER_S_MAX: u64 = 60;

/// Timers of many owners, kept by the time at which they are due.
pub struct Timers<T> {
    /// Guards the heap; taken when a timer is added or due, not per message.
    heap: Mutex<BinaryHeap<Reverse<Due<T>>>>,
}

struct Due<T> {
    at: Instant,
    every: Duration,
    owner: Weak<T>,
}

impl<T> PartialEq for Due<T> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}
impl<T> Eq for Due<T> {}
impl<T> PartialOrd for Due<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Due<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Timers {
            heap: Mutex::new(BinaryHeap::new()),
        }
    }
}

impl<T> Timers<T> {
    /// Adds a timer for `owner`; an interval of zero adds none. A dropped owner's timer vanishes by itself.
    pub fn add(&self, owner: Weak<T>, every: Duration, name: &str) {
        if every.is_zero() {
            return;
        }
        let due = Due {
            at: Instant::now() + first_expiry(every, name),
            every,
            owner,
        };
        self.heap
            .lock()
            .expect("nothing panics under this lock")
            .push(Reverse(due));
    }

    /// Takes every owner whose timer is due at `now`; each is due again one interval later.
    ///
    /// Returns when the next one is due.
    pub fn take_due(
        &self,
        now: Instant,
        mut due: impl FnMut(std::sync::Arc<T>),
    ) -> Option<Instant> {
        let mut heap = self.heap.lock().expect("nothing panics under this lock");
        while heap.peek().is_some_and(|Reverse(first)| first.at <= now) {
            let Some(Reverse(mut first)) = heap.pop() else {
                break;
            };
            let Some(owner) = first.owner.upgrade() else {
                continue;
            };
            due(owner);
            first.at = now + first.every;
            heap.push(Reverse(first));
        }
        heap.peek().map(|Reverse(first)| first.at)
    }
}

/// When a new timer is due for the first time: within the interval, but not later than a minute, by its name.
pub fn first_expiry(every: Duration, name: &str) -> Duration {
    let window_ms = every.min(Duration::from_secs(STAGGER_S_MAX)).as_millis() as u64;
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Duration::from_millis(1 + hash % window_ms.max(1))
}

/// A timer that follows the Timestamp of the messages; it has expired before the first message comes.
#[derive(Debug, Default)]
pub struct DataTimer {
    every_s: i64,
    expires_s: std::sync::atomic::AtomicI64,
}

impl DataTimer {
    /// A timer of so many seconds; 0 never fires.
    pub fn new(every_s: i64) -> Self {
        DataTimer {
            every_s,
            expires_s: std::sync::atomic::AtomicI64::new(0),
        }
    }

    /// Whether the timer fires at this time (nanoseconds); if so it starts anew.
    pub fn fires(&self, now_ns: i64) -> bool {
        use std::sync::atomic::Ordering::Relaxed;
        let now_s = now_ns / 1_000_000_000;
        if self.every_s == 0 || now_s < self.expires_s.load(Relaxed) {
            return false;
        }
        self.expires_s.store(now_s + self.every_s, Relaxed);
        true
    }

    /// The time, nanoseconds, at which it fires next.
    pub fn next_ns(&self) -> i64 {
        if self.every_s == 0 {
            return i64::MAX;
        }
        self.expires_s
            .load(std::sync::atomic::Ordering::Relaxed)
            .saturating_mul(1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn due_owners_come_in_order_and_again() {
        let timers = Timers::default();
        let (a, b) = (Arc::new("a"), Arc::new("b"));
        timers.add(Arc::downgrade(&a), Duration::from_secs(10), "a");
        timers.add(Arc::downgrade(&b), Duration::from_secs(20), "b");
        let start = Instant::now();
        let mut seen = Vec::new();
        timers.take_due(start + Duration::from_secs(21), |owner| seen.push(*owner));
        seen.sort_unstable();
        assert_eq!(seen, ["a", "b"]);
        seen.clear();
        let next = timers.take_due(start + Duration::from_secs(32), |owner| seen.push(*owner));
        assert_eq!(seen, ["a"]);
        assert!(next.is_some_and(|next| next > start + Duration::from_secs(32)));
    }

    #[test]
    fn dropped_owners_vanish() {
        let timers = Timers::default();
        timers.add(
            Arc::downgrade(&Arc::new(())),
            Duration::from_secs(1),
            "gone",
        );
        let next = timers.take_due(Instant::now() + Duration::from_secs(5), |_| {
            panic!("is gone")
        });
        assert_eq!(next, None);
    }

    #[test]
    fn the_first_expiry_lies_within_the_interval() {
        for seconds in [1, 5, 60, 3600] {
            let every = Duration::from_secs(seconds);
            let first = first_expiry(every, "analysis.x");
            assert!(first <= every.min(Duration::from_secs(60)) + Duration::from_millis(1));
        }
    }

    #[test]
    fn a_data_timer_fires_on_the_first_message_and_then_by_interval() {
        let timer = DataTimer::new(60);
        let at = |s: i64| s * 1_000_000_000;
        assert!(timer.fires(at(1000)));
        assert!(!timer.fires(at(1059)));
        assert!(timer.fires(at(1060)));
        assert_eq!(timer.next_ns(), at(1120));
        assert!(!DataTimer::new(0).fires(at(1)));
    }
}
