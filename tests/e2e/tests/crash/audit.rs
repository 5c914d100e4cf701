//! Counts again, from the queues and the outputs, what must be there.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use e2e::{Site, field_number, frames};
use schemas::message::Message;

use crate::traffic::Scenario;

/// What the engine did, round by round.
#[derive(Default)]
pub struct Audit {
    /// Messages and seconds of each round.
    rounds: Vec<(f64, f64)>,
    queued: usize,
}

/// What a from-scratch count gives after each message of Type "num" in the input queue.
struct Recount {
    /// Place behind the message, and the numbers of the message: n, count, sum, jumps.
    steps: Vec<(Place, [f64; 4])>,
}

/// Segment and byte.
type Place = (u64, u64);

/// Messages that came more than once, per destination, and per crash in milliseconds of traffic.
pub struct Repeated {
    counts: Vec<(&'static str, f64)>,
    crashes: usize,
    rate_per_s: f64,
}

impl Repeated {
    /// The most that any destination got more than once.
    pub fn worst(&self) -> f64 {
        self.counts
            .iter()
            .map(|(_, count)| *count)
            .fold(0.0, f64::max)
    }
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} crashes at {:.0} messages/s; repeated:",
            self.crashes, self.rate_per_s
        )?;
        for (name, count) in &self.counts {
            let ms = count / self.rate_per_s * 1000.0 / self.crashes as f64;
            write!(f, " {name} {count} ({ms:.0} ms per crash)")?;
        }
        Ok(())
    }
}

impl Audit {
    /// Bytes that were ever in the input queue, as far as the newest segment tells.
    pub fn queued(&self, site: &Site, _scenario: &Scenario) -> u64 {
        let newest = segments(site, "input").pop();
        newest.map_or(0, |(id, path)| {
            (id << 32) + std::fs::metadata(path).map_or(0, |data| data.len())
        })
    }

    /// Looks at what a kill left behind.
    pub fn after_a_kill(&mut self, site: &Site, scenario: &Scenario, round: u64, lived: Duration) {
        // The kernel may have taken a part of the last write; only the next start can cut that off.
        let (_, garbage) =
            frames::split_before_torn(&std::fs::read(site.path("frames.heka")).unwrap_or_default());
        assert_eq!(
            garbage, 0,
            "round {round}: a torn frame of an earlier kill is still in an output"
        );
        let queue = read_queue(site, "input");
        let highest = queue
            .iter()
            .filter_map(|(_, message)| number(message, "n"))
            .fold(0.0, f64::max);
        let sent = highest - self.queued as f64;
        self.queued = highest as usize;
        self.rounds.push((sent, lived.as_secs_f64()));
        let recorded = site
            .checkpoint("input.numbers")
            .map_or(0.0, |text| text.parse().expect("a number"));
        assert!(
            recorded <= highest,
            "round {round}: the input's checkpoint is {recorded}, but the queue has numbers up to {highest} only"
        );
        if scenario.keeps_queues {
            let recount = Recount::new(&queue);
            for name in ["count", "silent"] {
                recount.check_state(site, &format!("analysis.{name}"), round);
            }
        }
    }

    /// How many messages the mean rate gives in this time, for each crash.
    pub fn messages_in(&self, time: Duration) -> f64 {
        self.rate() * time.as_secs_f64() * self.rounds.len() as f64
    }

    fn rate(&self) -> f64 {
        let (sent, lived) = self
            .rounds
            .iter()
            .fold((0.0, 0.0), |sum, round| (sum.0 + round.0, sum.1 + round.1));
        sent / lived
    }

    /// Everything was drained: nothing is missing anywhere.
    pub fn at_the_end(&self, site: &Site, scenario: &Scenario) -> Repeated {
        let highest = self.queued as u64;
        let lines = Lines::read(site);
        let in_frames = Lines::of_messages(&frames::messages(&site.path("frames.heka")));
        let mut counts = vec![
            ("lines", lines.check("lines", highest)),
            ("frames", in_frames.check("frames.heka", highest)),
            ("keeper", check_kept(site, highest)),
        ];
        if scenario.keeps_queues {
            let queue = read_queue(site, "input");
            let again = queue.len() as f64 - highest as f64;
            counts.push(("input", again));
            let recount = Recount::new(&queue);
            for name in ["count", "silent"] {
                recount.check_state(site, &format!("analysis.{name}"), u64::MAX);
            }
            recount.check_counts(&lines.counts);
            recount.check_counts(&in_frames.counts);
        }
        Repeated {
            counts,
            crashes: self.rounds.len(),
            rate_per_s: self.rate(),
        }
    }
}

