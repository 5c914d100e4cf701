//! What routing costs per message with 100, 1,000 and 10,000 matchers, in nanoseconds.
//!
//! Four sets of matchers: each wants its own Type and field; all share the Type and differ in the field; a mix in
//! which one of fifty can only be evaluated; and all the same expression. The messages have 12 fields and a Type that
//! one matcher of the set wants (none in every second message). The message is parsed once, outside the measurement;
//! "asking all" evaluates every matcher instead of using the index. Caches are warm, and there is one thread: a live
//! router also reads memory that was written by others.
//!
//! Run with `cargo run --release -p foresight-matcher --example index_cost`; an argument sets the messages per row.

use std::hint::black_box;
use std::time::Instant;

use matcher::{Matcher, MatcherIndex, Scratch};
use schemas::message::{Field, Message};
use schemas::view::{Index, View};

/// Messages measured per row, if no argument says otherwise.
const MESSAGES: usize = 200_000;

/// A set of matchers, and the messages that they are asked about.
struct Set {
    name: &'static str,
    /// The expression of the matcher with this number.
    expression: fn(usize) -> String,
    /// The Type of a message that this matcher wants.
    wanted_type: fn(usize) -> String,
}

const SETS: [Set; 4] = [
    Set {
        name: "own Type, own field",
        expression: |n| format!("Type == 't{n}' && Fields[x] == {n}"),
        wanted_type: |n| format!("t{n}"),
    },
    Set {
        name: "same Type, own field",
        expression: |n| format!("Type == 't' && Fields[x] == {n}"),
        wanted_type: |_| "t".to_owned(),
    },
    Set {
        name: "1 of 50 unindexable",
        expression: |n| match n % 50 {
            49 => format!("Severity < 2 && Fields[name{n}] != 'v'"),
            _ => format!("Type == 't{n}' && Severity < 7 && Payload =~ '^GET'"),
        },
        wanted_type: |n| format!("t{n}"),
    },
    Set {
        name: "all the same",
        expression: |_| "Type == 'other' && Severity < 3".to_owned(),
        wanted_type: |_| "other".to_owned(),
    },
];

fn main() {
    let messages = std::env::args().nth(1).map_or(MESSAGES, |text| {
        text.parse().expect("the argument is a number of messages")
    });
    println!(
        "{:<22} {:>9} {:>10} {:>12} {:>10} {:>9}",
        "set", "matchers", "index ns", "asking all", "build ms", "matched"
    );
    for set in &SETS {
        for count in [100, 1_000, 10_000] {
            measure(set, count, messages);
        }
    }
}

fn measure(set: &Set, count: usize, messages: usize) {
    let parse = |n| Matcher::parse((set.expression)(n)).expect("well formed");
    let matchers: Vec<Matcher> = (0..count).map(parse).collect();
    let began = Instant::now();
    let index = MatcherIndex::build((0..).zip(&matchers));
    let build = began.elapsed();

    let encoded: Vec<Vec<u8>> = (0..64)
        .map(|n| message(set, n * 37 % count, n % 2 == 0))
        .collect();
    let parts: Vec<Index> = encoded.iter().map(|bytes| parsed(bytes)).collect();
    let views: Vec<View<'_>> = parts
        .iter()
        .zip(&encoded)
        .map(|(p, bytes)| p.view(bytes))
        .collect();

    let (mut scratch, mut out, mut matched) = (Scratch::default(), Vec::new(), 0);
    let with_index = nanoseconds(messages, |n| {
        index.matching(&views[n % views.len()], &mut scratch, &mut out);
        matched += out.len();
    });
    let asking_all = nanoseconds((messages / count).max(200), |n| {
        let wanted = matchers
            .iter()
            .filter(|matcher| matcher.matches(&views[n % views.len()]));
        black_box(wanted.count());
    });
    println!(
        "{:<22} {count:>9} {with_index:>10.0} {asking_all:>12.0} {:>10.1} {:>9.2}",
        set.name,
        build.as_secs_f64() * 1e3,
        matched as f64 / messages as f64,
    );
}

fn nanoseconds(count: usize, mut work: impl FnMut(usize)) -> f64 {
    let began = Instant::now();
    (0..count).for_each(&mut work);
    began.elapsed().as_secs_f64() * 1e9 / count as f64
}

fn parsed(bytes: &[u8]) -> Index {
    let mut parts = Index::default();
    parts.parse(bytes).expect("just encoded");
    parts
}

fn message(set: &Set, n: usize, wanted: bool) -> Vec<u8> {
    let mut message = Message::new([7; 16], 1_600_000_000_000_000_000);
    message.type_ = Some(
        if wanted {
            (set.wanted_type)(n)
        } else {
            "nobody".to_owned()
        }
        .into_bytes(),
    );
    message.logger = Some(b"input.tcp".to_vec());
    message.hostname = Some(b"web-7.example.org".to_vec());
    message.payload = Some(b"GET /index.html HTTP/1.1".to_vec());
    message.severity = Some(6);
    message.fields = (0..11)
        .map(|i| Field::string(&format!("field{i}"), "some value"))
        .collect();
    message.fields.insert(6, Field::integer("x", n as i64));
    message.to_bytes()
}
