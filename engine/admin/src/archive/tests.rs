//! What is kept comes back, in long rows, within the limits.

use crate::cbuf::{Annotation, Column};

use super::*;

const ID: &str = "analysis.a/cbuf/rate";

/// 2026-11-20 00:00 UTC.
const DAY: i64 = 20_777;
const MIDNIGHT: i64 = DAY * DAY_S;

fn column(name: &str, aggregation: &str) -> Column {
    Column {
        name: name.into(),
        unit: "count".into(),
        aggregation: aggregation.into(),
    }
}

/// Row `n` has the number `from + n` in each column.
fn graph(time: i64, step: i64, rows: usize, names: &[&str], from: f64) -> Graph {
    let of_row = |row: usize| std::iter::repeat_n(from + row as f64, names.len());
    Graph {
        time,
        seconds_per_row: step,
        rows,
        columns: names.iter().map(|name| column(name, "sum")).collect(),
        annotations: Vec::new(),
        cells: (0..rows).flat_map(of_row).collect(),
    }
}

fn opened(dir: &Path, limits: Limits) -> Archive {
    Archive::open_at(dir, limits, MIDNIGHT)
}

#[test]
fn what_is_kept_outlives_the_process_and_the_buffer() {
    let dir = tempfile::tempdir().expect("a directory");
    let archive = opened(dir.path(), Limits::default());
    // Two hours on both sides of midnight, then the next hour; the newest row of each still changes.
    let mut first = graph(MIDNIGHT - 7200, 60, 240, &["a", "b"], 0.0);
    first.annotations = vec![Annotation {
        x: (MIDNIGHT - 60) * 1000,
        col: 2,
        short_text: "A".into(),
        text: "less <b>than</b> usual".into(),
    }];
    archive.keep(ID, &first, MIDNIGHT).expect("kept");
    drop(archive);
    let archive = opened(dir.path(), Limits::default());
    let second = graph(MIDNIGHT + 3600, 60, 120, &["a", "b"], 1000.0);
    archive.keep(ID, &second, MIDNIGHT).expect("kept");
    let past = archive.past(ID, MIDNIGHT - 7200, MIDNIGHT + 7200);
    assert_eq!((past.time, past.rows), (MIDNIGHT - 7200, 240));
    assert_eq!((past.cells[0], past.cells[1]), (0.0, 0.0));
    let newest_of_first = (7200 / 60 + 119) * 2;
    assert_eq!(
        past.cells[newest_of_first], 1059.0,
        "the later buffer knows better"
    );
    assert_eq!(past.annotations, first.annotations);
    let part = archive.past(ID, MIDNIGHT - 120, MIDNIGHT + 60);
    assert_eq!((part.time, part.rows), (MIDNIGHT - 120, 3));
    assert_eq!(archive.past("other/cbuf/x", 0, i64::MAX).rows, 0);
    assert_eq!(archive.past(ID, i64::MAX, i64::MIN).rows, 0);
}

#[test]
fn an_empty_buffer_after_a_restart_takes_nothing_away() {
    let dir = tempfile::tempdir().expect("a directory");
    let archive = opened(dir.path(), Limits::default());
    let full = graph(MIDNIGHT, 60, 60, &["a"], 1.0);
    archive.keep(ID, &full, MIDNIGHT).expect("kept");
    let mut empty = full.clone();
    empty.cells[..50].fill(f64::NAN);
    empty.cells[50..].fill(7.0);
    archive.keep(ID, &empty, MIDNIGHT).expect("kept");
    let past = archive.past(ID, MIDNIGHT, MIDNIGHT + 3600);
    assert_eq!((past.cells[49], past.cells[50], past.rows), (50.0, 7.0, 59));
}

