//! Append, read, roll, stop, open again, start anywhere.

use crate::support::*;
use queue::{AppendError, Hold, Position, Queue, Reader, Report, Signal, Start, Sync};
use std::time::Duration;

#[test]
fn records_come_out_as_they_went_in_over_many_segments() {
    let world = World::new();
    let (queue, recovery) = world.open();
    assert_eq!(
        (recovery.end, recovery.is_clean()),
        (Position::new(0, 0), true)
    );
    let records = append_each(&queue, 0..200, 20);
    assert_eq!(everything(&queue), records);
    assert_eq!(queue.state().n_segments, 200 * 36 / 1_008 + 1);
    queue.stop().expect("clean");
    assert_eq!(
        everything(&queue),
        records,
        "a stopped queue can still be read"
    );
}

#[test]
fn segments_are_plain_records_and_roll_where_hindsight_rolls() {
    let world = World::new();
    let (queue, _) = world.open();
    let records = append_each(&queue, 0..40, 20);
    queue.stop().expect("clean");
    // 28 records of 36 bytes are the first that reach 1,000 bytes.
    assert_eq!(world.bytes("0.log"), records[..28].concat());
    assert_eq!(world.bytes("1.log"), records[28..].concat());
}

#[test]
fn a_queue_goes_on_in_its_highest_segment() {
    let world = World::new();
    let (queue, _) = world.open();
    let mut records = append_each(&queue, 0..30, 20);
    queue.stop().expect("clean");
    let (queue, recovery) = world.open();
    assert!(recovery.is_clean());
    assert_eq!(
        (recovery.end, recovery.scanned_bytes),
        (Position::new(1, 72), 0)
    );
    records.extend(append_each(&queue, 30..60, 20));
    assert_eq!(everything(&queue), records);
}

#[test]
fn what_hindsight_left_is_read_and_gets_checksums() {
    let world = World::new();
    let records: Vec<_> = (0..60).map(|n| numbered(n, 20)).collect();
    world.put("7.log", &records[..30].concat());
    world.put("8.log", &records[30..].concat());
    let (queue, recovery) = world.open_with(|options| options.segment_size = 1_000_000);
    assert_eq!(
        (recovery.end, recovery.scanned_bytes),
        (Position::new(8, 1_080), 1_080)
    );
    assert!(recovery.is_clean());
    assert_eq!(everything(&queue), records);
    queue.stop().expect("clean");
    let (_, recovery) = world.open_with(|options| options.segment_size = 1_000_000);
    assert_eq!(recovery.scanned_bytes, 0, "now it has checksums");
}

#[test]
fn positions_returned_by_append_are_where_readers_find_the_record_behind() {
    let world = World::new();
    let (queue, _) = world.open();
    let mut ends = Vec::new();
    for n in 0..100 {
        ends.push(queue.append(&numbered(n, 20)).expect("taken"));
    }
    assert!(queue.wait_written(ends[99], LONG));
    let reopened = {
        queue.stop().expect("clean");
        world.open().0
    };
    for (source, queue) in [("memory", &queue), ("disk", &reopened)] {
        for (n, end) in ends.iter().enumerate() {
            let mut reader = queue.reader("one", Start::Position(*end));
            let next = drain(&mut reader).first().cloned();
            let expected = (n < 99).then(|| numbered(n as u64 + 1, 20));
            assert_eq!(next, expected, "{source}, record {n}");
        }
    }
    assert_eq!(world.reports(), []);
}

#[test]
fn a_start_inside_a_record_goes_to_the_next_and_says_so() {
    let world = World::new();
    let (queue, _) = world.open();
    let records = append_each(&queue, 0..3, 20);
    for reopen in [false, true] {
        queue.stop().expect("clean");
        let queue = if reopen { &world.open().0 } else { &queue };
        let mut reader = queue.reader("r", Start::Position(Position::new(0, 40)));
        assert_eq!(drain(&mut reader), records[2..]);
        let position = Position::new(0, 40);
        let skipped = Report::Damaged {
            reader: "r".into(),
            position,
            length: 32,
        };
        assert_eq!(world.reports(), [skipped], "reopened: {reopen}");
    }
}

