//! All places, written aside and renamed: what is recorded is already in the kernel, so a crash repeats but never loses.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use queue::Position;
use sandbox::Checkpoint;
use stdx::files::{RealDisk, write_atomically};

use crate::analysis_stage::AnalysisStage;
use crate::checkpoint_file::{Checkpoints, Value, reader_key};
use crate::input_plugin::InputPlugin;
use crate::output_plugin::OutputPlugin;
use crate::shared::Shared;

/// The key of the router's place. Hindsight has one per analysis thread; ours stand together.
const ROUTER_KEY: &str = "input->analysis0";

/// Collects the places of all plugins and keeps `hindsight.cp` up to date.
pub struct Recorder {
    path: PathBuf,
    sync: bool,
    checkpoints: Checkpoints,
    written: Vec<u8>,
    seen: Option<(u64, Position, Position)>,
    synced: Instant,
}

impl Recorder {
    /// A recorder for the file `path` with what was found there.
    pub fn new(path: PathBuf, found: Checkpoints, sync: bool) -> Recorder {
        let synced = Instant::now();
        Recorder {
            path,
            sync,
            checkpoints: found,
            written: Vec::new(),
            seen: None,
            synced,
        }
    }

    /// The highest place that any checkpoint names in the queue `input` or `analysis`.
    pub fn highest_place(&self, queue: &str) -> Option<Position> {
        let reads = format!("{queue}->");
        let keys = self.checkpoints.iter().map(|(key, _)| key);
        let keys = keys.filter(|key| *key == queue || key.starts_with(&reads));
        keys.filter_map(|key| self.checkpoints.position(key)).max()
    }

    /// Where the router goes on: with Hindsight's own file, behind the slowest of its threads.
    pub fn router_place(&self) -> Option<Position> {
        let keys = self.checkpoints.iter().map(|(key, _)| key);
        keys.filter(|key| is_thread_key(key))
            .filter_map(|key| self.checkpoints.position(key))
            .min()
    }

    /// Where an analysis plugin goes on, if it does not stand with the router.
    pub fn analysis_place(&self, name: &str) -> Option<Position> {
        self.checkpoints.position(&reader_key("input", name))
    }

    /// Where an output goes on in the queue `input` or `analysis`.
    pub fn output_place(&self, queue: &str, name: &str) -> Option<Position> {
        self.checkpoints.position(&reader_key(queue, name))
    }

    /// Where an input goes on.
    pub fn input_checkpoint(&self, name: &str) -> Checkpoint {
        match self.checkpoints.get(name) {
            Some(Value::Number(number)) => Checkpoint::Number(*number),
            Some(Value::Text(text)) => Checkpoint::Text(text.clone()),
            None => Checkpoint::None,
        }
    }

    /// Keeps the checkpoint of an input.
    pub fn keep_input(&mut self, name: &str, checkpoint: Checkpoint) {
        match checkpoint {
            Checkpoint::None => {}
            Checkpoint::Number(number) => self.checkpoints.set(name, Value::Number(number)),
            Checkpoint::Text(text) => self.checkpoints.set(name, Value::Text(text)),
        }
    }

    /// Keeps the place of an analysis plugin that was stopped.
    pub fn keep_analysis(&mut self, name: &str, place: Position) {
        self.checkpoints
            .set_position(reader_key("input", name), place);
    }

    /// Keeps the places of an output in the queues it reads.
    pub fn keep_output(&mut self, output: &OutputPlugin) {
        let (name, places) = (&output.config.name, output.places());
        let read = output.config.settings.read_queue;
        if read.reads_input() {
            self.checkpoints
                .set_position(reader_key("input", name), places.input);
        }
        if read.reads_analysis() {
            self.checkpoints
                .set_position(reader_key("analysis", name), places.analysis);
        }
    }

    /// Drops the places of an output.
    pub fn forget_output(&mut self, name: &str) {
        self.checkpoints.remove(&reader_key("input", name));
        self.checkpoints.remove(&reader_key("analysis", name));
    }

    /// Drops what belongs to plugins that are no longer configured; `is_loaded` knows `<type>.<name>`.
    pub fn forget_vanished(&mut self, is_loaded: impl Fn(&str) -> bool) {
        let plugin_of = |key: &str| {
            key.split_once("->")
                .map_or(key, |(_, reader)| reader)
                .to_string()
        };
        let keys = self.checkpoints.iter().map(|(key, _)| key.to_string());
        let vanished = |key: &String| {
            let plugin = plugin_of(key);
            plugin.contains('.') && !is_loaded(&plugin)
        };
        for key in keys.filter(vanished).collect::<Vec<_>>() {
            tracing::info!(target: "checkpoint_reader", "checkpoint removed: {key}");
            self.checkpoints.remove(&key);
        }
    }

