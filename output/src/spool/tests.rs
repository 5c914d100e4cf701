//! What a spool keeps over kills: every message once, in files whose names and bytes do not change any more.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stdx::seed::Random;

use super::*;
use crate::courier::Pace;
use crate::destination::{Body, Destination, Failure, Outlook, Work};
use crate::directory::Directory;
use crate::runtime::{Patience, runtime};

struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        let queue = folder.path().join("queues/input");
        std::fs::create_dir_all(&queue).expect("made");
        std::fs::write(queue.join("5.log"), vec![0; 1 << 20]).expect("written");
        Site { folder }
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    fn options(&self) -> Options {
        Options {
            dir: self.path("batch"),
            journal: self.path("queues/lake.spool"),
            queues: Some(self.path("queues")),
            naming: Naming::Stamped,
            owner: Owner {
                host: "h".into(),
                pid: 1,
            },
            roll_size: 1000,
            roll_age_s: 3600,
            handles_max: 4,
            sync: false,
            frames: Frames::Lines,
            packing: Packing::None,
        }
    }

    fn courier(&self) -> Courier {
        let store = Arc::new(Directory::new(self.path("store")));
        let mut pace = Pace::default();
        pace.retry.first = Duration::from_millis(1);
        Courier::new(runtime().expect("threads"), store, pace)
    }

    fn open(&self, options: Options) -> (Spool, Recovery) {
        Spool::open(options, Some(self.courier())).expect("opened")
    }
}

fn place(offset: u64) -> Option<MessagePlace> {
    Some(MessagePlace {
        in_analysis: false,
        segment: 5,
        offset,
    })
}

/// All lines of all files below a folder, with how often each is there.
fn lines(folder: &Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if item.path().is_dir() {
                folders.push(item.path());
                continue;
            }
            let text = std::fs::read_to_string(item.path()).expect("text");
            for line in text.lines() {
                *counts.entry(line.to_owned()).or_default() += 1;
            }
        }
    }
    counts
}

fn wait(spool: &mut Spool) {
    let carrier = spool.carrier().expect("there is a store");
    let problems = carrier.wait(runtime().expect("threads"), &Patience::endless());
    assert_eq!(problems, []);
}

