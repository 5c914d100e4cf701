//! What batches promise: when they end, that each message gets an answer, and that they are the same after a crash.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use super::*;
use crate::destination::{Failure, Work};
use crate::runtime::runtime;

/// Keeps batches by their keys; refuses those with a bad record, and says what was planned before.
#[derive(Default)]
struct Keeper {
    plan: Mutex<VecDeque<Failure>>,
    kept: Mutex<BTreeMap<String, Vec<u8>>>,
    calls: Mutex<usize>,
}

impl Destination for Keeper {
    fn put<'a>(&'a self, key: &'a str, body: &'a Body) -> Work<'a, ()> {
        Box::pin(async move {
            *self.calls.lock().expect("no panics") += 1;
            if let Some(failure) = self.plan.lock().expect("no panics").pop_front() {
                return Err(failure);
            }
            let Body::Bytes(bytes) = body else {
                panic!("batches lie in memory");
            };
            if bytes.contains(&b'!') {
                return Err(Failure::refused("not with me"));
            }
            let mut kept = self.kept.lock().expect("no panics");
            let before = kept.insert(key.to_owned(), bytes.to_vec());
            assert!(
                before.is_none_or(|before| before == **bytes),
                "{key} is another batch"
            );
            Ok(())
        })
    }
}

fn pace() -> Pace {
    let mut pace = Pace {
        gives_up: Outlook::Refused,
        ..Pace::default()
    };
    pace.retry.first = Duration::from_millis(1);
    pace
}

fn options(size: usize, count: usize) -> Options {
    Options {
        limits: Limits {
            size,
            count,
            age: Duration::MAX,
        },
        stream: "host/plugin/".into(),
        keeps_originals: true,
        ..Options::default()
    }
}

fn batches(keeper: &Arc<Keeper>, pace: Pace, options: Options) -> Batches {
    let runtime = runtime().expect("threads");
    Batches::new(runtime, keeper.clone(), pace, options).expect("made")
}

fn add(batches: &mut Batches, offset: u64, record: &[u8]) {
    let place = MessagePlace {
        in_analysis: false,
        segment: 0,
        offset,
    };
    let message = format!("message {offset}");
    batches.add(
        record,
        Origin {
            sequence: offset + 1,
            place: Some(place),
            message: message.as_bytes(),
        },
    );
}

/// Waits until all that is under way has an answer.
fn settle(batches: &mut Batches) -> Answers {
    runtime()
        .expect("threads")
        .block_on(async { while batches.next().await {} });
    let mut answers = batches.take_answers();
    answers.done.sort_unstable();
    answers
}

fn bodies(keeper: &Keeper) -> Vec<String> {
    let kept = keeper.kept.lock().expect("no panics");
    let text = |body: &Vec<u8>| String::from_utf8_lossy(body).into_owned();
    kept.values().map(text).collect()
}

#[test]
fn a_batch_ends_by_size_count_and_by_order() {
    let keeper = Arc::new(Keeper::default());
    let mut batches = batches(&keeper, pace(), options(10, 3));
    for (n, record) in ["aaaa", "bbbb", "cccc", "d", "e", "ffffffffffffff", "g", ""]
        .iter()
        .enumerate()
    {
        add(&mut batches, n as u64, record.as_bytes());
    }
    assert_eq!(batches.pending(), 7);
    batches.seal_early();
    let answers = settle(&mut batches);
    assert_eq!(answers.done, (1..=8).map(|n| (n, true)).collect::<Vec<_>>());
    assert_eq!(
        bodies(&keeper),
        ["aaaabbbb", "ccccde", "ffffffffffffff", "g"]
    );
    let kept = keeper.kept.lock().expect("no panics");
    let first = kept.keys().next().expect("four");
    assert!(first.starts_with("host/plugin/i0.0-0.1_"), "{first}");
    assert_eq!((batches.pending(), batches.counts()), (0, (7, 0)));
    assert!(batches.memory() < 200, "{}", batches.memory());
}

