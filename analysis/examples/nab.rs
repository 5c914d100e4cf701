//! Scores detectors on the Numenta Anomaly Benchmark: `cargo run --release -p foresight-analysis --example nab -- PATH`.
//!
//! PATH is a copy of <https://github.com/numenta/NAB>, which who runs this fetches. The rules are those of the benchmark
//! (A. Lavin, S. Ahmad, "Evaluating real-time anomaly detection algorithms", 2015): a window counts once, by its first
//! detection, the more the earlier that is; a detection outside costs more the further it is behind the last window; the
//! first 15 % of a series, at most 750 values, do not count. A score of 0 is that of a detector that finds nothing, 100 that
//! of one that finds everything at once and nothing else. With `--tune` the parameters are searched for on the artificial and
//! AWS groups, and only there.

use std::collections::BTreeMap;
use std::path::Path;

use analysis::detector::{Detector, Kind};

/// Weights of a true positive's absence and of a false positive, by profile.
const PROFILES: [(&str, f64, f64); 3] = [
    ("standard", 1.0, 0.11),
    ("reward low FP rate", 1.0, 0.22),
    ("reward low FN rate", 2.0, 0.11),
];

/// The groups that parameters are searched for on.
const TUNED_ON: [&str; 3] = [
    "artificialNoAnomaly",
    "artificialWithAnomaly",
    "realAWSCloudwatch",
];

struct Series {
    group: String,
    name: String,
    rows: Vec<(i64, f64)>,
    /// First and last row of each window.
    windows: Vec<(usize, usize)>,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("the path of a copy of numenta/NAB");
    let all = load(Path::new(&path));
    if arguments.next().as_deref() == Some("--tune") {
        return tune(&all);
    }
    let found: Vec<Vec<usize>> = all.iter().map(|s| detections(s, SETTINGS)).collect();
    for (profile, fn_weight, fp_weight) in PROFILES {
        let mut groups: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for (series, rows) in all.iter().zip(&found) {
            let entry = groups.entry(&series.group).or_default();
            entry.0 += score(series, rows, fn_weight, fp_weight);
            entry.1 += series.windows.len() as f64;
        }
        let total = groups
            .values()
            .fold((0.0, 0.0), |t, g| (t.0 + g.0, t.1 + g.1));
        println!("{profile}: {:.2}", normalised(total, fn_weight));
        for (group, parts) in groups.iter().filter(|(_, parts)| parts.1 > 0.0) {
            println!("    {group}: {:.2}", normalised(*parts, fn_weight));
        }
    }
}

/// From the sum of what series scored and the number of their windows.
fn normalised((sum, n_windows): (f64, f64), fn_weight: f64) -> f64 {
    let nothing = -fn_weight * n_windows;
    100.0 * (sum - nothing) / (n_windows - nothing)
}

/// A name such as `seasonal.threshold`, and its value.
type Setting = (&'static str, f64);

/// What was found by `--tune`; the other parameters are the defaults.
const SETTINGS: &[Setting] = &[
    ("refractory", 60_000.0),
    ("likelihood.zeros", 2.5),
    ("likelihood.forecast", 1.0),
    ("seasonal.threshold", 6.0),
    ("seasonal.smooth", 24.0),
    ("seasonal.floor", 0.05),
];

/// Kinds that take part unless their threshold is this, in the order of their names here.
const MEMBERS: [(&str, &str); 5] = [
    ("likelihood", "zeros"),
    ("seasonal", "threshold"),
    ("robust", "threshold"),
    ("rate", "threshold"),
    ("cusum", "threshold"),
];
const OFF: f64 = 0.0;

/// A consensus of which each member can give the alert. None of the series is long enough for a weekly season.
fn make(set: &[Setting]) -> Detector {
    let mut members = Vec::new();
    for (name, threshold) in MEMBERS {
        let kind = Kind::find(name.as_bytes()).expect("a kind");
        let setting = |param: &str| {
            let full = format!("{name}.{param}");
            set.iter().find(|(name, _)| *name == full).map(|s| s.1)
        };
        if setting(threshold).is_none_or(|value| value == OFF) {
            continue;
        }
        let params = kind.all_params().map(|param| match param.name {
            "refractory" => 0.0,
            "season" => 86_400.0,
            own => setting(own).unwrap_or(param.default),
        });
        let detector = Detector::new(kind, params.collect());
        members.push(detector.unwrap_or_else(|text| panic!("{text}")));
    }
    let refractory = set.iter().find(|(name, _)| *name == "refractory");
    let refractory = refractory.map_or(43_200.0, |setting| setting.1);
    Detector::consensus(members, 1, 0.0, refractory).unwrap_or_else(|text| panic!("{text}"))
}

/// The rows at which an alert begins.
fn detections(series: &Series, set: &[Setting]) -> Vec<usize> {
    let mut detector = make(set);
    let rows = series.rows.iter().enumerate();
    rows.filter_map(|(i, &(ns, value))| detector.add(ns, value).alert.then_some(i))
        .collect()
}

/// What a series adds to the sum of its profile.
fn score(series: &Series, found: &[usize], fn_weight: f64, fp_weight: f64) -> f64 {
    let n = series.rows.len();
    let probation = ((0.15 * n as f64).floor()).min(750.0) as usize;
    let sigmoid = |x: f64| {
        if x > 3.0 {
            -1.0
        } else {
            2.0 / (1.0 + (5.0 * x).exp()) - 1.0
        }
    };
    let mut of_windows = vec![-fn_weight; series.windows.len()];
    let mut sum = 0.0;
    for &row in found.iter().filter(|row| **row >= probation) {
        let inside = series
            .windows
            .iter()
            .position(|w| (w.0..=w.1).contains(&row));
        if let Some(i) = inside {
            let (first, last) = series.windows[i];
            let place = -((last - row + 1) as f64) / (last - first + 1) as f64;
            let value = sigmoid(place) / sigmoid(-1.0);
            of_windows[i] = f64::max(of_windows[i], value);
            continue;
        }
        let before = series.windows.iter().rev().find(|w| w.1 < row);
        let value = before.map_or(-1.0, |(first, last)| {
            sigmoid((row - last) as f64 / (last - first) as f64)
        });
        sum += fp_weight * value;
    }
    sum + of_windows.iter().sum::<f64>()
}

fn standard(all: &[&Series], set: &[Setting]) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for series in all {
        sum += score(series, &detections(series, set), 1.0, 0.11);
        n += series.windows.len() as f64;
    }
    normalised((sum, n), 1.0)
}

