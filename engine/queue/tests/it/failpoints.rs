//! Each operation of the disk fails once, and for long: nothing acknowledged is lost, and work goes on by itself.

use crate::support::*;
use queue::{AppendError, Blocked, OpenError, Queue, Report, Start, StopError, Sync};
use std::io::ErrorKind;
use std::time::Duration;
use stdx::faulty::{Fault, Point};

const EIO: Fault = Fault::Error(ErrorKind::Other);
const FOREVER: u64 = u64::MAX;

fn is_failed(report: &Report) -> bool {
    matches!(report, Report::WriteFailed { .. })
}

fn is_recovered(report: &Report) -> bool {
    matches!(report, Report::WriteRecovered { .. })
}

/// Appends around a fault that goes away by itself, then checks that everything is there, also after a restart.
fn check_passing(point: Point, fault: Fault, suffix: &str) {
    let world = World::new();
    let (queue, _) = world.open();
    let mut records = append_each(&queue, 0..20, 20);
    world.disk.arm_for(point, fault, 3, suffix);
    records.extend(append_each(&queue, 20..60, 20));
    assert_eq!(world.disk.n_armed(point), 0, "the faults were met");
    assert_eq!(everything(&queue), records);
    assert_eq!(queue.state().blocked, None);
    queue.stop().expect("clean");
    let (queue, recovery) = world.open();
    assert!(recovery.is_clean(), "{recovery:?}");
    assert_eq!(everything(&queue), records);
    let reports = world.reports();
    let is_short = matches!(fault, Fault::Short(_));
    assert_eq!(reports.iter().any(is_failed), !is_short, "{reports:?}");
    assert_eq!(reports.iter().any(is_recovered), !is_short, "{reports:?}");
}

#[test]
fn a_write_that_fails_is_tried_again() {
    check_passing(Point::Write, EIO, ".log");
}

#[test]
fn a_write_of_sums_that_fails_is_tried_again() {
    check_passing(Point::Write, EIO, ".sum");
}

#[test]
fn a_short_write_is_continued() {
    check_passing(Point::Write, Fault::Short(5), ".log");
    check_passing(Point::Write, Fault::Short(5), ".sum");
}

#[test]
fn a_disk_without_space_is_tried_again() {
    check_passing(Point::Allocate, Fault::NoSpace, ".log");
}

#[test]
fn a_segment_that_cannot_be_opened_or_made_is_tried_again() {
    check_passing(Point::Open, EIO, "1.log");
    check_passing(Point::Create, Fault::NoSpace, "1.log");
    check_passing(Point::Create, EIO, "1.sum");
}

#[test]
fn a_full_disk_blocks_the_intake_and_frees_it_when_space_returns() {
    let world = World::new();
    let (queue, _) = world.open();
    let mut records = append_each(&queue, 0..5, 20);
    world.disk.set_capacity(Some(world.disk.used() + 10));
    records.push(numbered(5, 20));
    let end = queue
        .append(&records[5])
        .expect("the intake does not know yet");
    let failed = world.wait_report(is_failed);
    assert!(
        failed.is_error() && failed.to_string().contains("the intake is closed"),
        "{failed}"
    );
    assert_eq!(queue.state().blocked, Some(Blocked::DiskFull));
    let timed_out = queue.append_within(b"x", Duration::from_millis(1));
    assert_eq!(timed_out, Err(AppendError::TimedOut));
    assert!(
        !queue.wait_written(end, Duration::from_millis(1)),
        "nobody is told that it is safe"
    );
    assert_eq!(
        everything(&queue),
        records[..5],
        "nobody sees what is not in the kernel"
    );

    world.disk.set_capacity(None);
    assert!(queue.wait_written(end, LONG));
    records.extend(append_each(&queue, 6..10, 20));
    assert_eq!(everything(&queue), records);
    world.wait_report(is_recovered);
    assert_eq!(queue.state().blocked, None);
}

#[test]
fn a_blocked_producer_goes_on_when_space_returns() {
    let world = World::new();
    let (queue, _) = world.open();
    append_each(&queue, 0..5, 20);
    world.disk.set_capacity(Some(world.disk.used()));
    std::thread::scope(|scope| {
        let producer = scope.spawn(|| append_each(&queue, 5..50, 20));
        world.wait_report(is_failed);
        world.disk.set_capacity(None);
        producer.join().expect("no panic");
    });
    assert_eq!(everything(&queue).len(), 50);
}

#[test]
fn stopping_with_a_full_disk_ends_and_says_what_was_not_written() {
    let world = World::new();
    let (queue, _) = world.open();
    let records = append_each(&queue, 0..5, 20);
    world.disk.set_capacity(Some(world.disk.used() + 10));
    let from = queue.written();
    queue.append(&numbered(5, 20)).expect("taken");
    world.wait_report(is_failed);
    let error = queue.stop().expect_err("it could not be written");
    assert!(
        matches!(&error, StopError::Unwritten { from: f, bytes: 36, .. } if *f == from),
        "{error}"
    );
    assert_eq!(queue.stop(), Err(error), "the same answer again");
    world.disk.set_capacity(None);
    let (queue, recovery) = world.open();
    assert!(
        recovery.is_clean(),
        "the part of the record was cut: {recovery:?}"
    );
    assert_eq!(everything(&queue), records);
}

#[test]
fn dropping_with_a_full_disk_ends() {
    let world = World::new();
    let (queue, _) = world.open();
    world.disk.set_capacity(Some(0));
    queue.append(&numbered(0, 20)).expect("taken");
    drop(queue);
}