fn names(folder: &Path) -> Vec<String> {
    let items = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = items
        .map(|item| item.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Killed again and again in the middle, at every kind of place: each message is in the store exactly once.
#[test]
fn kills_neither_lose_nor_repeat_a_message() {
    const MESSAGES: u64 = 3000;
    let mut random = Random::from_seed(20_261_124);
    for sync in [false, true] {
        let site = Site::new();
        let options = Options {
            sync,
            ..site.options()
        };
        // What the engine has written down as delivered.
        let (mut delivered, mut at) = (0, 0);
        let (mut spool, _) = site.open(options.clone());
        while at < MESSAGES {
            let group = format!("g{}+x", random.below(9));
            let record = format!("message {at}\n");
            spool
                .write(&group, record.as_bytes(), place(at))
                .expect("written");
            at += 1;
            if random.one_in(40) {
                spool.tick(now_s(), random.one_in(5)).expect("committed");
                delivered = at - random.below(at - delivered + 1);
                spool.carrier().expect("a store").settle();
            }
            if random.one_in(100) {
                // What is in memory is gone; the engine goes on behind what it has written down.
                drop(spool);
                spool = site.open(options.clone()).0;
                at = delivered;
            }
        }
        spool.tick(now_s(), true).expect("finished");
        wait(&mut spool);
        let found = lines(&site.path("store"));
        assert_eq!(found.len(), MESSAGES as usize);
        let repeated: Vec<_> = found.iter().filter(|(_, n)| **n != 1).collect();
        assert!(repeated.is_empty(), "{repeated:?}");
        assert_eq!(names(&site.path("batch")), [""; 0]);
    }
}

#[test]
fn a_file_is_finished_after_the_whole_message_and_by_age() {
    let site = Site::new();
    let (mut spool, _) = site.open(site.options());
    // One message goes to three files, and fills the first.
    for (group, len) in [("a", 999), ("b", 9), ("a", 999)] {
        spool
            .write(group, &vec![b'x'; len], place(1))
            .expect("written");
    }
    assert_eq!(names(&site.path("batch")), ["a", "b"]);
    spool.write("b", b"y\n", place(2)).expect("written");
    let now = now_s();
    let found = names(&site.path("batch"));
    assert!(
        found.iter().any(|name| name == "b") && !found.iter().any(|name| name == "a"),
        "{found:?}"
    );
    assert_eq!(spool.growing(), 1);
    spool.tick(now + 3599, false).expect("not yet");
    assert_eq!(spool.growing(), 1);
    spool.tick(now + 3700, false).expect("due");
    assert_eq!(spool.growing(), 0);
    wait(&mut spool);
    assert_eq!(spool.carrier().map(|carrier| carrier.carried()), Some(2));
    assert_eq!(names(&site.path("store")), ["a", "b"]);
}

#[test]
fn what_was_finished_and_not_carried_is_carried_at_the_next_start_under_the_same_key() {
    let site = Site::new();
    let (mut spool, _) = Spool::open(site.options(), None).expect("opened");
    spool.write("a", b"one\n", place(1)).expect("written");
    spool.tick(now_s(), true).expect("finished");
    drop(spool);
    let [done] = &names(&site.path("batch"))[..] else {
        panic!("one file is finished");
    };
    let (mut spool, recovery) = site.open(site.options());
    assert_eq!(recovery.carried, 1);
    wait(&mut spool);
    let key = done.replace('+', "/").replace(".done", "");
    assert_eq!(
        std::fs::read(site.path("store").join(key)).expect("it is there"),
        b"one\n"
    );
    // A message that comes again is known.
    spool.write("a", b"one\n", place(1)).expect("left out");
    assert_eq!(spool.growing(), 0);
}

#[test]
fn names_differ_though_the_clock_is_put_back_and_the_program_starts_anew() {
    let site = Site::new();
    let mut seen = std::collections::HashSet::new();
    for n in 0..5 {
        let (mut spool, _) = Spool::open(site.options(), None).expect("opened");
        for _ in 0..3 {
            assert!(seen.insert(spool.next_stamp(1000 - n)));
        }
        spool.is_dirty = true;
        spool.commit().expect("committed");
    }
}

#[test]
fn queues_that_begin_anew_make_the_journals_places_void() {
    let site = Site::new();
    let (mut spool, _) = Spool::open(site.options(), None).expect("opened");
    spool.write("a", b"one\n", place(100)).expect("written");
    spool.commit().expect("committed");
    spool.write("a", b"two\n", place(200)).expect("written");
    drop(spool);
    std::fs::write(site.path("batch/a"), "one\ntwo\nthr").expect("written");
    std::fs::remove_file(site.path("queues/input/5.log")).expect("removed");
    std::fs::write(site.path("queues/input/0.log"), "x").expect("written");
    let (mut spool, recovery) = Spool::open(site.options(), None).expect("opened");
    assert!(
        recovery.reports[0].contains("not those of the journal"),
        "{recovery:?}"
    );
    spool.write("a", b"three\n", place(100)).expect("written");
    spool.commit().expect("committed");
    let found = std::fs::read_to_string(site.path("batch/a")).expect("there");
    assert_eq!(found, "one\ntwo\nthree\n");
}

#[test]
fn files_of_others_are_finished_or_left_alone_as_the_naming_says() {
    let site = Site::new();
    std::fs::create_dir_all(site.path("batch")).expect("made");
    for (name, text) in [
        ("in+20261101+000000.0_h_1", "whole\nto"),
        ("in+20261101+000001.0_h_1", ""),
        ("foreign", "stays\n"),
        ("in+20261101+000002.0_h_1.done", "x\n"),
        ("in+20261101+000002.0_h_1.done.zst.tmp", "half"),
        (".hidden", "y"),
    ] {
        std::fs::write(site.path("batch").join(name), text).expect("written");
    }
    let options = Options {
        naming: Naming::Dated(vec!["in".into()]),
        ..site.options()
    };
    let (mut spool, recovery) = site.open(options);
    assert_eq!(recovery.carried, 2);
    wait(&mut spool);
    let expected = [".hidden", "foreign", "in+20261101+000000.0_h_1.torn"];
    assert_eq!(names(&site.path("batch")), expected);
    assert_eq!(lines(&site.path("store")).len(), 2);
}

#[test]
fn handles_and_memory_are_bounded_with_many_files() {
    let site = Site::new();
    let (mut spool, _) = Spool::open(site.options(), None).expect("opened");
    for n in 0..3000_u64 {
        let group = format!("group {}", n % 100);
        spool
            .write(&group, format!("{n}\n").as_bytes(), place(n))
            .expect("written");
        assert!(spool.handles() <= 4);
    }
    assert_eq!(spool.growing(), 100);
    // Four buffers, and some words for each file.
    assert!(
        spool.memory() < 4 * BUFFER + 100 * 400,
        "{}",
        spool.memory()
    );
    spool.commit().expect("committed");
    assert_eq!(lines(&site.path("batch")).len(), 3000);
}

#[test]
fn too_many_files_are_finished_early() {
    let site = Site::new();
    let (mut spool, _) = Spool::open(site.options(), None).expect("opened");
    for n in 0..=PARTS_MAX as u64 {
        spool
            .write(&n.to_string(), b"x\n", place(n))
            .expect("written");
    }
    assert!(spool.growing() <= PARTS_MAX - PARTS_MAX / EARLY_SHARE + 1);
}

#[test]
fn objects_are_compressed_on_their_way() {
    for (packing, ending) in [(Packing::Gzip, ".gz"), (Packing::Zstd, ".zst")] {
        let site = Site::new();
        let options = Options {
            packing,
            ..site.options()
        };
        let (mut spool, _) = site.open(options);
        spool.write("a", b"one\n", place(1)).expect("written");
        spool.tick(now_s(), true).expect("finished");
        wait(&mut spool);
        assert_eq!(names(&site.path("batch")), [""; 0]);
        let [name] = &names(&site.path("store/a"))[..] else {
            panic!("one object");
        };
        assert!(name.ends_with(ending), "{name}");
    }
}

/// Does not want what has a certain word in its key.
struct Choosy(Directory);

impl Destination for Choosy {
    fn put<'a>(&'a self, key: &'a str, body: &'a Body) -> Work<'a, ()> {
        match key.contains("huge") {
            true => Box::pin(async { Err(Failure::refused("EntityTooLarge (400)")) }),
            false => self.0.put(key, body),
        }
    }
}

