//! Does the same work for many items, on several threads at once.

use std::sync::atomic::{AtomicUsize, Ordering};

/// More threads would wait for the disk and for each other.
const THREADS_MAX: usize = 16;

/// The answers of `work` to all items, in their order, with a thread for each processor.
///
/// # Panics
/// When `work` does.
pub fn map<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    map_on(processors.min(THREADS_MAX), items, work)
}

/// As [`map`], on so many threads, for work that mostly waits. One item needs no thread of its own.
///
/// # Panics
/// When `work` does.
pub fn map_on<I: Sync, T: Send>(
    threads: usize,
    items: &[I],
    work: impl Fn(&I) -> T + Sync,
) -> Vec<T> {
    let threads = threads.min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut answers = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else {
                return answers;
            };
            answers.push((place, work(item)));
        }
    };
    let mut answers: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let joined = workers.into_iter().map(|worker| {
            let answers = worker.join();
            answers.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.flatten().collect()
    });
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_items() {
        for len in [0, 1, 2, 1000] {
            let items: Vec<usize> = (0..len).collect();
            let expected: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(map(&items, |item| item * 2), expected);
        }
    }

    #[test]
    #[should_panic(expected = "seven")]
    fn a_panic_comes_out() {
        let items: Vec<usize> = (0..10).collect();
        map(&items, |item| assert!(*item != 7, "seven"));
    }
}
