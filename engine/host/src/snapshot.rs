//! What the TSV files show, gathered from the running plugins as plain data.

use std::collections::HashMap;
use std::time::Duration;

use crate::engine::Engine;
use crate::statistics::Counts;
use crate::tsv::{self, Shares, UtilizationRow};

/// The row of the whole analysis stage, under the name of Hindsight's first thread.
const STAGE_ROW: &str = "analysis0";

/// Counts of the last sample, by plugin, so that rates can be told.
#[derive(Default)]
pub struct Samples {
    last: HashMap<String, Counts>,
    routed: (u64, Duration),
}

impl Samples {
    /// Writes both files for the time `elapsed` since the last call; returns how many percent of the analysis threads'
    /// time was used.
    pub fn write(&mut self, engine: &Engine, elapsed: Duration) -> i32 {
        let counts = gather(engine);
        let utilization = self.utilization(engine, &counts, elapsed);
        if let Err(error) = tsv::write(&engine.shared.config.output_path, &counts, &utilization) {
            tracing::error!(target: "checkpoint_writer", "writing the statistics: {error}");
        }
        self.last = counts.into_iter().collect();
        let stage = utilization
            .iter()
            .find(|row| row.name == STAGE_ROW)
            .and_then(|row| row.shares);
        let threads =
            i32::try_from(engine.shared.config.analysis_threads.max(1)).unwrap_or(i32::MAX);
        stage.map_or(0, |shares| shares.utilization / threads)
    }

    fn utilization(
        &mut self,
        engine: &Engine,
        counts: &[(String, Counts)],
        elapsed: Duration,
    ) -> Vec<UtilizationRow> {
        let routed = engine.analysis.measured();
        let routing = routed.1.saturating_sub(self.routed.1);
        let of_kind = |kind: &str| -> Vec<UtilizationRow> {
            let plugins = counts.iter().filter(|(name, _)| name.starts_with(kind));
            plugins
                .map(|(name, counts)| self.row(name, counts, elapsed))
                .collect()
        };
        let mut rows = of_kind("input.");
        let analysis = of_kind("analysis.");
        let share: i32 = analysis
            .iter()
            .filter_map(|row| row.shares)
            .map(|s| s.utilization)
            .sum();
        let stage = Shares {
            utilization: share + percent(routing, elapsed),
            matching: percent(routing, elapsed),
            ..Shares::default()
        };
        let messages = routed.0 - self.routed.0;
        rows.push(UtilizationRow {
            name: STAGE_ROW.into(),
            messages,
            shares: Some(stage),
        });
        rows.extend(analysis);
        rows.extend(of_kind("output."));
        self.routed = routed;
        rows
    }

    fn row(&self, name: &str, now: &Counts, elapsed: Duration) -> UtilizationRow {
        let before = self.last.get(name).cloned().unwrap_or_default();
        if name.starts_with("input.") {
            let messages = now.injects.saturating_sub(before.injects);
            return UtilizationRow {
                name: name.into(),
                messages,
                shares: None,
            };
        }
        let matching = now.matching_total.saturating_sub(before.matching_total);
        let processing = now.processing_total.saturating_sub(before.processing_total);
        let timing = now.timing_total.saturating_sub(before.timing_total);
        let busy = matching + processing + timing;
        let shares = Shares {
            utilization: percent(busy, elapsed),
            matching: percent(matching, busy),
            processing: percent(processing, busy),
            timing: percent(timing, busy),
        };
        let messages = now.messages.saturating_sub(before.messages);
        UtilizationRow {
            name: name.into(),
            messages,
            shares: Some(shares),
        }
    }
}

fn percent(part: Duration, whole: Duration) -> i32 {
    tsv::percent(part.as_nanos() as u64, whole.as_nanos() as u64)
}

/// The counts of all running plugins, inputs first, then analysis, then outputs.
fn gather(engine: &Engine) -> Vec<(String, Counts)> {
    let inputs = engine.inputs.values().filter(|input| !input.has_ended());
    let inputs = inputs.map(|input| (input.config.name.clone(), input.counts()));
    let analysis = engine.analysis.plugins();
    let analysis = analysis
        .iter()
        .map(|p| (p.name().to_string(), p.statistics.snapshot()));
    let outputs = engine.outputs.values();
    let outputs = outputs.map(|output| (output.config.name.clone(), output.statistics.snapshot()));
    inputs.chain(analysis).chain(outputs).collect()
}