#[test]
fn a_start_behind_the_end_says_so_and_goes_on_at_the_end() {
    let world = World::new();
    let (queue, _) = world.open();
    append_each(&queue, 0..30, 20);
    let end = queue.written();
    let mut reader = queue.reader("r", Start::Position(Position::new(5, 0)));
    assert_eq!(reader.position(), end);
    let report = Report::BeyondEnd {
        reader: "r".into(),
        position: Position::new(5, 0),
        end,
    };
    assert_eq!(world.reports(), [report]);
    assert_eq!(append_each(&queue, 30..31, 20), drain(&mut reader));
    queue.stop().expect("clean");

    let (queue, _) = world.open();
    let position = Position::new(0, 5_000);
    let mut reader = queue.reader("r", Start::Position(position));
    assert_eq!(drain(&mut reader)[0], numbered(28, 20), "the next segment");
    let end = Position::new(0, 1_008);
    assert_eq!(
        world.reports(),
        [Report::BeyondEnd {
            reader: "r".into(),
            position,
            end
        }]
    );
}

#[test]
fn newest_and_time_start_where_they_say() {
    let world = World::new();
    let (queue, _) = world.open();
    for n in 0..100 {
        append_each(&queue, n..n + 1, 20);
        world.clock.advance(Duration::from_nanos(10));
    }
    let from_time = |queue: &Queue, ns| drain(&mut queue.reader("t", Start::Time(ns))).len();
    for (ns, n_expected) in [
        (0, 100),
        (1_000, 100),
        (1_001, 99),
        (1_500, 50),
        (1_990, 1),
        (1_991, 0),
    ] {
        assert_eq!(from_time(&queue, ns), n_expected, "since {ns}");
    }
    let mut newest = queue.reader("n", Start::Newest);
    assert_eq!(drain(&mut newest), Vec::<Vec<u8>>::new());
    assert_eq!(append_each(&queue, 100..101, 20), drain(&mut newest));
}

#[test]
fn wrong_records_are_refused_by_name() {
    let world = World::new();
    let (queue, _) = world.open_with(|options| options.record_max = 10);
    assert_eq!(queue.append(b""), Err(AppendError::Empty));
    assert_eq!(
        queue.append(&[0; 11]),
        Err(AppendError::TooLong {
            length: 11,
            limit: 10
        })
    );
    queue.stop().expect("clean");
    assert_eq!(queue.append(b"x"), Err(AppendError::Stopped));
    queue.stop().expect("the same answer again");
}

#[test]
fn long_records_pass() {
    let world = World::new();
    let (queue, _) = world.open_with(|options| options.segment_size = 1 << 30);
    let records: Vec<_> = (0..40).map(|n| numbered(n, 60_000)).collect();
    let end = records
        .iter()
        .map(|record| queue.append(record).expect("taken"))
        .last();
    assert!(queue.wait_written(end.expect("there are some"), LONG));
    assert_eq!(everything(&queue), records);
    queue.stop().expect("clean");
    let (queue, _) = world.open_with(|options| options.segment_size = 1 << 30);
    assert_eq!(everything(&queue), records);
}

#[test]
fn durable_follows_the_policy() {
    for (sync, survives) in [
        (Sync::Always, true),
        (Sync::Interval(Duration::from_millis(1)), true),
        (Sync::Never, false),
    ] {
        let world = World::new();
        let (queue, _) = world.open_with(|options| options.sync = sync);
        for n in 0..60 {
            let end = queue.append(&numbered(n, 20)).expect("taken");
            assert!(queue.wait_durable(end, LONG), "{sync:?}");
        }
        queue.abort();
        (0..8).for_each(|seed| world.disk.power_loss(seed));
        let (queue, _) = world.open();
        let n_left = everything(&queue).len();
        assert!(n_left == 60 || !survives, "{sync:?} left {n_left}");
    }
}

#[test]
fn waiting_ends_with_the_queue_and_with_the_timeout() {
    let world = World::new();
    let (queue, _) = world.open();
    let far = Position::new(9, 0);
    assert!(!queue.wait_written(far, Duration::from_millis(1)));
    assert!(!queue.wait_durable(far, Duration::ZERO));
    std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| queue.wait_durable(far, Duration::MAX)))
            .collect();
        queue.stop().expect("clean");
        for waiter in waiters {
            assert!(!waiter.join().expect("no panic"));
        }
    });
}

#[test]
fn a_waiting_reader_is_woken_by_a_record_and_by_the_end() {
    let world = World::new();
    let (queue, _) = world.open();
    let mut reader = queue.reader("r", Start::Oldest);
    assert!(
        reader
            .next(Duration::from_millis(1))
            .expect("readable")
            .is_none()
    );
    std::thread::scope(|scope| {
        let next = scope.spawn(|| reader.next(Duration::MAX).expect("readable"));
        queue.append(&numbered(0, 0)).expect("taken");
        let block = next.join().expect("no panic").expect("a block");
        assert_eq!(block.bytes(), numbered(0, 0));
    });
    std::thread::scope(|scope| {
        let next = scope.spawn(|| reader.next(Duration::MAX).expect("readable"));
        queue.stop().expect("clean");
        assert!(next.join().expect("no panic").is_none());
    });
}

