//! What the engine and its plugins used over time: the last half hour finely, the last week coarsely, in bounded memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use serde::Serialize;

use crate::snapshot::{Condition, PluginState, Snapshot};

/// Time between two fine samples, milliseconds: that of the statistics files.
pub const FINE_MS: i64 = 6_000;

/// Fine samples that are kept: half an hour.
const FINE_MAX: usize = 300;

/// Time between two coarse samples, milliseconds.
pub const COARSE_MS: i64 = 600_000;

/// Coarse samples that are kept: a week.
const COARSE_MAX: usize = 1_008;

/// Plugins that are followed; with all samples they take about 10 MiB.
pub const PLUGINS_MAX: usize = 500;

/// The row of the engine as a whole.
pub const ENGINE: &str = "";

/// What is sampled, in the order of the values.
pub const VALUES: [&str; 4] = [
    "messages_per_s",
    "utilization_percent",
    "memory_bytes",
    "lag_bytes",
];

type Sample = [f32; VALUES.len()];

/// One resolution.
#[derive(Default)]
struct Ring {
    /// When the samples were taken, milliseconds since 1970.
    times: VecDeque<i64>,
    /// The samples by plugin, each as long as `times` or shorter: then the oldest are missing.
    rows: BTreeMap<String, VecDeque<Sample>>,
    /// The snapshot that the last sample was taken of.
    last: Option<Snapshot>,
}

/// All samples.
#[derive(Default)]
pub struct History {
    /// Guards both rings.
    rings: Mutex<(Ring, Ring)>,
}

/// A piece of the history for a page.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Series {
    /// When the samples were taken, milliseconds since 1970.
    pub times_ms: Vec<i64>,
    /// The name of each value.
    pub values: [&'static str; VALUES.len()],
    /// By plugin, a list for each value; `null` where there was no sample. The engine as a whole has no name.
    pub plugins: BTreeMap<String, Vec<Vec<Option<f32>>>>,
}

impl History {
    fn lock(&self) -> MutexGuard<'_, (Ring, Ring)> {
        self.rings.lock().expect("nothing panics under this lock")
    }

    /// Takes samples if it is time.
    pub fn take(&self, snapshot: &Snapshot) {
        let (fine, coarse) = &mut *self.lock();
        fine.take(snapshot, FINE_MS, FINE_MAX);
        coarse.take(snapshot, COARSE_MS, COARSE_MAX);
    }

    /// The samples of these plugins, or of all.
    pub fn series(&self, fine: bool, wanted: impl Fn(&str) -> bool) -> Series {
        let rings = self.lock();
        let ring = if fine { &rings.0 } else { &rings.1 };
        let plugins = ring.rows.iter().filter(|(name, _)| wanted(name));
        let plugins = plugins.map(|(name, samples)| {
            let missing = ring.times.len() - samples.len();
            let of_value = |value: usize| {
                let gap = std::iter::repeat_n(None, missing);
                let values = samples.iter().map(|sample| sample[value]);
                gap.chain(values.map(|value| Some(value).filter(|value| value.is_finite())))
                    .collect()
            };
            (name.clone(), (0..VALUES.len()).map(of_value).collect())
        });
        Series {
            times_ms: ring.times.iter().copied().collect(),
            values: VALUES,
            plugins: plugins.collect(),
        }
    }
}

impl Ring {
    fn take(&mut self, now: &Snapshot, every_ms: i64, max: usize) {
        let Some(last) = &self.last else {
            self.last = Some(now.clone());
            return;
        };
        let elapsed_ms = now.at_ms - last.at_ms;
        // A clock that was set back begins anew.
        if (0..every_ms - every_ms / 10).contains(&elapsed_ms) {
            return;
        }
        let seconds = elapsed_ms.max(1) as f64 / 1e3;
        let of_plugins = now.plugins.iter().take(PLUGINS_MAX);
        let mut samples: Vec<(&str, Sample)> = of_plugins
            .filter(|plugin| plugin.condition == Condition::Running)
            .map(|plugin| {
                let before = last.plugin_before(plugin);
                (plugin.name.as_str(), sample(before, plugin, seconds))
            })
            .collect();
        samples.push((ENGINE, whole(last, now, &samples, seconds)));
        self.times.push_back(now.at_ms);
        if self.times.len() > max {
            self.times.pop_front();
        }
        let n_times = self.times.len();
        for row in self.rows.values_mut() {
            row.push_back([f32::NAN; VALUES.len()]);
        }
        for (name, sample) in samples {
            let row = self.rows.entry(name.to_owned()).or_insert_with(|| {
                let mut row = VecDeque::new();
                row.push_back(sample);
                row
            });
            *row.back_mut().expect("a sample was just added") = sample;
        }
        for row in self.rows.values_mut() {
            row.drain(..row.len().saturating_sub(n_times));
        }
        self.rows
            .retain(|_, row| row.iter().any(|sample| sample[0].is_finite()));
        self.last = Some(now.clone());
    }
}