#[test]
fn a_refused_batch_gives_up_only_what_is_refused_alone() {
    let keeper = Arc::new(Keeper::default());
    let mut batches = batches(&keeper, pace(), options(1000, 8));
    for n in 0..8 {
        add(&mut batches, n, if n == 5 { b"!" } else { b"x" });
    }
    let answers = settle(&mut batches);
    let expected: Vec<(u64, bool)> = (1..=8).map(|n| (n, n != 6)).collect();
    assert_eq!(answers.done, expected);
    let letter = Letter {
        message: b"message 5".to_vec(),
        reason: "not with me".into(),
    };
    assert_eq!(answers.letters, [letter]);
    // All, both halves, the halves of the bad one, and once more.
    assert_eq!(*keeper.calls.lock().expect("no panics"), 7);
    assert_eq!(batches.counts(), (7, 1));
}

#[test]
fn what_may_be_put_right_is_tried_until_it_is() {
    let keeper = Arc::new(Keeper::default());
    let plan = [
        Failure::passing("busy"),
        Failure::lasting("403"),
        Failure::lasting("403"),
    ];
    keeper.plan.lock().expect("no panics").extend(plan);
    let mut batches = batches(&keeper, pace(), options(1000, 1));
    add(&mut batches, 0, b"x");
    assert_eq!(settle(&mut batches).done, [(1, true)]);
    let troubles = batches.troubles();
    assert_eq!((troubles.count, troubles.lasts), (3, true));
    // Unless the pace gives it up; then the message stays without an answer.
    let impatient = Pace {
        gives_up: Outlook::Lasting,
        ..pace()
    };
    let plan = [Failure::lasting("nobody reads")];
    keeper.plan.lock().expect("no panics").extend(plan);
    let mut batches = self::batches(&keeper, impatient, options(1000, 1));
    add(&mut batches, 1, b"x");
    assert_eq!(settle(&mut batches).done, []);
    assert_eq!(batches.broken(), Some("nobody reads"));
}

#[test]
fn after_a_crash_batches_are_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let with_ends = || Options {
        ends: Some(folder.path().join("x.ends")),
        ..options(1000, 4)
    };
    let keeper = Arc::new(Keeper::default());
    let mut before = batches(&keeper, pace(), with_ends());
    for n in 0..11 {
        add(&mut before, n, b"x");
        if n == 5 {
            before.seal_early();
        }
    }
    settle(&mut before);
    let keys = |keeper: &Keeper| -> Vec<String> {
        let kept = keeper.kept.lock().expect("no panics");
        kept.keys().cloned().collect()
    };
    let first = keys(&keeper);
    assert_eq!(first.len(), 3, "{first:?}");
    // Nothing was acknowledged; the last batch, which was open, grows.
    let mut after = batches(&keeper, pace(), with_ends());
    for n in 0..14 {
        add(&mut after, n, b"x");
    }
    settle(&mut after);
    let second = keys(&keeper);
    assert_eq!(second.len(), 4, "{second:?}");
    assert!(first.iter().all(|key| second.contains(key)));
}

#[test]
fn only_so_many_batches_are_under_way_and_their_memory_is_counted() {
    let keeper = Arc::new(Keeper::default());
    let mut busy = Failure::passing("busy");
    busy.rest = Some(Duration::from_secs(3600));
    keeper.plan.lock().expect("no panics").push_back(busy);
    let one = Pace {
        concurrency: 1,
        ..pace()
    };
    let mut batches = batches(&keeper, one, options(1000, 1));
    let mut n = 0;
    while batches.has_room() {
        add(&mut batches, n, &[b'x'; 1000]);
        n += 1;
    }
    assert_eq!((n, batches.pending()), (2, 2));
    assert!(batches.memory() >= 4000, "{}", batches.memory());
}

#[test]
fn age_ends_a_batch_only_when_there_is_room() {
    let keeper = Arc::new(Keeper::default());
    let mut young = options(1000, 10);
    young.limits.age = Duration::ZERO;
    let mut batches = batches(&keeper, pace(), young);
    add(&mut batches, 0, b"x");
    batches.tick();
    assert_eq!(settle(&mut batches).done, [(1, true)]);
    assert_eq!(bodies(&keeper), ["x"]);
}
