//! Compactions that end at every step, that meet others, and that find what is damaged or does not fit.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use output::destination::{Body, Destination, Failure, Page, Piece, Store, Work};
use output::directory::Directory;
use output::object::Access;
use output::runtime::runtime;
use parquet::column::writer::ColumnWriter;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RowAccessor;
use parquet::schema::parser::parse_message_type;
use stdx::backoff::Schedule;

use super::claim::Claim;
use super::*;

const ROWS: i64 = 10;

/// A store that stops working after some changes, as if the program had ended then.
struct Mortal {
    inner: Directory,
    changes_left: AtomicUsize,
    /// Whether the last change is still done, though nobody hears of it.
    is_last_done: bool,
}

impl Mortal {
    /// Whether the next change is done, and whether it is told.
    fn next(&self) -> (bool, bool) {
        let took = self
            .changes_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        match took {
            Ok(1) => (self.is_last_done, false),
            Ok(_) => (true, true),
            Err(_) => (false, false),
        }
    }

    fn is_dead(&self) -> bool {
        self.changes_left.load(Ordering::SeqCst) == 0
    }
}

fn dead<T>() -> Result<T, Failure> {
    Err(Failure::lasting("the program has ended"))
}

impl Destination for Mortal {
    fn put<'a>(&'a self, key: &'a str, body: &'a Body) -> Work<'a, ()> {
        Box::pin(async move {
            let (is_done, is_told) = self.next();
            if is_done {
                self.inner.put(key, body).await?;
            }
            if is_told { Ok(()) } else { dead() }
        })
    }
}

impl Store for Mortal {
    fn list<'a>(&'a self, prefix: &'a str, after: &'a str) -> Work<'a, Page> {
        Box::pin(async move {
            if self.is_dead() {
                return dead();
            }
            self.inner.list(prefix, after).await
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        from: u64,
        len: u64,
        version: Option<&'a str>,
    ) -> Work<'a, Piece> {
        Box::pin(async move {
            if self.is_dead() {
                return dead();
            }
            self.inner.read(key, from, len, version).await
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> Work<'a, ()> {
        Box::pin(async move {
            let (is_done, is_told) = self.next();
            if is_done {
                self.inner.remove(key).await?;
            }
            if is_told { Ok(()) } else { dead() }
        })
    }
}

/// A lake in a folder of its own.
struct Site(tempfile::TempDir);

impl Site {
    /// With files of numbered rows in one partition.
    fn with_files(n: i64) -> Site {
        let site = Site(tempfile::tempdir().expect("a folder"));
        for i in 0..n {
            site.write(&format!("day=1/{i:03}_h_l.parquet"), ONE, i * ROWS);
        }
        site
    }

    fn path(&self, key: &str) -> PathBuf {
        self.0.path().join(key)
    }

    /// A file of [`ROWS`] rows, numbered from `first` on.
    fn write(&self, key: &str, schema: &str, first: i64) {
        let path = self.path(key);
        fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        let schema = Arc::new(parse_message_type(schema).expect("a schema"));
        let file = File::create(path).expect("it is new");
        let writer = SerializedFileWriter::new(file, schema, Default::default());
        let mut writer = writer.expect("begun");
        let mut group = writer.next_row_group().expect("begun");
        let numbers: Vec<i64> = (first..first + ROWS).collect();
        let levels = vec![1; numbers.len()];
        while let Some(mut column) = group.next_column().expect("begun") {
            match column.untyped() {
                ColumnWriter::Int64ColumnWriter(out) => out.write_batch(&numbers, None, None),
                ColumnWriter::DoubleColumnWriter(out) => {
                    let numbers: Vec<f64> = numbers.iter().map(|&n| n as f64).collect();
                    out.write_batch(&numbers, Some(&levels), None)
                }
                _ => panic!("no such column is written here"),
            }
            .expect("written");
            column.close().expect("written");
        }
        group.close().expect("written");
        writer.close().expect("written");
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("day=1")).expect("it is there");
        let names = entries.map(|entry| entry.expect("listed").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.into_string().expect("a name"))
            .filter(|name| !name.starts_with(".tmp-"))
            .collect();
        names.sort();
        names
    }

    /// The numbers that readers see, file by file.
    fn rows(&self) -> Vec<i64> {
        let names = self.names();
        let data = names.iter().filter(|name| partition::is_data(name));
        data.flat_map(|name| numbers(&self.path(&format!("day=1/{name}"))))
            .collect()
    }

    fn lake(&self, changes: usize, is_last_done: bool) -> Lake {
        let store = Mortal {
            inner: Directory::new(self.0.path()),
            changes_left: AtomicUsize::new(changes),
            is_last_done,
        };
        let wait = Duration::from_millis(1);
        Lake::of(Access {
            store: Arc::new(store),
            runtime: runtime().expect("threads"),
            retry: Schedule {
                first: wait,
                longest: wait,
                attempts: Some(1),
            },
        })
    }

    /// Compacts, and says what was done and told.
    fn compact(&self, options: &Options) -> (Summary, String, String) {
        let lake = self.lake(usize::MAX, true);
        let (mut out, mut reports) = (Vec::new(), Vec::new());
        let summary = compact_lake(&lake, options, &mut out, &mut reports).expect("listed");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (summary, text(out), text(reports))
    }

    /// As if all claims were put long ago.
    fn age_claims(&self) {
        for name in self.names().iter().filter(|name| claim::is_claim(name)) {
            let file = File::options()
                .write(true)
                .open(self.path(&format!("day=1/{name}")))
                .expect("it is there");
            file.set_modified(SystemTime::UNIX_EPOCH).expect("set");
        }
    }
}