#[test]
fn short_rows_become_rows_of_a_minute() {
    let mut short = graph(MIDNIGHT + 50, 10, 18, &["mean", "least"], 0.0);
    short.columns[1].aggregation = "min".into();
    short.cells[3 * 2] = f64::NAN;
    let long = rows::complete(&short);
    // The first row belongs to a minute that has begun before, the last eleven are no two minutes.
    assert_eq!(
        (long.time, long.seconds_per_row, long.rows),
        (MIDNIGHT + 60, 60, 2)
    );
    assert_eq!(long.cells, [3.6, 1.0, 9.5, 7.0]);
    assert_eq!(
        (
            rows::kept_step(45),
            rows::kept_step(60),
            rows::kept_step(3600)
        ),
        (90, 60, 3600)
    );
    assert_eq!(rows::complete(&graph(0, 10, 5, &["a"], 0.0)).rows, 0);
    assert_eq!(
        rows::complete(&Graph {
            seconds_per_row: 1,
            ..Graph::default()
        })
        .rows,
        0
    );
}

#[test]
fn columns_are_known_by_their_names() {
    let before = graph(MIDNIGHT, 60, 3, &["a", "Column_2", "gone", "a"], 0.0);
    let mut before = rows::between(&before, MIDNIGHT, MIDNIGHT + 180);
    for row in 0..3 {
        before.cells[row * 4 + 1] = f64::NAN;
    }
    let now = graph(MIDNIGHT + 60, 60, 3, &["new", "a"], 100.0);
    let all = rows::merged(&before, now.clone());
    let names: Vec<&str> = all.columns.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["new", "a", "gone", "a"]);
    assert!(all.cells[0].is_nan());
    assert_eq!(&all.cells[1..8], [0.0, 0.0, 0.0, 100.0, 100.0, 1.0, 1.0]);
    // Rows of another length are no past of these.
    let other = graph(MIDNIGHT, 3600, 3, &["a"], 0.0);
    assert_eq!(rows::merged(&other, now.clone()), now);
}

#[test]
fn age_and_size_have_limits() {
    let dir = tempfile::tempdir().expect("a directory");
    let limits = Limits {
        days: 3,
        bytes: 5 * BLOCK,
    };
    let archive = opened(dir.path(), limits);
    let of_day = |day: i64| graph(day * DAY_S, 3600, 24, &["a"], 0.0);
    for day in DAY - 5..=DAY + 5 {
        archive.keep(ID, &of_day(day), MIDNIGHT).expect("kept");
    }
    let kept = |archive: &Archive| archive.lock().keys().copied().collect::<Vec<_>>();
    assert_eq!(kept(&archive), (DAY - 3..=DAY + 1).collect::<Vec<_>>());
    assert_eq!(archive.bytes(), 5 * BLOCK);
    archive.keep("b", &of_day(DAY), MIDNIGHT).expect("kept");
    assert_eq!(kept(&archive)[0], DAY - 2, "the oldest day made room");
    archive
        .keep("c", &of_day(DAY - 2), MIDNIGHT)
        .expect("left out");
    assert_eq!(
        archive.past("c", 0, i64::MAX).rows,
        0,
        "nothing newer goes for it"
    );
    assert_eq!(opened(dir.path(), limits).bytes(), archive.bytes());
    archive.forget_old(MIDNIGHT + 30 * DAY_S);
    assert_eq!((kept(&archive).len(), archive.bytes()), (0, 0));
    assert_eq!(std::fs::read_dir(dir.path()).expect("read").count(), 0);
}

#[test]
fn damaged_files_are_written_anew() {
    let dir = tempfile::tempdir().expect("a directory");
    let archive = opened(dir.path(), Limits::default());
    let graph = graph(MIDNIGHT, 60, 10, &["a"], 0.0);
    archive.keep(ID, &graph, MIDNIGHT).expect("kept");
    let path = archive.path(ID, DAY);
    let whole = std::fs::read(&path).expect("a file");
    assert!(whole.starts_with(b"{\"id\":\"analysis.a/cbuf/rate\""));
    for end in [0, 20, whole.len() - 2] {
        std::fs::write(&path, &whole[..end]).expect("written");
        archive.keep(ID, &graph, MIDNIGHT).expect("kept");
        assert_eq!(std::fs::read(&path).expect("a file"), whole, "cut at {end}");
    }
}