fn number(message: &Message, name: &str) -> Option<f64> {
    field_number(message, name)
}

/// The segments of a queue in order.
fn segments(site: &Site, queue: &str) -> Vec<(u64, std::path::PathBuf)> {
    let entries = std::fs::read_dir(site.path("output").join(queue))
        .into_iter()
        .flatten()
        .flatten();
    let id = |path: &std::path::Path| {
        path.file_name()?
            .to_str()?
            .strip_suffix(".log")?
            .parse()
            .ok()
    };
    let mut found: Vec<(u64, _)> = entries
        .filter_map(|entry| Some((id(&entry.path())?, entry.path())))
        .collect();
    found.sort();
    found
}

/// Each message of a queue with the place behind it. A torn end may stand there until the next start.
fn read_queue(site: &Site, queue: &str) -> Vec<(Place, Message)> {
    let mut found = Vec::new();
    for (id, path) in segments(site, queue) {
        let bytes = std::fs::read(&path).unwrap_or_default();
        for record in schemas::frame::records(&bytes) {
            let behind = record.offset + record.framed.len();
            let message =
                Message::decode(record.message).expect("a frame of the queue holds a message");
            found.push(((id, behind as u64), message));
        }
    }
    found
}

impl Recount {
    fn new(queue: &[(Place, Message)]) -> Recount {
        let (mut count, mut sum, mut last, mut jumps) = (0.0, 0.0f64, 0.0, 0.0);
        let mut seen = 0.0;
        let steps = queue.iter().filter_map(|(place, message)| {
            let n = number(message, "n")?;
            assert!(
                n <= seen + 1.0,
                "the queue goes from {seen} to {n}: messages are lost"
            );
            seen = n.max(seen);
            count += 1.0;
            sum = (sum + n * count) % (1u64 << 40) as f64;
            if n != last + 1.0 {
                jumps += 1.0;
            }
            last = n;
            Some((*place, [n, count, sum, jumps]))
        });
        Recount {
            steps: steps.collect(),
        }
    }

    /// What a plugin that has read everything before `place` must have counted.
    fn at(&self, place: Place) -> [f64; 4] {
        let after = self.steps.partition_point(|(behind, _)| *behind <= place);
        after
            .checked_sub(1)
            .map_or([0.0; 4], |last| self.steps[last].1)
    }

    /// The state on disk is exactly that of the place it names.
    fn check_state(&self, site: &Site, plugin: &str, round: u64) {
        let Some(state) = State::read(site, plugin) else {
            return;
        };
        let place = state
            .place
            .unwrap_or_else(|| panic!("{plugin}: the state names no place"));
        let [n, count, sum, jumps] = self.at(place);
        let found = ["last", "count", "sum", "jumps"].map(|name| state.number(name));
        assert_eq!(
            found,
            [n, count, sum, jumps],
            "round {round}: {plugin} at {place:?}: n, count, sum, jumps"
        );
    }

    /// Every running figure arrived, and each that arrived is right however often it came.
    fn check_counts(&self, found: &BTreeMap<u64, (u64, u64)>) {
        for (_, [_, count, sum, _]) in &self.steps {
            let Some((found, _)) = found.get(&(*count as u64)) else {
                panic!("count {count} never arrived")
            };
            assert_eq!(
                *found, *sum as u64,
                "count {count} has another sum than a recount gives"
            );
        }
        assert_eq!(
            found.len(),
            self.steps.len(),
            "more figures arrived than there are messages"
        );
    }
}

/// A `.data` file.
struct State {
    text: String,
    place: Option<Place>,
}