fn numbers(path: &Path) -> Vec<i64> {
    let reader = SerializedFileReader::new(File::open(path).expect("it is there"));
    let reader = reader.expect("it is whole");
    let rows = reader.get_row_iter(None).expect("all columns");
    rows.map(|row| row.expect("whole").get_long(0).expect("a number"))
        .collect()
}

const ONE: &str = "message a { required int64 n; }";
const TWO: &str = "message a { required int64 n; optional double x; }";
const OTHER: &str = "message a { required int64 n; optional double y; }";

fn options() -> Options {
    Options {
        store: "here".into(),
        prefix: String::new(),
        target_size: 1 << 20,
        small: 1 << 19,
        min_files: 2,
        older_than: Duration::ZERO,
        memory: 1 << 24,
        compression: "zstd".into(),
        dry_run: false,
    }
}

#[test]
fn small_files_become_one_in_their_order() {
    let site = Site::with_files(20);
    let (summary, out, reports) = site.compact(&options());
    assert_eq!(
        (summary.n_old, summary.n_new, summary.n_rows),
        (20, 1, 200),
        "{reports}"
    );
    assert_eq!(site.rows(), (0..200).collect::<Vec<_>>());
    let names = site.names();
    assert!(
        names.len() == 1 && names[0].starts_with("000_h_l_compact-"),
        "{names:?}"
    );
    assert!(out.contains(&names[0]), "{out}");
    // One file is nothing to compact.
    assert_eq!(site.compact(&options()).0.n_new, 0);
    assert_eq!(site.names(), names);
}

#[test]
fn files_that_are_young_large_hidden_or_few_stay() {
    let site = Site::with_files(6);
    let before = site.names();
    let stays = |options: &Options| {
        assert_eq!(site.compact(options).0.n_new, 0, "{options:?}");
        assert_eq!(site.names(), before);
    };
    let older_than = Duration::from_secs(3600);
    stays(&Options {
        older_than,
        ..options()
    });
    stays(&Options {
        small: 100,
        ..options()
    });
    stays(&Options {
        min_files: 7,
        ..options()
    });
    stays(&Options {
        target_size: 100,
        ..options()
    });
    stays(&Options {
        prefix: "day=2".into(),
        ..options()
    });
    let dry_run = true;
    let (summary, out, _) = site.compact(&Options {
        dry_run,
        ..options()
    });
    assert_eq!((summary.n_old, summary.n_new), (6, 1));
    assert!(out.starts_with("day=1: 6 files"), "{out}");
    assert_eq!(site.names(), before);
    for name in before {
        fs::rename(
            site.path(&format!("day=1/{name}")),
            site.path(&format!("day=1/_{name}")),
        )
        .expect("renamed");
    }
    assert_eq!(site.compact(&options()).0.n_new, 0);
    let (summary, ..) = site.compact(&Options {
        prefix: "day".into(),
        ..options()
    });
    assert_eq!(summary.n_partitions, 1);
}