#[test]
fn one_signal_serves_two_queues() {
    let (one, two) = (World::new(), World::new());
    let (one, two) = (one.open().0, two.open().0);
    let signal = Signal::new();
    one.add_signal(&signal);
    two.add_signal(&signal);
    for queue in [&one, &two] {
        let seen = signal.count();
        queue.append(&numbered(0, 0)).expect("taken");
        assert!(signal.wait(seen, LONG) > seen);
    }
    one.remove_signal(&signal);
    let seen = signal.count();
    append_each(&one, 1..2, 0);
    assert_eq!(signal.count(), seen);
}

#[test]
fn the_state_names_readers_and_their_lag() {
    let world = World::new();
    let (queue, _) = world.open();
    let mut reader = queue.reader("output.x", Start::Oldest);
    let hold = queue.hold("output.away", Position::new(0, 36));
    append_each(&queue, 0..30, 20);
    let state = queue.state();
    assert_eq!(
        (state.appended, state.written),
        (Position::new(1, 72), Position::new(1, 72))
    );
    assert_eq!(
        (state.bytes, state.n_segments, state.oldest_segment),
        (1_080, 2, 0)
    );
    let lag = |state: &queue::State, idx: usize| {
        (
            state.readers[idx].name.clone(),
            state.readers[idx].lag_bytes,
        )
    };
    assert_eq!(lag(&state, 0), ("output.x".to_owned(), 1_080));
    assert_eq!(lag(&state, 1), ("output.away".to_owned(), 1_044));
    drain(&mut reader);
    assert_eq!(lag(&queue.state(), 0).1, 0);
    drop((reader, hold));
    assert!(queue.state().readers.is_empty());
}

#[test]
fn checkpoints_ahead_of_the_log_never_name_new_records() {
    let world = World::new();
    let (queue, _) = world.open();
    append_each(&queue, 0..3, 20);
    queue.stop().expect("clean");
    let ahead = Position::new(0, 500);
    let (queue, recovery) = world.open_with(|options| options.at_least = ahead);
    assert_eq!(recovery.end, Position::new(1, 0));
    let records = append_each(&queue, 3..6, 20);
    assert_eq!(
        drain(&mut queue.reader("r", Start::Position(ahead))),
        records
    );

    let world = World::new();
    let (_, recovery) = world.open_with(|options| options.at_least = Position::new(4, 1));
    assert_eq!(
        recovery.end,
        Position::new(5, 0),
        "also when every segment is gone"
    );
}

#[test]
fn readers_and_queues_can_be_sent_to_threads() {
    fn check<T: Send>() {}
    fn check_shared<T: Send + std::marker::Sync>() {}
    check::<Reader>();
    check_shared::<Queue>();
    check_shared::<Hold>();
    check_shared::<Signal>();
}

#[test]
fn dropping_an_unstopped_queue_writes_what_was_appended() {
    let world = World::new();
    let (queue, _) = world.open();
    queue.append(&numbered(0, 0)).expect("taken");
    drop(queue);
    assert_eq!(world.bytes("0.log"), numbered(0, 0));
}

#[test]
fn what_a_killed_run_wrote_is_called_durable_only_after_a_sync() {
    let world = World::new();
    let (queue, _) = world.open();
    let records = append_each(&queue, 0..60, 20);
    queue.abort();
    let (queue, recovery) = world.open_with(|options| options.sync = Sync::Always);
    assert!(recovery.is_clean());
    assert!(queue.wait_durable(recovery.end, LONG));
    queue.abort();
    (0..8).for_each(|seed| world.disk.power_loss(seed));
    assert_eq!(everything(&world.open().0), records);
}

#[test]
fn a_commit_does_not_wait_for_the_interval() {
    let world = World::new();
    let (queue, _) = world.open_with(|options| {
        options.sync = Sync::Interval(Duration::from_secs(86_400));
    });
    // The first sync after the start comes at once; only those after it have to wait.
    for n in 0..3 {
        let end = queue.append(&numbered(n, 20)).expect("taken");
        assert!(!queue.wait_durable(end, Duration::from_millis(1)) || n == 0);
        assert!(queue.commit(end, LONG));
        assert!(queue.durable() >= end);
    }
    let never = world.open_with(|options| options.sync = Sync::Never).0;
    let end = never.append(&numbered(9, 20)).expect("taken");
    assert!(never.commit(end, LONG), "written is all that is promised");
}
