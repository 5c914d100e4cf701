//! How many records a second a queue takes and hands out, and what that costs.
//!
//! Measures 4 million records of 240 bytes (Heka's usual size), one producer, 0, 1 and 2 readers that look at every
//! record's length, segments of 64 MiB, no sync. Does not show: small bursts, several producers, a disk that is slower
//! than the kernel's cache, the work a real reader does. Run it in release mode:
//! `cargo run --release -p foresight-queue --example throughput [records] [directory]`.

use queue::{Options, Queue, Scan, Start, Sync};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const RECORD: usize = 240;

/// Records of a fixed length need no framing.
fn scan(bytes: &[u8]) -> Scan {
    if bytes.len() < RECORD {
        Scan::Partial
    } else {
        Scan::Record(RECORD)
    }
}

/// Processor time so far in seconds, from the kernel's own accounts: of a thread or of the whole process.
fn cpu_seconds(of: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{of}/stat")).expect("Linux has it");
    let behind_name = stat.rsplit(')').next().expect("there is a name");
    let mut fields = behind_name
        .split_whitespace()
        .skip(11)
        .map(|field| field.parse::<f64>());
    let mut next = || fields.next().expect("the field exists").expect("a number");
    (next() + next()) / 100.0
}

fn run(dir: &Path, n_records: u64, n_readers: usize) {
    let mut options = Options::new(dir.join(format!("{n_readers}")), Arc::new(scan));
    options.sync = Sync::Never;
    let (queue, _) = Queue::open(options).expect("a queue");
    let queue = Arc::new(queue);
    let mut readers: Vec<_> = (0..n_readers)
        .map(|n| queue.reader(&format!("reader {n}"), Start::Oldest))
        .collect();
    queue.start_purging();
    let (start, cpu_start) = (Instant::now(), cpu_seconds("self"));
    let producer_start = cpu_seconds("thread-self");
    let threads: Vec<_> = readers
        .drain(..)
        .map(|mut reader| {
            thread::spawn(move || {
                let mut n_read = 0;
                while n_read < n_records {
                    let block = reader
                        .next(Duration::MAX)
                        .expect("readable")
                        .expect("not stopped");
                    n_read += block
                        .bytes()
                        .chunks_exact(RECORD)
                        .filter(|record| record[0] == 7)
                        .count() as u64;
                    reader.release(block.end());
                }
            })
        })
        .collect();
    let record = [7u8; RECORD];
    for _ in 0..n_records {
        queue.append(&record).expect("taken");
    }
    let appended = start.elapsed().as_secs_f64();
    let producer = cpu_seconds("thread-self") - producer_start;
    assert!(queue.wait_written(queue.appended(), Duration::from_secs(60)));
    threads
        .into_iter()
        .for_each(|thread| thread.join().expect("no panic"));
    let (all, cpu) = (
        start.elapsed().as_secs_f64(),
        cpu_seconds("self") - cpu_start,
    );
    let n = n_records as f64;
    println!(
        "{n_readers} readers: {:.2} M records/s ({:.0} MB/s), appended at {:.2} M/s, CPU {:.0} ns per record, of that append {:.0} ns",
        n / all / 1e6,
        n * RECORD as f64 / all / 1e6,
        n / appended / 1e6,
        cpu * 1e9 / n,
        producer * 1e9 / n,
    );
    queue.stop().expect("clean");
}

/// How long it takes to open what the run without readers left.
fn reopen(dir: &Path) {
    let start = Instant::now();
    let options = Options::new(dir.join("0"), Arc::new(scan));
    let (queue, recovery) = Queue::open(options).expect("a queue");
    let bytes = queue.state().bytes;
    println!(
        "opened {} segments of {bytes} bytes in {:?}",
        recovery.n_segments,
        start.elapsed()
    );
    queue.abort();
}

/// One record at a time, each waited for: how long until it is in the kernel, and in a reader's hands.
fn latency(dir: &Path) {
    let mut options = Options::new(dir.join("latency"), Arc::new(scan));
    options.sync = Sync::Never;
    let (queue, _) = Queue::open(options).expect("a queue");
    let mut reader = queue.reader("reader", Start::Oldest);
    let mut times: Vec<_> = (0..1_000)
        .map(|_| {
            thread::sleep(Duration::from_millis(1));
            let start = Instant::now();
            queue.append(&[7; RECORD]).expect("taken");
            reader
                .next(Duration::MAX)
                .expect("readable")
                .expect("a record");
            start.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "one record at a time, append to reader: median {:?}, 99 % {:?}",
        times[500], times[990]
    );
    queue.stop().expect("clean");
}

fn main() {
    let mut args = std::env::args().skip(1);
    let n_records = args
        .next()
        .map_or(4_000_000, |n| n.parse().expect("a number of records"));
    let root = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(root).expect("a directory");
    for n_readers in [0, 1, 2] {
        run(dir.path(), n_records, n_readers);
    }
    reopen(dir.path());
    latency(dir.path());
}
