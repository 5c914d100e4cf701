//! Every known way to damage a queue, by name. Damage costs the damaged records, is reported exactly, and no more.

use crate::support::*;
use queue::{Position, Queue, Report, Start};

/// Length of the records of these tests.
const LEN: usize = 36;
/// How many of them fill a segment.
const PER_SEGMENT: usize = 28;

/// A stopped queue with three segments: 28, 28 and 4 records.
fn three_segments() -> (World, Vec<Vec<u8>>) {
    let world = World::new();
    let (queue, _) = world.open();
    let records = append_each(&queue, 0..60, LEN - 16);
    queue.stop().expect("clean");
    (world, records)
}

fn change(world: &World, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = world.bytes(name);
    change(&mut bytes);
    world.put(name, &bytes);
}

fn damaged(segment: u64, offset: usize, length: usize) -> Report {
    let position = Position::new(segment, offset as u64);
    Report::Damaged {
        reader: "everything".into(),
        position,
        length: length as u64,
    }
}

fn without(records: &[Vec<u8>], lost: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    [&records[..lost.start], &records[lost.end..]].concat()
}

#[test]
fn a_flipped_bit_in_a_closed_segment_costs_one_record() {
    for byte in 0..3 * LEN {
        let (world, records) = three_segments();
        change(&world, "0.log", |bytes| bytes[byte + LEN] ^= 4);
        let (queue, recovery) = world.open();
        assert!(recovery.is_clean());
        let lost = byte / LEN + 1;
        assert_eq!(
            everything(&queue),
            without(&records, lost..lost + 1),
            "byte {byte}"
        );
        assert_eq!(
            world.reports(),
            [damaged(0, lost * LEN, LEN)],
            "byte {byte}"
        );
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_the_sums_costs_nothing() {
    let (world, _) = three_segments();
    for name in ["0.sum", "2.sum"] {
        for byte in 0..world.bytes(name).len() {
            let (world, records) = three_segments();
            change(&world, name, |bytes| bytes[byte] ^= 1);
            let (queue, recovery) = world.open();
            assert!(recovery.is_clean(), "{name} byte {byte}");
            assert_eq!(everything(&queue), records, "{name} byte {byte}");
            assert_eq!(world.reports(), [], "{name} byte {byte}");
        }
    }
}

#[test]
fn a_flipped_bit_in_the_newest_record_is_a_torn_tail() {
    let (world, records) = three_segments();
    change(&world, "2.log", |bytes| bytes[3 * LEN + 20] ^= 1);
    let (queue, recovery) = world.open();
    assert_eq!(
        recovery.torn,
        Some((Position::new(2, 3 * LEN as u64), LEN as u64))
    );
    assert!(recovery.torn_saved);
    assert_eq!(world.bytes("2.torn").len(), LEN);
    assert_eq!(world.bytes("2.log"), records[56..59].concat());
    assert_eq!(
        recovery.end,
        Position::new(3, 0),
        "a segment that lost something is closed"
    );
    assert_eq!(everything(&queue), records[..59]);
}

#[test]
fn a_flipped_bit_further_back_in_the_last_segment_costs_one_record() {
    let (world, records) = three_segments();
    change(&world, "2.log", |bytes| bytes[LEN + 20] ^= 1);
    let (queue, recovery) = world.open();
    assert_eq!(recovery.end, Position::new(2, 4 * LEN as u64));
    assert_eq!(everything(&queue), without(&records, 57..58));
    assert_eq!(world.reports(), [damaged(2, LEN, LEN)]);
}

#[test]
fn a_log_cut_anywhere_keeps_every_whole_record() {
    for len in 0..4 * LEN {
        let (world, mut records) = three_segments();
        change(&world, "2.log", |bytes| bytes.truncate(len));
        let (queue, recovery) = world.open();
        let n_whole = len / LEN;
        assert_eq!(
            recovery.missing_bytes,
            (4 * LEN - len) as u64,
            "cut to {len}"
        );
        assert_eq!(world.bytes("2.log").len(), n_whole * LEN, "cut to {len}");
        assert_eq!(
            recovery.torn.map_or(0, |(_, length)| length),
            (len % LEN) as u64
        );
        records.truncate(56 + n_whole);
        records.extend(append_each(&queue, 100..103, LEN - 16));
        assert_eq!(everything(&queue), records, "cut to {len}");
        assert_eq!(world.reports(), [], "recovery has told it all");
        queue.stop().expect("clean");
        let (queue, recovery) = world.open();
        assert!(recovery.is_clean(), "the second time all is well");
        assert_eq!(everything(&queue), records);
    }
}

#[test]
fn sums_cut_anywhere_cost_nothing() {
    let (world, _) = three_segments();
    for len in 0..world.bytes("2.sum").len() {
        let (world, mut records) = three_segments();
        change(&world, "2.sum", |bytes| bytes.truncate(len));
        let (queue, recovery) = world.open();
        assert!(recovery.is_clean(), "cut to {len}");
        records.extend(append_each(&queue, 60..63, LEN - 16));
        assert_eq!(everything(&queue), records, "cut to {len}");
        assert_eq!(world.reports(), []);
    }
}

#[test]
fn a_closed_segment_that_was_cut_is_reported_up_to_where_it_should_end() {
    let (world, records) = three_segments();
    change(&world, "1.log", |bytes| bytes.truncate(10 * LEN + 5));
    let (queue, _) = world.open();
    assert_eq!(
        everything(&queue),
        without(&records, PER_SEGMENT + 10..2 * PER_SEGMENT)
    );
    let reports = world.reports();
    assert!(reports.contains(&damaged(1, 10 * LEN, LEN)), "{reports:?}");
}

#[test]
fn zeros_at_the_end_are_cut() {
    let (world, records) = three_segments();
    change(&world, "2.log", |bytes| bytes.resize(4 * LEN + 3 * 4096, 0));
    let (queue, recovery) = world.open();
    assert_eq!(
        recovery.torn,
        Some((Position::new(2, 4 * LEN as u64), 3 * 4096))
    );
    assert_eq!(recovery.damaged, []);
    assert_eq!(everything(&queue), records);
}

#[test]
fn zeros_in_place_of_synced_records_are_cut_at_the_end_and_skipped_before() {
    let (world, records) = three_segments();
    change(&world, "2.log", |bytes| bytes[2 * LEN..].fill(0));
    let (queue, recovery) = world.open();
    assert_eq!(
        recovery.torn,
        Some((Position::new(2, 2 * LEN as u64), 2 * LEN as u64))
    );
    assert_eq!(everything(&queue), records[..58]);

    let (world, records) = three_segments();
    change(&world, "1.log", |bytes| bytes[2 * LEN..5 * LEN].fill(0));
    let (queue, _) = world.open();
    assert_eq!(
        everything(&queue),
        without(&records, PER_SEGMENT + 2..PER_SEGMENT + 5)
    );
    assert_eq!(world.reports(), [damaged(1, 2 * LEN, 3 * LEN)]);
}

#[test]
fn records_behind_a_torn_one_are_set_aside_rather_than_guessed() {
    let (world, records) = three_segments();
    // Announces 513 bytes, which are not there: what follows may be records, or part of the torn one.
    let tail = [&[0x1e, 1, 2, 3][..], &numbered(60, 20)].concat();
    change(&world, "2.log", |bytes| bytes.extend_from_slice(&tail));
    let (queue, recovery) = world.open();
    assert_eq!(
        recovery.torn,
        Some((Position::new(2, 4 * LEN as u64), tail.len() as u64))
    );
    assert_eq!(world.bytes("2.torn"), tail);
    assert_eq!(everything(&queue), records);
}

#[test]
fn garbage_between_records_without_sums_is_skipped_and_reported() {
    let (world, mut records) = three_segments();
    world.put(
        "3.log",
        &[&[9; 5][..], &numbered(60, 20), &[8; 7], &numbered(61, 20)].concat(),
    );
    records.extend([numbered(60, 20), numbered(61, 20)]);
    let (queue, recovery) = world.open();
    assert_eq!(
        recovery.damaged,
        [(Position::new(3, 0), 5), (Position::new(3, 41), 7)]
    );
    assert_eq!(everything(&queue), records);
    assert_eq!(world.reports(), [damaged(3, 0, 5), damaged(3, 41, 7)]);
}

#[test]
fn a_missing_segment_is_reported_and_skipped() {
    let (world, records) = three_segments();
    let (queue, _) = world.open();
    stdx::files::Disk::remove(&world.disk, &world.path("1.log")).expect("removed while open");
    assert_eq!(
        everything(&queue),
        without(&records, PER_SEGMENT..2 * PER_SEGMENT)
    );
    let missing = Report::Missing {
        reader: "everything".into(),
        segment: 1,
        count: 1,
    };
    assert_eq!(world.reports(), [missing]);
    queue.stop().expect("clean");

    let (queue, _) = world.open();
    let start = Start::Position(Position::new(0, (PER_SEGMENT * LEN) as u64));
    assert_eq!(
        drain(&mut queue.reader("everything", start)),
        records[2 * PER_SEGMENT..]
    );
    assert_eq!(world.reports().len(), 1);
}

#[test]
fn the_first_segments_may_be_gone() {
    let (world, records) = three_segments();
    for name in ["0.log", "0.sum", "1.log"] {
        stdx::files::Disk::remove(&world.disk, &world.path(name)).expect("removed");
    }
    let (queue, _) = world.open();
    let start = Start::Position(Position::new(0, 72));
    assert_eq!(
        drain(&mut queue.reader("r", start)),
        records[2 * PER_SEGMENT..]
    );
    let missing = Report::Missing {
        reader: "r".into(),
        segment: 0,
        count: 2,
    };
    assert_eq!(world.reports(), [missing]);
    assert_eq!(everything(&queue), records[2 * PER_SEGMENT..]);
    assert_eq!(world.reports(), [], "the oldest is simply later");
}

#[test]
fn the_last_segment_may_vanish_under_a_running_queue() {
    let (world, records) = three_segments();
    let (queue, _) = world.open();
    stdx::files::Disk::remove(&world.disk, &world.path("2.log")).expect("removed while open");
    assert_eq!(everything(&queue), records[..2 * PER_SEGMENT]);
    let missing = Report::Missing {
        reader: "everything".into(),
        segment: 2,
        count: 1,
    };
    assert_eq!(world.reports(), [missing]);
}

#[test]
fn missing_sums_cost_nothing() {
    let (world, records) = three_segments();
    for name in ["0.sum", "1.sum", "2.sum"] {
        stdx::files::Disk::remove(&world.disk, &world.path(name)).expect("removed");
    }
    let (queue, recovery) = world.open();
    assert_eq!(
        (recovery.is_clean(), recovery.scanned_bytes),
        (true, 4 * LEN as u64)
    );
    assert_eq!(everything(&queue), records);
    assert_eq!(world.reports(), []);
}

#[test]
fn sums_of_another_log_lose_nothing_for_good() {
    let (world, records) = three_segments();
    let sums = world.bytes("0.sum");
    world.put("2.sum", &sums);
    let (queue, recovery) = world.open();
    assert_eq!(everything(&queue), records[..56]);
    assert_eq!(recovery.torn, Some((Position::new(2, 0), 4 * LEN as u64)));
    assert_eq!(
        world.bytes("2.torn"),
        records[56..].concat(),
        "it can be put back by hand"
    );
}

#[test]
fn an_empty_last_segment_is_gone_on_with() {
    let (world, mut records) = three_segments();
    world.put("3.log", b"");
    world.put("3.sum", b"");
    let (queue, recovery) = world.open();
    assert_eq!(
        (recovery.end, recovery.is_clean()),
        (Position::new(3, 0), true)
    );
    records.extend(append_each(&queue, 60..65, LEN - 16));
    assert_eq!(everything(&queue), records);
}

#[test]
fn foreign_files_are_left_alone() {
    let (world, records) = three_segments();
    for name in ["notes.log", "05.log", "3.log.tmp", "99.sum"] {
        world.put(name, b"mine");
    }
    let (queue, _) = world.open();
    assert_eq!(everything(&queue), records);
    for name in ["notes.log", "05.log", "3.log.tmp", "99.sum"] {
        assert_eq!(world.bytes(name), b"mine");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, ..Default::default() })]

    /// Whatever happens to the files: opening and reading neither panic nor hang, and every record that comes out is
    /// one that went in, in order.
    #[test]
    fn no_damage_makes_up_records(
        name in proptest::sample::select(vec!["0.log", "1.log", "2.log", "0.sum", "1.sum", "2.sum"]),
        at in 0usize..1_100,
        junk in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
        replaced in 0usize..100,
    ) {
        let (world, records) = three_segments();
        change(&world, name, |bytes| {
            let at = at.min(bytes.len());
            let to = (at + replaced).min(bytes.len());
            bytes.splice(at..to, junk);
        });
        let (queue, _) = world.open();
        let left = everything(&queue);
        let mut rest = records.iter();
        for record in &left {
            proptest::prop_assert!(rest.any(|other| other == record), "out of order or made up");
        }
        append_each(&queue, 100..102, 20);
        let again: Vec<Vec<u8>> = everything(&queue);
        proptest::prop_assert_eq!(&again[..left.len()], &left[..]);
        proptest::prop_assert_eq!(again.len(), left.len() + 2);
        close(&queue);
    }
}

fn close(queue: &Queue) {
    queue.stop().expect("clean");
}
