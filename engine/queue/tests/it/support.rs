//! A small world for a queue: a faulty disk, a clock that stands still, records that know when they are damaged.

use queue::{Options, Queue, Reader, Recovery, Report, Scan, Start, Sync};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use stdx::clock::TestClock;
use stdx::faulty::FaultyDisk;

/// Long enough for anything that is going to happen at all.
pub const LONG: Duration = Duration::from_secs(60);
/// What every record begins with.
const MARK: u8 = 0x1e;
/// Mark, two bytes of length, four of checksum.
pub const FRAME: usize = 7;

/// A record around `payload`.
pub fn record(payload: &[u8]) -> Vec<u8> {
    let mut record = vec![MARK];
    record.extend_from_slice(&(payload.len() as u16).to_le_bytes());
    record.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    record.extend_from_slice(payload);
    record
}

/// A record with the number `n` and some filling, 16 bytes and more.
pub fn numbered(n: u64, filling: usize) -> Vec<u8> {
    let mut payload = n.to_le_bytes().to_vec();
    payload.resize(9 + filling, b'.');
    record(&payload)
}

/// Finds records and looks into them.
pub fn scan(bytes: &[u8]) -> Scan {
    if bytes[0] != MARK {
        let next = bytes.iter().position(|byte| *byte == MARK);
        return Scan::Skip(next.unwrap_or(bytes.len()));
    }
    let Some(length) = bytes.get(1..3) else {
        return Scan::Partial;
    };
    let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
    let Some(payload) = bytes.get(FRAME..FRAME + length) else {
        return Scan::Partial;
    };
    // The checksum of nothing is zero, as a mark before zeros has it.
    if length > 0 && bytes[3..FRAME] == crc32fast::hash(payload).to_le_bytes() {
        Scan::Record(FRAME + length)
    } else {
        Scan::Skip(1)
    }
}

/// The records of a block.
pub fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let Scan::Record(length) = scan(bytes) else {
            panic!("a block has whole records only")
        };
        records.push(bytes[..length].to_vec());
        bytes = &bytes[length..];
    }
    records
}

/// Everything a reader has now, without waiting.
pub fn drain(reader: &mut Reader) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let Some(block) = reader.try_next().expect("readable") {
        records.extend(split(block.bytes()));
    }
    records
}

/// What a new reader finds from the start.
pub fn everything(queue: &Queue) -> Vec<Vec<u8>> {
    drain(&mut queue.reader("everything", Start::Oldest))
}

/// Where a queue lives in a test.
pub struct World {
    pub disk: FaultyDisk,
    pub clock: Arc<TestClock>,
    reports: Arc<Reports>,
}

#[derive(Default)]
struct Reports {
    /// Guards the reports that nobody has taken yet.
    list: Mutex<Vec<Report>>,
    more: Condvar,
}

impl World {
    pub fn new() -> World {
        let clock = Arc::new(TestClock::new(1_000));
        World {
            disk: FaultyDisk::new(),
            clock,
            reports: Arc::default(),
        }
    }

    /// Options for this world: never synced but at a stop, segments of 1,000 bytes.
    pub fn options(&self) -> Options {
        let mut options = Options::new("/queue", Arc::new(scan));
        let reports = Arc::clone(&self.reports);
        options.report = Arc::new(move |report| {
            reports.list.lock().expect("no panic").push(report);
            reports.more.notify_all();
        });
        options.disk = Arc::new(self.disk.clone());
        options.clock = self.clock.clone();
        options.sync = Sync::Interval(Duration::from_secs(3_600));
        options.segment_size = 1_000;
        options
    }

    pub fn open(&self) -> (Queue, Recovery) {
        Queue::open(self.options()).expect("it opens")
    }

    pub fn open_with(&self, change: impl FnOnce(&mut Options)) -> (Queue, Recovery) {
        let mut options = self.options();
        change(&mut options);
        Queue::open(options).expect("it opens")
    }

    /// The reports so far, which are then forgotten.
    pub fn reports(&self) -> Vec<Report> {
        std::mem::take(&mut *self.reports.list.lock().expect("no panic"))
    }

    /// Waits for a report that `fits`; the others are kept.
    pub fn wait_report(&self, fits: impl Fn(&Report) -> bool) -> Report {
        let mut list = self.reports.list.lock().expect("no panic");
        loop {
            if let Some(idx) = list.iter().position(&fits) {
                return list.remove(idx);
            }
            let (back, timeout) = self
                .reports
                .more
                .wait_timeout(list, LONG)
                .expect("no panic");
            assert!(!timeout.timed_out(), "no such report among {back:?}");
            list = back;
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        Path::new("/queue").join(name)
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.disk
            .bytes(&self.path(name))
            .unwrap_or_else(|| panic!("{name} exists"))
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        self.disk.put(&self.path(name), bytes);
    }

    pub fn exists(&self, name: &str) -> bool {
        self.disk.bytes(&self.path(name)).is_some()
    }
}

/// Appends the records `range`, each written by itself, and returns them.
pub fn append_each(queue: &Queue, range: std::ops::Range<u64>, filling: usize) -> Vec<Vec<u8>> {
    let append = |n| {
        let record = numbered(n, filling);
        let end = queue.append(&record).expect("taken");
        assert!(queue.wait_written(end, LONG));
        record
    };
    range.map(append).collect()
}