#[test]
fn an_end_at_any_step_loses_no_row_and_the_next_run_completes_it() {
    for is_last_done in [false, true] {
        for changes in 1.. {
            let site = Site::with_files(5);
            let lake = site.lake(changes, is_last_done);
            let (mut out, mut reports) = (Vec::new(), Vec::new());
            let ended = compact_lake(&lake, &options(), &mut out, &mut reports);
            let is_whole =
                ended.is_ok_and(|summary| summary.n_faults == 0) && site.names().len() == 1;
            let mut seen = site.rows();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 50, "after {changes} changes");
            site.age_claims();
            let (summary, _, reports) = site.compact(&options());
            assert_eq!(summary.n_faults, 0, "after {changes} changes: {reports}");
            assert_eq!(
                site.rows(),
                (0..50).collect::<Vec<_>>(),
                "after {changes} changes"
            );
            assert_eq!(
                site.names().len(),
                1,
                "after {changes} changes: {:?}",
                site.names()
            );
            if is_whole {
                // Claim, journal, file, five removals, journal, claim.
                assert!(changes >= 10, "{changes}");
                break;
            }
        }
    }
}

#[test]
fn a_partition_that_somebody_has_is_left_to_them() {
    let site = Site::with_files(5);
    let lake = site.lake(usize::MAX, true);
    let claim = Claim::acquire(&lake, "day=1")
        .expect("put")
        .expect("it is free");
    claim.check().expect("it is new");
    let (summary, out, _) = site.compact(&options());
    assert_eq!(
        (summary.n_busy, summary.n_new, summary.n_faults),
        (1, 0, 0),
        "{out}"
    );
    assert_eq!(
        site.names().len(),
        6,
        "five files and a claim: {:?}",
        site.names()
    );
    drop(claim);
    assert_eq!(site.compact(&options()).0.n_new, 1);
    assert_eq!(site.names().len(), 1);
}

#[test]
fn a_claim_of_a_process_that_has_ended_is_none() {
    let site = Site::with_files(5);
    let lake = site.lake(usize::MAX, true);
    let claim = Claim::acquire(&lake, "day=1")
        .expect("put")
        .expect("it is free");
    let name = site
        .names()
        .into_iter()
        .find(|name| claim::is_claim(name))
        .expect("put");
    let own = fs::read_to_string(site.path(&format!("day=1/{name}"))).expect("it is there");
    drop(claim);
    let mut child = std::process::Command::new("true")
        .spawn()
        .expect("it starts");
    child.wait().expect("it ends");
    let pid = format!("\"pid\":{}", std::process::id());
    assert!(own.contains(&pid), "{own}");
    let of_other = own.replace(&pid, &format!("\"pid\":{}", child.id()));
    let (key, far) = (
        "day=1/_compact-0.claim",
        own.replace("\"boot\":\"", "\"boot\":\"x"),
    );
    fs::write(site.path(key), &far).expect("written");
    assert_eq!(
        site.compact(&options()).0.n_busy,
        1,
        "it may live on another machine"
    );
    fs::write(site.path(key), &of_other).expect("written");
    let (summary, ..) = site.compact(&options());
    assert_eq!((summary.n_busy, summary.n_new), (0, 1));
    assert_eq!(site.names().len(), 1);
}

#[test]
fn a_damaged_file_is_named_and_left_and_the_others_go_on() {
    let site = Site::with_files(6);
    let path = |n: usize| site.path(&format!("day=1/{n:03}_h_l.parquet"));
    fs::write(path(1), "no Parquet at all").expect("written");
    // The footer is good, the page is not.
    let mut bytes = fs::read(path(4)).expect("it is there");
    bytes[4..40].fill(0xff);
    fs::write(path(4), &bytes).expect("written");
    let (summary, _, reports) = site.compact(&options());
    assert_eq!(
        (summary.n_faults, summary.n_old, summary.n_new),
        (2, 4, 1),
        "{reports}"
    );
    for n in [1, 4] {
        assert!(
            reports.contains(&format!("day=1/{n:03}_h_l.parquet: ")),
            "{reports}"
        );
        assert!(path(n).exists());
    }
    assert_eq!(fs::read(path(4)).expect("it is there"), bytes);
    assert_eq!(site.names().len(), 3);
}

