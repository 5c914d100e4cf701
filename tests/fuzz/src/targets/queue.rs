//! Fuzzes the recovery of a queue from damaged segments and checksums, on a disk that may fail as well.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use queue::{Options, Queue, Reader, Scan, Start, Sync};
use schemas::frame;
use stdx::faulty::{Fault, FaultyDisk, Point};
use stdx::files::Disk;

use super::Target;
use super::frame::framed;

pub(super) const TARGET: Target = Target {
    name: "queue",
    about: "recovery of a queue from damaged files",
    run,
    seeds,
    words: &[
        b"FSUM",
        b"\x1e\x02\x08",
        b"\x1f",
        b"\x00\x00\x00\x00",
        b"\xff\xff\xff\xff",
        b"\x00\x00",
        b"\x01\x00",
        b"\x00\x01",
    ],
    n_smoke: 300,
};

/// The directory on the disk in memory.
const DIR: &str = "/queue";
/// Longest record.
const RECORD_MAX: usize = 1024;
/// Longest message in a record.
const MESSAGE_MAX: usize = 1000;
/// More blocks than any input has bytes: a reader that gives more goes round in circles.
const BLOCKS_MAX: usize = 100_000;
/// A reader gets what lies there without waiting.
const AT_ONCE: Duration = Duration::ZERO;
/// For what the queue itself must do first; far more than it needs.
const SOON: Duration = Duration::from_secs(10);

/// The first byte chooses a fault; then come files: id, kind, length (two bytes), bytes.
fn run(bytes: &[u8]) {
    let Some((&fault, files)) = bytes.split_first() else {
        return;
    };
    let disk = disk(files);
    arm(&disk, fault);
    // A disk that fails may keep the queue from opening; one that works may not, whatever lies on it.
    let opened = open(&disk);
    disk.disarm();
    drop(opened);
    let queue = open(&disk).expect("a queue opens on any files");
    let mut reader = queue.reader("fuzz", Start::Oldest);
    drain(&mut reader);
    let record = framed(b"the record that was added");
    let end = queue
        .append(&record)
        .expect("a recovered queue takes a record");
    let block = reader
        .next(SOON)
        .expect("it can be read")
        .expect("the record was appended");
    assert_eq!(
        (block.bytes(), block.end()),
        (&record[..], end),
        "another record than the one appended"
    );
    queue.stop().expect("a stop on a disk that works");
    let queue = open(&disk).expect("a queue opens after a clean stop");
    let all = drain(&mut queue.reader("again", Start::Oldest));
    assert!(all.ends_with(&record), "the record is lost");
}

fn arm(disk: &FaultyDisk, fault: u8) {
    let point = match fault % 8 {
        1 => Point::Open,
        2 => Point::Read,
        3 => Point::Write,
        4 => Point::Sync,
        5 => Point::Truncate,
        _ => return,
    };
    disk.arm(
        point,
        Fault::Error(std::io::ErrorKind::Other),
        u64::from(fault / 8) + 1,
    );
}

fn open(disk: &FaultyDisk) -> Result<Queue, queue::OpenError> {
    let options = Options {
        segment_size: 2048,
        record_max: RECORD_MAX,
        sync: Sync::Never,
        keep_bytes: Some(u64::MAX),
        disk: Arc::new(disk.clone()) as Arc<dyn Disk>,
        ..Options::new(DIR, Arc::new(scan))
    };
    Queue::open(options).map(|(queue, _)| queue)
}

fn scan(bytes: &[u8]) -> Scan {
    match frame::scan(bytes, MESSAGE_MAX) {
        frame::Scan::Frame { header, message } => Scan::Record(header + message),
        frame::Scan::Need(_) => Scan::Partial,
        frame::Scan::Skip(garbage) => Scan::Skip(garbage),
    }
}

/// Everything the reader has at once.
fn drain(reader: &mut Reader) -> Vec<u8> {
    let mut all = Vec::new();
    for _ in 0..BLOCKS_MAX {
        match reader.next(AT_ONCE).expect("the disk works") {
            Some(block) => all.extend_from_slice(block.bytes()),
            None => return all,
        }
    }
    panic!("the reader goes round in circles");
}

fn disk(mut bytes: &[u8]) -> FaultyDisk {
    let disk = FaultyDisk::new();
    disk.create_dir_all(Path::new(DIR))
        .expect("a new disk takes a directory");
    while let Some((head, rest)) = bytes.split_at_checked(4) {
        let len = usize::from(u16::from_le_bytes([head[2], head[3]])).min(rest.len());
        disk.put(&path(head[0], head[1]), &rest[..len]);
        bytes = &rest[len..];
    }
    disk
}

fn path(id: u8, kind: u8) -> PathBuf {
    let kind = ["log", "sum", "torn", "tmp"][usize::from(kind % 4)];
    Path::new(DIR).join(format!("{id}.{kind}"))
}

fn seeds() -> Vec<Vec<u8>> {
    let disk = FaultyDisk::new();
    let queue = open(&disk).expect("a new disk takes a queue");
    for i in 0..60_u8 {
        queue
            .append(&framed(&vec![i; usize::from(i) + 1]))
            .expect("a new queue takes records");
    }
    queue.stop().expect("a stop on a disk that works");
    let file = |id: u8, kind: u8| {
        let bytes = disk.bytes(&path(id, kind)).unwrap_or_default();
        [&[id, kind], &(bytes.len() as u16).to_le_bytes()[..], &bytes].concat()
    };
    let both = [file(0, 0), file(0, 1), file(1, 0), file(1, 1)].concat();
    vec![
        [&[0], &both[..]].concat(),
        [&[2], &both[..]].concat(),
        [&[3], &both[..]].concat(),
        [&[0], &file(0, 0)[..]].concat(),
        [&[0], &file(0, 1)[..], &file(3, 1)].concat(),
        [&[0], &file(0, 0)[..], &file(1, 1), &file(7, 0)].concat(),
        vec![0],
    ]
}
