//! Many producers, many readers, a real disk.

use crate::support::*;
use queue::{Options, Queue, Start, Sync};
use std::sync::Arc;
use std::time::Duration;

const N_PRODUCERS: u64 = 4;
const N_PER_PRODUCER: u64 = 20_000;

fn real_options(dir: &std::path::Path) -> Options {
    let mut options = Options::new(dir, Arc::new(scan));
    options.segment_size = 300_000;
    options.sync = Sync::Interval(Duration::from_millis(5));
    options
}

/// The number of a record that [`numbered`] made.
fn number(record: &[u8]) -> u64 {
    u64::from_le_bytes(record[FRAME..FRAME + 8].try_into().expect("eight bytes"))
}

fn produce(queue: &Queue, producer: u64) {
    let mut end = queue::Position::default();
    for n in 0..N_PER_PRODUCER {
        let number = producer * N_PER_PRODUCER + n;
        let next = queue
            .append(&numbered(number, (n % 300) as usize))
            .expect("taken");
        assert!(next > end, "positions grow");
        end = next;
        if n % 5_000 == 0 {
            assert!(queue.wait_durable(end, LONG));
        }
    }
    assert!(queue.wait_written(end, LONG));
}

/// Reads everything; each producer's records must come in its order, each once.
fn consume(queue: &Queue, name: &str, pause_every: usize) {
    let mut reader = queue.reader(name, Start::Oldest);
    let mut next = [0; N_PRODUCERS as usize];
    let mut n_blocks = 0;
    while next.iter().sum::<u64>() < N_PRODUCERS * N_PER_PRODUCER {
        let block = reader
            .next(LONG)
            .expect("readable")
            .expect("more is to come");
        for record in split(block.bytes()) {
            let (producer, n) = (
                number(&record) / N_PER_PRODUCER,
                number(&record) % N_PER_PRODUCER,
            );
            assert_eq!(n, next[producer as usize], "{name}");
            next[producer as usize] += 1;
        }
        reader.release(block.end());
        n_blocks += 1;
        if n_blocks % pause_every == 0 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn every_reader_gets_every_record_of_every_producer_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let (queue, _) = Queue::open(real_options(dir.path())).expect("it opens");
    std::thread::scope(|scope| {
        let queue = &queue;
        for reader in 0..3 {
            scope.spawn(move || consume(queue, &format!("reader {reader}"), reader + 1));
        }
        for producer in 0..N_PRODUCERS {
            scope.spawn(move || produce(queue, producer));
        }
    });
    assert_eq!(queue.state().blocked, None);
    queue.stop().expect("clean");
    // Those who come later read the same from disk.
    let (queue, recovery) = Queue::open(real_options(dir.path())).expect("it opens");
    assert!(recovery.is_clean());
    consume(&queue, "late reader", 1);
}

#[test]
fn backpressure_and_deletion_while_everybody_works() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut options = real_options(dir.path());
    options.backpressure = 2;
    options.segment_size = 100_000;
    let (queue, _) = Queue::open(options).expect("it opens");
    let start = queue.hold("start", queue::Position::default());
    queue.start_purging();
    std::thread::scope(|scope| {
        let queue = &queue;
        let consumers: Vec<_> = (0..2)
            .map(|n| scope.spawn(move || consume(queue, &format!("reader {n}"), 2)))
            .collect();
        let producers: Vec<_> = (0..N_PRODUCERS)
            .map(|n| scope.spawn(move || produce(queue, n)))
            .collect();
        for thread in producers.into_iter().chain(consumers) {
            thread.join().expect("no panic");
        }
    });
    drop(start);
    let _reader = queue.reader("last", Start::Newest);
    queue.tidy();
    assert!(queue.state().n_segments <= 2, "{:?}", queue.state());
    queue.stop().expect("clean");
}

#[test]
fn a_thousand_waiters_share_the_syncs() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut options = real_options(dir.path());
    options.sync = Sync::Always;
    let (queue, _) = Queue::open(options).expect("it opens");
    std::thread::scope(|scope| {
        let queue = &queue;
        for n in 0..250 {
            scope.spawn(move || {
                for i in 0..4 {
                    let end = queue.append(&numbered(n * 4 + i, 20)).expect("taken");
                    assert!(queue.wait_durable(end, LONG));
                }
            });
        }
    });
    assert_eq!(everything(&queue).len(), 1_000);
}