const GRID: [(&str, &[f64]); 20] = [
    ("refractory", &[2e4, 3e4, 4e4, 5e4, 6e4, 8e4, 1e5]),
    (
        "likelihood.zeros",
        &[OFF, 1.8, 2.2, 2.5, 2.8, 3.2, 4.0, 5.0, 7.0],
    ),
    ("seasonal.threshold", &[OFF, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0]),
    ("robust.threshold", &[OFF, 5.0, 7.0, 10.0, 15.0, 25.0, 40.0]),
    ("rate.threshold", &[OFF, 3.0, 5.0, 8.0, 12.0, 20.0]),
    ("cusum.threshold", &[OFF, 12.0, 20.0, 40.0, 80.0]),
    ("likelihood.forecast", &[1.0, 2.0, 3.0, 5.0, 12.0]),
    ("likelihood.short", &[2.0, 4.0, 6.0, 8.0, 10.0, 14.0, 20.0]),
    ("likelihood.long", &[1000.0, 2000.0, 4000.0]),
    ("likelihood.warmup", &[144.0, 288.0, 500.0]),
    ("seasonal.smooth", &[1.0, 6.0, 12.0, 24.0, 36.0, 48.0]),
    ("seasonal.floor", &[0.01, 0.05, 0.1]),
    ("seasonal.part", &[1800.0, 3600.0, 7200.0]),
    ("seasonal.seasons", &[2.0, 3.0, 4.0]),
    ("seasonal.weight", &[0.1, 0.3, 0.5]),
    ("robust.window", &[144.0, 288.0, 576.0, 1152.0]),
    ("rate.window", &[4.0, 8.0, 15.0, 30.0]),
    ("rate.history", &[120.0, 288.0, 576.0]),
    ("cusum.memory", &[288.0, 1000.0]),
    ("cusum.drift", &[0.5, 1.0, 1.5]),
];

/// Looks for settings by going from the best to a neighbour, one parameter at a time.
fn tune(all: &[Series]) {
    let is_own = |series: &&Series| TUNED_ON.contains(&series.group.as_str());
    let own: Vec<&Series> = all.iter().filter(is_own).collect();
    let mut set = SETTINGS.to_vec();
    let mut best = standard(&own, &set);
    println!("{best:.2} {set:?}");
    loop {
        let before = best;
        for (name, value) in GRID
            .iter()
            .flat_map(|(n, v)| v.iter().map(move |v| (*n, *v)))
        {
            let mut changed: Vec<_> = set.iter().copied().filter(|s| s.0 != name).collect();
            changed.push((name, value));
            let now = standard(&own, &changed);
            if now > best {
                (best, set) = (now, changed);
                println!("{best:.2} {set:?}");
            }
        }
        if best <= before {
            return;
        }
    }
}

fn load(path: &Path) -> Vec<Series> {
    let labels = std::fs::read(path.join("labels/combined_windows.json")).expect("labels");
    let labels: BTreeMap<String, Vec<[String; 2]>> = serde_json::from_slice(&labels).expect("JSON");
    let mut all = Vec::new();
    for (file, windows) in labels {
        let text = std::fs::read_to_string(path.join("data").join(&file)).expect("a series");
        let rows: Vec<(i64, f64)> = text.lines().skip(1).map(row).collect();
        let place = |text: &str| {
            let ns = time(text);
            rows.iter()
                .position(|row| row.0 == ns)
                .expect("a row of the window")
        };
        let (group, name) = file.split_once('/').expect("a group and a name");
        all.push(Series {
            group: group.to_owned(),
            name: name.to_owned(),
            windows: windows.iter().map(|[a, b]| (place(a), place(b))).collect(),
            rows,
        });
    }
    assert!(all.iter().all(|series| !series.name.is_empty()));
    all
}

fn row(line: &str) -> (i64, f64) {
    let (stamp, value) = line.split_once(',').expect("two columns");
    (time(stamp), value.trim().parse().expect("a number"))
}

/// Nanoseconds since 1970 of `2014-04-10 07:15:00`, with a fraction of zeros or without.
fn time(text: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| -> i64 { text[range].parse().expect("digits") };
    let (mut year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (hour, minute, second) = (number(11..13), number(14..16), number(17..19));
    if month <= 2 {
        year -= 1;
    }
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000_000
}