#[test]
fn what_the_store_does_not_want_is_set_aside_with_the_reason() {
    for packing in [Packing::None, Packing::Zstd] {
        let site = Site::new();
        let options = || Options {
            packing,
            ..site.options()
        };
        let store = Arc::new(Choosy(Directory::new(site.path("store"))));
        let pace = Pace {
            gives_up: Outlook::Refused,
            ..Pace::default()
        };
        let courier = || Courier::new(runtime().expect("threads"), store.clone(), pace.clone());
        let (mut spool, _) = Spool::open(options(), Some(courier())).expect("opened");
        for (n, group) in (0..).zip(["huge", "small"]) {
            spool.write(group, b"one\n", place(n)).expect("written");
        }
        spool.tick(now_s(), true).expect("finished");
        let carrier = spool.carrier().expect("there is a store");
        let problems = carrier.wait(runtime().expect("threads"), &Patience::endless());
        let [Problem::Refused(path, reason)] = &problems[..] else {
            panic!("one is refused: {problems:?}");
        };
        assert_eq!(reason, "EntityTooLarge (400)");
        assert_eq!(std::fs::read(path).expect("kept"), b"one\n");
        assert_eq!((carrier.refused(), carrier.carried()), (1, 1));
        assert_eq!(names(&site.path("batch")), [REFUSED]);
        let kept = names(&site.path("batch/refused"));
        assert_eq!(kept.len(), 2, "{kept:?}");
        let told = std::fs::read_to_string(format!("{path}.reason"));
        assert_eq!(told.expect("kept"), *reason);
        // The next run leaves it there.
        drop(spool);
        let (mut spool, _) = Spool::open(options(), Some(courier())).expect("opened");
        wait(&mut spool);
        assert_eq!(names(&site.path("batch/refused")), kept);
    }
}

