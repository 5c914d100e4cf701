//! From the running engine to a snapshot of plain data.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use admin::Snapshot;
use admin::access::owners::Owners;
use admin::snapshot::{Condition, PluginState, QueueState, ReaderState};
use queue::{Position, Queue};
use sandbox::Kind;
use stdx::files::{Disk, RealDisk};

use crate::calendar::now_ns;
use crate::config::{KINDS, Plugin, kind_name};
use crate::engine::Engine;
use crate::statistics::Counts;

/// Longest `.err` file that is shown, bytes.
const ERROR_MAX: usize = 4 << 10;

/// Readers of one queue that a snapshot names.
const READERS_MAX: usize = 10_000;

/// Plugins of one kind that lie in its run directory but do not run.
type AtRest = BTreeMap<String, (Condition, Option<String>)>;

/// Makes snapshots, and remembers what need not be looked up each time.
pub struct Survey {
    owners: Arc<Owners>,
    started_ms: i64,
    /// What each run directory held when it was changed last.
    at_rest: HashMap<&'static str, (Option<SystemTime>, AtRest)>,
}

impl Survey {
    /// With these owners, from now on.
    pub fn new(owners: Arc<Owners>) -> Survey {
        Survey {
            owners,
            started_ms: now_ns() / 1_000_000,
            at_rest: HashMap::new(),
        }
    }

    /// The engine as it is now.
    pub fn take(&mut self, engine: &Engine) -> Snapshot {
        let config = &engine.shared.config;
        let (routed, routing) = engine.analysis.measured();
        let mut plugins = running(engine);
        for kind in KINDS {
            self.add_at_rest(&config.run_dir(kind), kind, &mut plugins);
        }
        let owners = self.owners.all();
        for plugin in plugins.values_mut() {
            plugin.owner = owners.get(&plugin.name).cloned();
            plugin.message_limit = config.max_message_size as u64;
        }
        Snapshot {
            at_ms: now_ns() / 1_000_000,
            started_ms: self.started_ms,
            hostname: config.hostname.clone(),
            pid: config.pid,
            analysis_threads: config.analysis_threads,
            routed,
            routing_ns: routing.as_nanos() as u64,
            can_load: config.sandbox_load_path.is_some(),
            queues: vec![
                queue_state("input", &engine.shared.input_queue, &config.output_path),
                queue_state(
                    "analysis",
                    &engine.shared.analysis_queue,
                    &config.output_path,
                ),
            ],
            plugins: plugins.into_values().collect(),
        }
    }

    /// Adds the plugins that have files in the run directory but do not run.
    fn add_at_rest(&mut self, dir: &Path, kind: Kind, plugins: &mut BTreeMap<String, PluginState>) {
        let word = kind_name(kind);
        let changed = std::fs::metadata(dir).and_then(|metadata| metadata.modified());
        let (seen, at_rest) = self.at_rest.entry(word).or_default();
        if changed.as_ref().ok() != seen.as_ref() {
            *at_rest = look_up(dir);
            *seen = changed.ok();
        }
        for (stem, (condition, error)) in &*at_rest {
            let name = format!("{word}.{stem}");
            plugins.entry(name.clone()).or_insert_with(|| PluginState {
                name,
                kind: word,
                condition: *condition,
                error: error.clone(),
                ..PluginState::default()
            });
        }
    }
}

fn look_up(dir: &Path) -> AtRest {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut found = AtRest::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let ending = path.extension().and_then(|ending| ending.to_str());
        let (Some(stem), Some(ending)) = (stem, ending) else {
            continue;
        };
        let (condition, error) = match ending {
            "cfg" => (Condition::Ended, None),
            "off" => (Condition::Stopped, None),
            "err" => {
                let bytes = std::fs::read(&path).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes[..bytes.len().min(ERROR_MAX)]);
                (Condition::Terminated, Some(text.trim().to_owned()))
            }
            _ => continue,
        };
        let entry = found.entry(stem.to_owned()).or_insert((condition, None));
        // An error says more than a configuration that is still there.
        if error.is_some() {
            *entry = (condition, error);
        }
    }
    found
}