    /// Writes the file if something moved since the last time, or in any case at the end.
    ///
    /// First all places are taken, then both queues are flushed, then the file is written: nothing is recorded that
    /// is not in the kernel.
    pub fn record(
        &mut self,
        shared: &Shared,
        analysis: &Arc<AnalysisStage>,
        inputs: &BTreeMap<String, Arc<InputPlugin>>,
        outputs: &BTreeMap<String, Arc<OutputPlugin>>,
        last: bool,
    ) -> Result<(), String> {
        let ends = (
            shared.input_queue.appended(),
            shared.analysis_queue.appended(),
        );
        let seen = (shared.checkpoint_generation(), ends.0, ends.1);
        if self.seen == Some(seen) && !last {
            return Ok(());
        }
        self.collect(analysis, inputs, outputs);
        if !shared.flush(&shared.input_queue) || !shared.flush(&shared.analysis_queue) {
            // The disk takes nothing now; what was recorded before stays true.
            return Ok(());
        }
        self.checkpoints.set_position("input", ends.0);
        self.checkpoints.set_position("analysis", ends.1);
        self.seen = Some(seen);
        self.write(last)
    }

    fn collect(
        &mut self,
        analysis: &Arc<AnalysisStage>,
        inputs: &BTreeMap<String, Arc<InputPlugin>>,
        outputs: &BTreeMap<String, Arc<OutputPlugin>>,
    ) {
        let (router, elsewhere) = analysis.places();
        let stale = |key: &str| is_thread_key(key) || key.starts_with("input->analysis.");
        let keys = self.checkpoints.iter().map(|(key, _)| key.to_string());
        for key in keys.filter(|key| stale(key)).collect::<Vec<_>>() {
            self.checkpoints.remove(&key);
        }
        self.checkpoints.set_position(ROUTER_KEY, router);
        for (name, place) in elsewhere {
            self.keep_analysis(&name, place);
        }
        for (name, input) in inputs {
            self.keep_input(name, input.checkpoint());
        }
        outputs.values().for_each(|output| self.keep_output(output));
    }

    fn write(&mut self, last: bool) -> Result<(), String> {
        let text = self.checkpoints.to_bytes();
        if text == self.written && !last {
            return Ok(());
        }
        // A power loss may take the last second of a file that only was renamed; the old one is then still there.
        let sync = self.sync && (last || self.synced.elapsed() >= Duration::from_secs(1));
        write_atomically(&RealDisk, &self.path, &text, sync)
            .map_err(|error| format!("writing {}: {error}", self.path.display()))?;
        if sync {
            self.synced = Instant::now();
        }
        self.written = text;
        Ok(())
    }
}

/// Whether the key is that of one of Hindsight's analysis threads: `input->analysisN`.
fn is_thread_key(key: &str) -> bool {
    key.strip_prefix("input->analysis").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: u64) -> Position {
        Position { segment: 0, offset }
    }

    fn recorder(places: &[(&str, u64)]) -> Recorder {
        let mut checkpoints = Checkpoints::default();
        places
            .iter()
            .for_each(|(key, offset)| checkpoints.set_position(*key, place(*offset)));
        Recorder::new(PathBuf::new(), checkpoints, false)
    }

    #[test]
    fn the_router_goes_on_behind_the_slowest_thread() {
        let recorder = recorder(&[
            ("input->analysis0", 50),
            ("input->analysis12", 20),
            ("input->analysis.x", 1),
        ]);
        assert_eq!(recorder.router_place(), Some(place(20)));
        assert_eq!(recorder.analysis_place("analysis.x"), Some(place(1)));
    }

    #[test]
    fn vanished_plugins_are_forgotten_and_queues_are_not() {
        let mut recorder = recorder(&[
            ("input", 9),
            ("input->analysis0", 9),
            ("input->output.gone", 1),
            ("analysis->output.here", 2),
            ("input.gone", 3),
        ]);
        recorder.forget_vanished(|plugin| plugin == "output.here");
        let keys: Vec<_> = recorder.checkpoints.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["analysis->output.here", "input", "input->analysis0"]);
    }

    #[test]
    fn an_input_gets_its_checkpoint_back_in_its_type() {
        let mut recorder = recorder(&[]);
        recorder.keep_input("input.a", Checkpoint::Number(40.0));
        recorder.keep_input("input.b", Checkpoint::Text(b"it's".to_vec()));
        recorder.keep_input("input.c", Checkpoint::None);
        assert!(matches!(recorder.input_checkpoint("input.a"), Checkpoint::Number(n) if n == 40.0));
        assert!(
            matches!(recorder.input_checkpoint("input.b"), Checkpoint::Text(t) if t == b"it's")
        );
        assert!(matches!(
            recorder.input_checkpoint("input.c"),
            Checkpoint::None
        ));
    }
}