#[test]
fn files_that_do_not_fit_are_apart_and_new_columns_are_nothing_in_old_rows() {
    let site = Site::with_files(3);
    for i in 3..6 {
        site.write(&format!("day=1/{i:03}_h_l.parquet"), TWO, i * ROWS);
    }
    for i in 6..9 {
        site.write(&format!("day=1/{i:03}_h_l.parquet"), OTHER, i * ROWS);
    }
    let (summary, out, reports) = site.compact(&options());
    assert_eq!(
        (summary.n_old, summary.n_new, summary.n_faults),
        (9, 2, 0),
        "{reports}"
    );
    assert!(
        out.contains("day=1/006_h_l.parquet: it and 2 more are apart from day=1/000_h_l.parquet: each has columns"),
        "{out}"
    );
    assert_eq!(site.rows(), (0..90).collect::<Vec<_>>());
    let wide = site.path(&format!("day=1/{}", site.names()[0]));
    let reader = SerializedFileReader::new(File::open(wide).expect("there")).expect("whole");
    let rows = reader.get_row_iter(None).expect("all columns");
    let new = rows.map(|row| row.expect("whole").get_double(1).ok());
    let expected = (0..60).map(|n| (n >= 30).then_some(f64::from(n)));
    assert!(new.eq(expected));
}

#[test]
fn an_old_file_that_was_put_anew_goes_if_it_is_the_same_and_stays_if_not() {
    let site = Site::with_files(5);
    let copies: Vec<Vec<u8>> = (0..5)
        .map(|i| fs::read(site.path(&format!("day=1/{i:03}_h_l.parquet"))).expect("there"))
        .collect();
    // The end comes after claim, journal and file.
    let lake = site.lake(4, false);
    let ended = compact_lake(&lake, &options(), &mut Vec::new(), &mut Vec::new());
    assert_eq!(ended.expect("listed").n_faults, 1);
    site.age_claims();
    let path = |i: usize| site.path(&format!("day=1/{i:03}_h_l.parquet"));
    for i in [0, 1] {
        fs::remove_file(path(i)).expect("removed");
        fs::write(path(i), &copies[i]).expect("written");
    }
    fs::remove_file(path(2)).expect("removed");
    site.write("day=1/002_h_l.parquet", ONE, 1000);
    let (summary, _, reports) = site.compact(&Options {
        older_than: Duration::from_secs(3600),
        ..options()
    });
    assert_eq!(summary.n_faults, 1, "{reports}");
    assert!(
        reports.starts_with("day=1/002_h_l.parquet: was replaced"),
        "{reports}"
    );
    let mut rows = site.rows();
    rows.sort_unstable();
    assert_eq!(rows, (0..50).chain(1000..1010).collect::<Vec<_>>());
    assert_eq!(site.names().len(), 2);
}

#[test]
fn a_journal_that_nobody_understands_stops_its_partition_only() {
    let site = Site::with_files(5);
    fs::write(site.path("day=1/_compact-00.journal"), "{}").expect("written");
    for i in 0..5 {
        site.write(&format!("day=2/{i:03}_h_l.parquet"), ONE, i * ROWS);
    }
    let (summary, _, reports) = site.compact(&options());
    assert_eq!((summary.n_faults, summary.n_new), (1, 1));
    assert!(
        reports.starts_with("day=1/_compact-00.journal: "),
        "{reports}"
    );
    assert_eq!(site.names().len(), 6);
}

#[test]
fn groups_have_the_size_that_is_wanted() {
    let site = Site::with_files(10);
    let size = fs::metadata(site.path("day=1/000_h_l.parquet"))
        .expect("there")
        .len();
    let options = Options {
        target_size: size * 4 + size / 2,
        ..options()
    };
    let (summary, ..) = site.compact(&options);
    // Four, four and two.
    assert_eq!((summary.n_old, summary.n_new), (10, 3));
    assert_eq!(site.rows(), (0..100).collect::<Vec<_>>());
}
