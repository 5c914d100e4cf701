//! Wakes a thread that waits for several queues at once, or for other work as well.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A counter one can wait on. Clones are the same signal. Read [`Signal::count`] *before* looking for work; when
/// there is none, [`Signal::wait`] with that count returns at once if a notification came in between.
#[derive(Clone, Default)]
pub struct Signal {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Guards the counter and the number of waiters, so that a notification is either counted before a waiter looks
    /// or finds the waiter waiting.
    counter: Mutex<Counter>,
    changed: Condvar,
}

#[derive(Default)]
struct Counter {
    count: u64,
    n_waiting: usize,
}

impl Signal {
    /// A signal nobody has given yet.
    pub fn new() -> Signal {
        Signal::default()
    }

    /// How many notifications there were so far.
    pub fn count(&self) -> u64 {
        self.lock().count
    }

    /// Wakes everybody who waits. Costs no system call when nobody does.
    pub fn notify(&self) {
        let mut counter = self.lock();
        counter.count += 1;
        let wake = counter.n_waiting > 0;
        drop(counter);
        if wake {
            self.shared.changed.notify_all();
        }
    }

    /// Waits until there were more than `seen` notifications, or until `timeout` has passed; returns how many.
    pub fn wait(&self, seen: u64, timeout: Duration) -> u64 {
        let mut counter = self.lock();
        if counter.count != seen || timeout.is_zero() {
            return counter.count;
        }
        counter.n_waiting += 1;
        let waited = self
            .shared
            .changed
            .wait_timeout_while(counter, timeout, |counter| counter.count == seen);
        let (mut counter, _) = waited.expect("no code panics while it holds the counter");
        counter.n_waiting -= 1;
        counter.count
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counter> {
        self.shared
            .counter
            .lock()
            .expect("no code panics while it holds the counter")
    }

    pub(crate) fn is_same(&self, other: &Signal) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_notification_between_looking_and_waiting_is_not_lost() {
        let signal = Signal::new();
        let seen = signal.count();
        signal.notify();
        assert_eq!(signal.wait(seen, Duration::MAX), 1);
    }

    #[test]
    fn every_waiter_wakes() {
        let signal = Signal::new();
        let seen = signal.count();
        let wait = |signal: Signal| thread::spawn(move || signal.wait(seen, Duration::MAX));
        let waiters: Vec<_> = (0..4).map(|_| wait(signal.clone())).collect();
        signal.notify();
        for waiter in waiters {
            assert_eq!(waiter.join().expect("no panic"), 1);
        }
    }

    #[test]
    fn a_timeout_ends_the_wait() {
        let signal = Signal::new();
        assert_eq!(signal.wait(0, Duration::from_millis(1)), 0);
        assert_eq!(signal.wait(0, Duration::ZERO), 0);
    }
}
