//! The intake closes for slow readers and for a disk that is nearly full, and opens again.

use crate::support::*;
use queue::{AppendError, Blocked, Queue, Report, Start};
use std::time::Duration;

/// Appends until the intake closes; the answer is how many records were taken.
fn fill(queue: &Queue) -> u64 {
    let mut n_taken = 0;
    while queue.state().blocked.is_none() {
        match queue.append_within(&numbered(n_taken, 20), LONG) {
            Ok(end) => assert!(queue.wait_written(end, LONG)),
            Err(error) => panic!("{error}"),
        }
        n_taken += 1;
        assert!(n_taken < 10_000, "the intake never closes");
    }
    n_taken
}

fn try_append(queue: &Queue) -> Result<(), AppendError> {
    queue
        .append_within(&numbered(0, 20), Duration::from_millis(1))
        .map(|_| ())
}

#[test]
fn a_slow_reader_closes_the_intake_and_opens_it_by_catching_up() {
    let world = World::new();
    let (queue, _) = world.open_with(|options| options.backpressure = 2);
    let mut slow = queue.reader("output.slow", Start::Oldest);
    let mut quick = queue.reader("output.quick", Start::Oldest);
    // Three full segments: the writer is then in the fourth, three ahead.
    let n_taken = fill(&queue);
    assert!((84..=86).contains(&n_taken), "{n_taken}");
    let blocked = Blocked::Reader {
        name: "output.slow".into(),
        segments: 3,
    };
    assert_eq!(queue.state().blocked, Some(blocked.clone()));
    assert_eq!(world.reports(), [Report::BackpressureApplied(blocked)]);
    assert_eq!(try_append(&queue), Err(AppendError::TimedOut));

    drain(&mut quick);
    assert_eq!(
        try_append(&queue),
        Err(AppendError::TimedOut),
        "the slow one still lags"
    );
    while slow.position().segment < 2 {
        slow.try_next().expect("readable").expect("a block");
    }
    assert_eq!(
        try_append(&queue),
        Err(AppendError::TimedOut),
        "not before it has caught up"
    );
    std::thread::scope(|scope| {
        let producer = scope.spawn(|| queue.append(&numbered(0, 20)));
        drain(&mut slow);
        producer.join().expect("no panic").expect("taken");
    });
    assert!(world.reports().contains(&Report::BackpressureReleased));
}

#[test]
fn a_reader_that_leaves_no_longer_holds_the_intake() {
    let world = World::new();
    let (queue, _) = world.open_with(|options| options.backpressure = 1);
    let reader = queue.reader("output.slow", Start::Oldest);
    fill(&queue);
    drop(reader);
    assert_eq!(queue.state().blocked, None);
    try_append(&queue).expect("open again");
}

#[test]
fn without_readers_nobody_is_behind() {
    let world = World::new();
    let (queue, _) = world.open_with(|options| options.backpressure = 1);
    append_each(&queue, 0..200, 20);
    let _hold = queue.hold("away", queue::Position::new(0, 0));
    append_each(&queue, 200..400, 20);
    assert_eq!(queue.state().blocked, None);
}

#[test]
fn too_little_free_space_closes_the_intake_also_within_a_segment() {
    let world = World::new();
    let (queue, _) = world.open_with(|options| {
        options.disk_free_min = 5_000;
        options.segment_size = 1 << 30;
    });
    append_each(&queue, 0..10, 20);
    world.disk.set_capacity(Some(world.disk.used() + 4_000));
    queue.tidy();
    assert!(matches!(
        queue.state().blocked,
        Some(Blocked::DiskFree { wanted: 5_000, .. })
    ));
    assert_eq!(try_append(&queue), Err(AppendError::TimedOut));
    world.disk.set_capacity(None);
    // The keeper looks by itself.
    queue
        .append_within(&numbered(0, 20), LONG)
        .expect("open again");
    assert_eq!(queue.state().blocked, None);
}

#[test]
fn a_queue_opened_on_a_nearly_full_disk_is_closed_from_the_start() {
    let world = World::new();
    world.disk.set_capacity(Some(100));
    let (queue, _) = world.open_with(|options| options.disk_free_min = 5_000);
    assert_eq!(try_append(&queue), Err(AppendError::TimedOut));
}

#[test]
fn stopping_frees_blocked_producers() {
    let world = World::new();
    let (queue, _) = world.open_with(|options| options.backpressure = 1);
    let _reader = queue.reader("output.slow", Start::Oldest);
    fill(&queue);
    std::thread::scope(|scope| {
        let producers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| queue.append(&numbered(0, 20))))
            .collect();
        queue.stop().expect("clean");
        for producer in producers {
            assert_eq!(
                producer.join().expect("no panic"),
                Err(AppendError::Stopped)
            );
        }
    });
}
