//! Which segments are deleted, when, and what is said about it.

use crate::support::*;
use queue::{Options, Position, Queue, Report, Start};
use std::time::Duration;

/// A queue with segments 0..6 of 1,008 bytes, written one second apart, and a few records in segment 6.
fn seven_segments(world: &World, change: impl FnOnce(&mut Options)) -> Queue {
    let (queue, _) = world.open_with(change);
    for segment in 0..6 {
        append_each(&queue, segment * 28..(segment + 1) * 28, 20);
        world.clock.advance(Duration::from_secs(1));
    }
    append_each(&queue, 168..170, 20);
    queue
}

fn left(world: &World) -> Vec<u64> {
    (0..7)
        .filter(|id| world.exists(&format!("{id}.log")))
        .collect()
}

fn deleted(reports: &[Report]) -> Vec<u64> {
    let id = |report: &Report| match report {
        Report::Deleted {
            segment,
            bytes: 1_008,
        } => Some(*segment),
        _ => None,
    };
    reports.iter().filter_map(id).collect()
}

#[test]
fn nothing_is_deleted_before_the_host_says_that_all_readers_are_there() {
    let world = World::new();
    let queue = seven_segments(&world, |_| {});
    let reader = queue.reader("r", Start::Newest);
    queue.tidy();
    assert_eq!(left(&world), [0, 1, 2, 3, 4, 5, 6]);
    drop(reader);
}

#[test]
fn segments_everybody_has_released_go() {
    let world = World::new();
    let queue = seven_segments(&world, |_| {});
    let one = queue.reader("one", Start::Oldest);
    let hold = queue.hold("two", Position::new(0, 0));
    queue.start_purging();
    one.release(Position::new(4, 10));
    queue.tidy();
    assert_eq!(left(&world), [0, 1, 2, 3, 4, 5, 6], "the hold needs all");
    hold.release(Position::new(2, 1_008));
    queue.tidy();
    assert_eq!(
        left(&world),
        [3, 4, 5, 6],
        "the end of a segment releases it"
    );
    assert_eq!(deleted(&world.reports()), [0, 1, 2]);
    assert!(!world.exists("2.sum"));
    hold.release(Position::new(0, 0));
    drop(hold);
    queue.tidy();
    assert_eq!(left(&world), [4, 5, 6], "a release never moves back");
    assert_eq!(queue.state().oldest_segment, 4);
}

#[test]
fn the_keeper_deletes_by_itself_when_a_segment_is_released() {
    let world = World::new();
    let queue = seven_segments(&world, |_| {});
    let reader = queue.reader("r", Start::Oldest);
    queue.start_purging();
    reader.release(Position::new(6, 0));
    world.wait_report(|report| matches!(report, Report::Deleted { segment: 5, .. }));
}

#[test]
fn released_segments_are_kept_for_replay_by_bytes_and_by_age() {
    let seconds = |n| Some(Duration::from_secs(n));
    for (keep_bytes, keep_age, expected) in [
        (Some(2_500), None, vec![4, 5, 6]),
        (Some(u64::MAX), None, vec![0, 1, 2, 3, 4, 5, 6]),
        (None, seconds(4), vec![2, 3, 4, 5, 6]),
        (Some(3_500), seconds(2), vec![4, 5, 6]),
        (Some(1_500), seconds(4), vec![5, 6]),
    ] {
        for has_reader in [true, false] {
            let world = World::new();
            let queue = seven_segments(&world, |options| {
                options.keep_bytes = keep_bytes;
                options.keep_age = keep_age;
            });
            let reader = has_reader.then(|| queue.reader("r", Start::Newest));
            queue.start_purging();
            queue.tidy();
            assert_eq!(
                left(&world),
                expected,
                "{keep_bytes:?} {keep_age:?} {has_reader}"
            );
            drop(reader);
        }
    }
}

#[test]
fn what_is_not_released_is_kept_whatever_the_replay_limits_say() {
    let world = World::new();
    let queue = seven_segments(&world, |options| options.keep_bytes = Some(0));
    let _reader = queue.reader("r", Start::Position(Position::new(3, 0)));
    queue.start_purging();
    queue.tidy();
    assert_eq!(left(&world), [3, 4, 5, 6]);
}

#[test]
fn forced_limits_delete_unread_segments_and_name_who_lost_them() {
    for by_age in [false, true] {
        let world = World::new();
        let queue = seven_segments(&world, |options| {
            options.max_bytes = (!by_age).then_some(4_500);
            options.max_age = by_age.then_some(Duration::from_secs(4));
        });
        let mut slow = queue.reader("output.slow", Start::Oldest);
        let _quick = queue.reader("output.quick", Start::Newest);
        queue.start_purging();
        queue.tidy();
        let reports = world.reports();
        let first = Report::DeletedUnread {
            segment: 0,
            bytes: 1_008,
            readers: vec!["output.slow".to_owned()],
        };
        assert_eq!(reports[0], first);
        assert!(reports.iter().all(Report::is_error));
        let n_deleted = reports.len();
        assert_eq!(n_deleted, 2);
        assert_eq!(left(&world).len(), 7 - n_deleted);
        // Memory still has what disk has not; a reader from disk skips and says so.
        assert_eq!(drain(&mut slow).len(), 170);
        queue.stop().expect("clean");
        let (queue, _) = world.open();
        let start = Start::Position(Position::new(0, 36));
        assert_eq!(
            drain(&mut queue.reader("slow", start)).len(),
            170 - n_deleted * 28
        );
        let count = n_deleted as u64;
        let missing = Report::Missing {
            reader: "slow".into(),
            segment: 0,
            count,
        };
        assert_eq!(world.reports(), [missing]);
    }
}

#[test]
fn the_segment_in_use_is_never_deleted() {
    let world = World::new();
    let queue = seven_segments(&world, |options| options.max_bytes = Some(0));
    queue.start_purging();
    queue.tidy();
    assert_eq!(left(&world), [6]);
}

#[test]
fn a_queue_nobody_reads_is_kept_and_says_that_it_grows() {
    let world = World::new();
    let (queue, _) = world.open();
    queue.start_purging();
    queue.tidy();
    world.reports();
    append_each(&queue, 0..60, 20);
    queue.tidy();
    queue.tidy();
    assert_eq!(left(&world), [0, 1, 2]);
    let grows = world.wait_report(|report| matches!(report, Report::NobodyReads { .. }));
    assert!(!grows.is_error());
}

#[test]
fn torn_files_go_with_their_segment() {
    let world = World::new();
    let queue = seven_segments(&world, |_| {});
    world.put("0.torn", b"left over");
    let reader = queue.reader("r", Start::Newest);
    queue.start_purging();
    queue.tidy();
    assert!(!world.exists("0.torn"));
    drop(reader);
}

#[test]
fn an_onlooker_holds_nothing_back() {
    let world = World::new();
    let queue = seven_segments(&world, |_| {});
    let mut onlooker = queue.onlooker("looks", Start::Oldest);
    let reader = queue.reader("r", Start::Newest);
    queue.start_purging();
    reader.release(Position::new(6, 0));
    queue.tidy();
    assert_eq!(left(&world), [6], "nobody asked the onlooker");
    assert_eq!(queue.state().readers.len(), 1, "it is no reader");
    assert!(onlooker.try_next().is_ok(), "what is gone is no error");
    onlooker.skip_to_newest();
    assert_eq!(onlooker.position(), queue.written());
    append_each(&queue, 200..201, 20);
    let block = onlooker.next(Duration::from_secs(10)).expect("readable");
    assert!(block.is_some(), "what comes later is seen");
}