fn running(engine: &Engine) -> BTreeMap<String, PluginState> {
    let shared = &engine.shared;
    let router = engine.analysis.places().0;
    let router_lag = shared.input_queue.lag_bytes(router);
    let inputs = engine.inputs.values().filter(|input| !input.has_ended());
    let inputs = inputs.map(|input| plugin_state(&input.config, &input.counts(), None));
    let analysis = engine.analysis.plugins();
    let analysis = analysis.iter().map(|plugin| {
        let lag = plugin.place().filter(|place| *place != router);
        let lag = lag.map_or(router_lag, |place| shared.input_queue.lag_bytes(place));
        plugin_state(plugin.config(), &plugin.statistics.snapshot(), Some(lag))
    });
    let outputs = engine.outputs.values().map(|output| {
        let (places, reads) = (output.places(), output.config.read_queue);
        let lag = |reads: bool, queue: &Queue, place: Position| match reads {
            true => queue.lag_bytes(place),
            false => 0,
        };
        let input = lag(reads.reads_input(), &shared.input_queue, places.input);
        let analysis = lag(
            reads.reads_analysis(),
            &shared.analysis_queue,
            places.analysis,
        );
        let counts = output.statistics.snapshot();
        plugin_state(
            &output.config,
            &counts,
            Some(input.saturating_add(analysis)),
        )
    });
    let all = inputs.chain(analysis).chain(outputs);
    all.map(|plugin| (plugin.name.clone(), plugin)).collect()
}

fn plugin_state(config: &Plugin, counts: &Counts, lag_bytes: Option<u64>) -> PluginState {
    let settings = &config.settings;
    PluginState {
        name: config.name.clone(),
        kind: kind_name(config.kind),
        condition: Condition::Running,
        error: None,
        owner: None,
        matcher: config.message_matcher.clone(),
        ticker_s: settings.ticker_interval_s,
        injects: counts.injects,
        inject_bytes: counts.inject_bytes,
        messages: counts.messages,
        failures: counts.failures,
        memory: counts.memory,
        memory_max: counts.memory_max,
        memory_limit: settings.memory_limit as u64,
        output_max: counts.output_max,
        output_limit: settings.output_limit as u64,
        // That of the main configuration, set for all.
        message_limit: 0,
        instructions_max: counts.instructions_max,
        instruction_limit: settings.instruction_limit,
        matching_ns: [finite(counts.matching.mean()), finite(counts.matching.sd())],
        processing_ns: [
            finite(counts.processing.mean()),
            finite(counts.processing.sd()),
        ],
        timing_ns: [finite(counts.timing.mean()), finite(counts.timing.sd())],
        matching_total_ns: counts.matching_total.as_nanos() as u64,
        processing_total_ns: counts.processing_total.as_nanos() as u64,
        timing_total_ns: counts.timing_total.as_nanos() as u64,
        lag_bytes,
    }
}

/// JSON has no number for what nothing was measured of.
fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

fn queue_state(name: &str, queue: &Queue, path: &Path) -> QueueState {
    let state = queue.state();
    let readers = state.readers.into_iter().take(READERS_MAX);
    QueueState {
        name: name.into(),
        segments: state.n_segments,
        bytes: state.bytes,
        appended: state.appended.to_string(),
        blocked: state.blocked.map(|blocked| blocked.to_string()),
        disk_free: RealDisk.free_space(path).ok(),
        readers: readers
            .map(|reader| ReaderState {
                name: reader.name,
                lag_bytes: reader.lag_bytes,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_at_rest_are_told_from_their_files() {
        let dir = tempfile::tempdir().expect("a directory");
        let put = |name: &str, text: &str| {
            std::fs::write(dir.path().join(name), text).expect("written");
        };
        put("a.cfg", "");
        put("b.off", "");
        put("c.cfg", "");
        put("c.err", "2026-01-01T00:00:00\tboom\n");
        put("c.lua", "");
        let found = look_up(dir.path());
        let condition = |stem: &str| found[stem].0;
        assert_eq!(condition("a"), Condition::Ended);
        assert_eq!(condition("b"), Condition::Stopped);
        assert_eq!(condition("c"), Condition::Terminated);
        assert_eq!(found["c"].1.as_deref(), Some("2026-01-01T00:00:00\tboom"));
        assert_eq!(found.len(), 3);
    }
}