#[test]
fn a_sync_that_fails_is_not_believed_the_next_time_but_written_again() {
    for suffix in [".log", ".sum"] {
        let world = World::new();
        let (queue, _) = world.open_with(|options| options.sync = Sync::Always);
        let mut records = append_each(&queue, 0..5, 20);
        assert!(queue.wait_durable(queue.written(), LONG));
        world.disk.arm_for(Point::Sync, EIO, 1, suffix);
        records.extend(append_each(&queue, 5..60, 20));
        assert!(queue.wait_durable(queue.written(), LONG));
        let failed = world.wait_report(|report| matches!(report, Report::SyncFailed { .. }));
        assert!(failed.is_error());
        queue.abort();
        for seed in 0..8 {
            world.disk.power_loss(seed);
        }
        assert_eq!(
            everything(&world.open().0),
            records,
            "what was called durable is"
        );
    }
}

#[test]
fn nothing_is_durable_while_syncs_fail() {
    for point in [Point::Sync, Point::SyncDir] {
        let world = World::new();
        world.disk.arm(point, EIO, FOREVER);
        let (queue, _) = world.open_with(|options| options.sync = Sync::Always);
        let durable = queue.durable();
        append_each(&queue, 0..5, 20);
        world.wait_report(|report| matches!(report, Report::SyncFailed { .. }));
        assert_eq!(queue.durable(), durable);
        assert!(!queue.wait_durable(queue.written(), Duration::from_millis(1)));
        let error = queue.stop().expect_err("the last sync fails, too");
        assert!(matches!(error, StopError::Unsynced { .. }), "{error}");
    }
}

#[test]
fn a_read_that_fails_can_be_tried_again() {
    let world = World::new();
    let (queue, _) = world.open();
    let records = append_each(&queue, 0..60, 20);
    queue.stop().expect("clean");
    let (queue, _) = world.open();
    let mut reader = queue.reader("r", Start::Oldest);
    for point in [Point::Open, Point::Read] {
        world.disk.arm(point, EIO, 1);
        let error = reader.try_next().expect_err("the fault").to_string();
        assert!(error.starts_with("cannot read the queue at 0:0"), "{error}");
        assert_eq!(reader.position(), queue::Position::new(0, 0));
    }
    assert_eq!(drain(&mut reader), records);
    assert_eq!(world.reports(), []);
}

#[test]
fn opening_says_which_file_it_could_not_use() {
    for (point, text) in [
        (Point::List, "cannot list /queue"),
        (Point::Open, "cannot open /queue/0.log"),
        (Point::Read, "cannot recover /queue/0.log"),
    ] {
        let world = World::new();
        let (queue, _) = world.open();
        append_each(&queue, 0..5, 20);
        queue.stop().expect("clean");
        world.disk.arm(point, EIO, 1);
        let error = Queue::open(world.options())
            .err()
            .expect("the fault")
            .to_string();
        assert!(error.starts_with(text), "{error}");
        assert!(Queue::open(world.options()).is_ok(), "nothing was broken");
    }
    let world = World::new();
    world.disk.arm(Point::Create, EIO, 1);
    let error = Queue::open(world.options()).err().expect("the fault");
    assert!(
        matches!(&error, OpenError::Io { doing: "make", .. }),
        "{error}"
    );
}

#[test]
fn a_torn_tail_that_cannot_be_saved_is_not_cut() {
    let world = World::new();
    let (queue, _) = world.open();
    let mut records = append_each(&queue, 0..5, 20);
    queue.stop().expect("clean");
    let torn = [world.bytes("0.log"), vec![7; 50]].concat();
    world.put("0.log", &torn);
    world
        .disk
        .arm_for(Point::Write, Fault::NoSpace, FOREVER, ".torn");
    let (queue, recovery) = world.open();
    assert!(recovery.torn.is_some() && !recovery.torn_saved);
    assert_eq!(world.bytes("0.log"), torn);
    records.extend(append_each(&queue, 5..10, 20));
    assert_eq!(everything(&queue), records);
    assert_eq!(world.reports().len(), 1, "the reader met the bytes");
}

#[test]
fn recovery_without_space_for_sums_loses_nothing() {
    let world = World::new();
    let records: Vec<_> = (0..10).map(|n| numbered(n, 20)).collect();
    world.put("0.log", &records.concat());
    world.disk.set_capacity(Some(world.disk.used()));
    let (queue, recovery) = world.open();
    assert!(recovery.is_clean());
    assert_eq!(everything(&queue), records);
    world.disk.set_capacity(None);
    append_each(&queue, 10..20, 20);
    assert_eq!(everything(&queue).len(), 20);
}

#[test]
fn a_segment_that_cannot_be_deleted_is_reported_once_and_tried_again() {
    let world = World::new();
    let (queue, _) = world.open();
    let mut reader = queue.reader("r", Start::Oldest);
    append_each(&queue, 0..60, 20);
    drain(&mut reader);
    world.disk.arm_for(Point::Remove, EIO, FOREVER, ".log");
    queue.start_purging();
    reader.release(reader.position());
    (0..3).for_each(|_| queue.tidy());
    let is_failure = |report: &&Report| matches!(report, Report::DeleteFailed { segment: 0, .. });
    assert_eq!(world.reports().iter().filter(is_failure).count(), 1);
    assert!(world.exists("0.log"));
    world.disk.disarm();
    queue.tidy();
    assert!(!world.exists("0.log") && !world.exists("1.log") && world.exists("2.log"));
}