impl Snapshot {
    /// The same plugin in this earlier snapshot; names are in order.
    fn plugin_before(&self, plugin: &PluginState) -> Option<&PluginState> {
        let found = self
            .plugins
            .binary_search_by(|before| before.name.as_str().cmp(&plugin.name));
        found.ok().map(|at| &self.plugins[at])
    }
}

/// One plugin between two snapshots.
fn sample(before: Option<&PluginState>, now: &PluginState, seconds: f64) -> Sample {
    let (messages, busy) = before.map_or((0, 0), |before| (before.traffic(), before.busy_ns()));
    // A restart begins at 0.
    let rate = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now) as f64 / seconds;
    [
        rate(now.traffic(), messages) as f32,
        (rate(now.busy_ns(), busy) / 1e7) as f32,
        now.memory as f32,
        now.lag_bytes.unwrap_or(0) as f32,
    ]
}

/// The engine: messages that came in, the share of the analysis threads, all memory, the worst lag.
fn whole(last: &Snapshot, now: &Snapshot, samples: &[(&str, Sample)], seconds: f64) -> Sample {
    let of_kind = |kind: &'static str| {
        samples
            .iter()
            .filter(move |(name, _)| name.starts_with(kind))
    };
    let messages: f32 = of_kind("input.").map(|(_, sample)| sample[0]).sum();
    let busy: f32 = of_kind("analysis.").map(|(_, sample)| sample[1]).sum();
    let routing = now.routing_ns.saturating_sub(last.routing_ns) as f64 / 1e7 / seconds;
    let threads = now.analysis_threads.max(1) as f32;
    let memory = samples.iter().map(|(_, sample)| sample[2]).sum();
    let lag = samples
        .iter()
        .map(|(_, sample)| sample[3])
        .fold(0.0, f32::max);
    [messages, (busy + routing as f32) / threads, memory, lag]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(at_s: i64, injects: u64, names: &[&str]) -> Snapshot {
        let plugin = |name: &&str| PluginState {
            name: (*name).into(),
            kind: "input",
            injects,
            memory: 10,
            ..PluginState::default()
        };
        Snapshot {
            at_ms: at_s * 1000,
            analysis_threads: 1,
            plugins: names.iter().map(plugin).collect(),
            ..Snapshot::default()
        }
    }

    #[test]
    fn rates_are_those_between_two_samples() {
        let history = History::default();
        history.take(&snapshot(0, 100, &["input.a"]));
        history.take(&snapshot(2, 200, &["input.a"]));
        history.take(&snapshot(6, 700, &["input.a", "input.b"]));
        history.take(&snapshot(12, 60, &["input.b"]));
        let series = history.series(true, |_| true);
        assert_eq!(series.times_ms, [6_000, 12_000]);
        let messages = |name: &str| series.plugins[name][0].clone();
        assert_eq!(messages("input.a"), [Some(100.0), None]);
        // A plugin that was restarted counts from 0 again.
        assert_eq!(messages("input.b"), [Some(700.0 / 6.0), Some(10.0)]);
        assert_eq!(messages(ENGINE)[1], Some(10.0));
        assert!(history.series(false, |_| true).times_ms.is_empty());
    }

    #[test]
    fn samples_are_bounded() {
        let history = History::default();
        for n in 0..FINE_MAX as i64 + 10 {
            let name = format!("input.{}", n / 100);
            history.take(&snapshot(n * 6, 0, &[&name]));
        }
        let series = history.series(true, |name| name != ENGINE);
        assert_eq!(series.times_ms.len(), FINE_MAX);
        assert!(series.plugins.values().all(|row| row[0].len() == FINE_MAX));
        assert!(series.plugins.contains_key("input.0"));
    }
}