impl State {
    fn read(site: &Site, plugin: &str) -> Option<State> {
        let path = format!("output/{plugin}.data");
        if !site.exists(&path) {
            return None;
        }
        let text = site.read(&path);
        let place = text
            .lines()
            .take_while(|line| line.starts_with("--"))
            .find_map(|line| {
                let word = line
                    .rsplit([' ', '\'', '"'])
                    .find(|word| word.contains(':'))?;
                let (segment, offset) = word.split_once(':')?;
                Some((segment.parse().ok()?, offset.parse().ok()?))
            });
        Some(State { text, place })
    }

    fn number(&self, name: &str) -> f64 {
        let start = format!("_G[\"{name}\"] = ");
        let line = self.text.lines().find_map(|line| line.strip_prefix(&start));
        line.and_then(|text| text.parse().ok())
            .unwrap_or_else(|| panic!("no {name} in\n{}", self.text))
    }
}

/// What an output got: how often each number, and each running count with its sum.
struct Lines {
    numbers: BTreeMap<u64, u64>,
    counts: BTreeMap<u64, (u64, u64)>,
}

impl Lines {
    fn read(site: &Site) -> Lines {
        let text = site.read("lines");
        Lines::of(text.lines())
    }

    fn of_messages(messages: &[Message]) -> Lines {
        let payload = |message: &Message| {
            String::from_utf8_lossy(message.payload.as_deref().unwrap_or_default()).into_owned()
        };
        let payloads: Vec<String> = messages.iter().map(payload).collect();
        Lines::of(payloads.iter().map(String::as_str))
    }

    fn of<'l>(lines: impl Iterator<Item = &'l str>) -> Lines {
        let mut found = Lines {
            numbers: BTreeMap::new(),
            counts: BTreeMap::new(),
        };
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            let parse = |word: &str| {
                word.parse::<f64>()
                    .unwrap_or_else(|_| panic!("a torn line: {line:?}")) as u64
            };
            match words.as_slice() {
                ["num", n] => *found.numbers.entry(parse(n)).or_default() += 1,
                ["count", count, sum] => {
                    let entry = found.counts.entry(parse(count)).or_insert((parse(sum), 0));
                    assert_eq!(entry.0, parse(sum), "count {count} came with two sums");
                    entry.1 += 1;
                }
                _ => panic!("a torn line: {line:?}"),
            }
        }
        found
    }

    /// Every number is there; how many came more than once.
    fn check(&self, name: &str, highest: u64) -> f64 {
        let missing: Vec<u64> = (1..=highest)
            .filter(|n| !self.numbers.contains_key(n))
            .take(10)
            .collect();
        assert!(
            missing.is_empty(),
            "{name}: {missing:?} of {highest} (and perhaps more) are lost"
        );
        let all: u64 = self.numbers.values().sum();
        (all - self.numbers.len() as u64) as f64
    }
}

/// The lines of the output with state: every number is there, and the count of each line is one that fits its state.
fn check_kept(site: &Site, highest: u64) -> f64 {
    let text = site.read("kept");
    let mut numbers = BTreeMap::new();
    let mut by_count: BTreeMap<u64, u64> = BTreeMap::new();
    for line in text.lines() {
        let parts: Vec<u64> = line
            .split(' ')
            .map(|word| word.parse().unwrap_or_else(|_| panic!("torn: {line:?}")))
            .collect();
        let [count, n] = parts[..] else {
            panic!("torn: {line:?}")
        };
        *numbers.entry(n).or_insert(0u64) += 1;
        // The same count means the same message, however often it was delivered.
        assert_eq!(
            *by_count.entry(count).or_insert(n),
            n,
            "kept: count {count} stands for two messages"
        );
    }
    let missing: Vec<u64> = (1..=highest)
        .filter(|n| !numbers.contains_key(n))
        .take(10)
        .collect();
    assert!(
        missing.is_empty(),
        "kept: {missing:?} of {highest} (and perhaps more) are lost"
    );
    let counts: Vec<u64> = by_count.keys().copied().collect();
    assert!(
        counts
            .iter()
            .zip(1..)
            .all(|(found, expected)| *found == expected),
        "kept: a count is missing"
    );
    (text.lines().count() - numbers.len()) as f64
}