#[test]
fn names_that_no_file_can_have_are_refused() {
    let site = Site::new();
    let (mut spool, _) = Spool::open(site.options(), None).expect("opened");
    for bad in ["", ".x", "a/b", "a\nb", "\0", &"x".repeat(240)] {
        assert!(
            !spool.fits(bad) && spool.write(bad, b"x", place(1)).is_err(),
            "{bad:?}"
        );
    }
    assert_eq!(names(&site.path("batch")), [""; 0]);
}

/// As the first test, for files that somebody else makes whole: a row is in memory until then.
#[test]
fn kills_neither_lose_nor_repeat_what_is_in_whole_files() {
    const MESSAGES: u64 = 3000;
    let mut random = Random::from_seed(20_261_125);
    let site = Site::new();
    let options = Options {
        naming: Naming::Whole {
            part: ".part".into(),
            ending: ".txt".into(),
        },
        frames: Frames::None,
        ..site.options()
    };
    let (mut delivered, mut at) = (0, 0);
    let (mut spool, _) = site.open(options.clone());
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    while at <= MESSAGES {
        if random.one_in(40) || at == MESSAGES {
            let mut files = Vec::new();
            for (group, text) in std::mem::take(&mut rows) {
                std::fs::write(site.path("batch").join(format!("{group}.part")), text)
                    .expect("written");
                files.push((format!("{group}.part"), group));
            }
            if random.one_in(3) && at < MESSAGES {
                // Killed before the files are the spool's.
                spool = site.open(options.clone()).0;
                at = delivered;
                continue;
            }
            spool.keep(&files).expect("kept");
            let is_end = at == MESSAGES;
            delivered = at
                - if is_end {
                    0
                } else {
                    random.below(at - delivered + 1)
                };
            spool.carrier().expect("a store").settle();
            if is_end {
                break;
            }
        }
        if !spool.is_known(place(at)) {
            let group = format!("g{}+x", random.below(9));
            *rows.entry(group).or_default() += &format!("message {at}\n");
            spool.note(place(at));
        }
        at += 1;
        if random.one_in(100) {
            rows.clear();
            drop(spool);
            spool = site.open(options.clone()).0;
            at = delivered;
        }
    }
    wait(&mut spool);
    let found = lines(&site.path("store"));
    assert_eq!(found.len(), MESSAGES as usize);
    assert!(found.values().all(|n| *n == 1), "{found:?}");
    assert_eq!(names(&site.path("batch")), [""; 0]);
    let keys = names(&site.path("store/g0/x"));
    assert!(keys.iter().all(|key| key.ends_with("_h.txt")), "{keys:?}");
}

#[test]
fn a_kill_between_the_journal_and_the_last_name_keeps_the_file() {
    let site = Site::new();
    let options = Options {
        naming: Naming::Whole {
            part: "+p.part".into(),
            ending: ".x".into(),
        },
        frames: Frames::None,
        ..site.options()
    };
    let (mut spool, _) = Spool::open(options.clone(), None).expect("opened");
    std::fs::write(site.path("batch/a+p.part"), "one\n").expect("written");
    spool.note(place(1));
    let done = Done {
        size: 4,
        name: "a+p.part".into(),
        done: "a+1_0_h.done".into(),
    };
    spool.write_down(vec![done]).expect("written");
    drop(spool);
    std::fs::write(site.path("batch/b+p.part"), "half").expect("written");
    let (spool, _) = Spool::open(options, None).expect("opened");
    assert_eq!(names(&site.path("batch")), ["a+1_0_h.done"]);
    assert!(spool.is_known(place(1)) && !spool.is_known(place(2)));
}
