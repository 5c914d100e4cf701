//! How fast work is done: each workload is replayed as a whole, and once more without messages.
//!
//! The processor time of the work is that of the run with messages less that of the run without. The time of the work
//! begins when the input plugin is called and ends when the process has used that processor time: so what start and stop
//! cost is left out, and so is an engine's waiting for its own timers before it ends, but a stall in between counts.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::Bench;
use crate::engine::Engine;
use crate::process::{self, Usage};
use crate::rundir::RunDir;
use crate::table::{Figure, median};

/// Work for an engine: a run directory and what must have come out of it.
pub trait Workload {
    /// Its name in the table.
    fn name(&self) -> String;
    /// What it measures, and what it does not show.
    fn about(&self) -> &'static str;
    /// How many messages a full measurement takes.
    fn messages(&self, engine: &Engine) -> u64;
    /// How many messages are enough to see that it works.
    fn messages_small(&self) -> u64;
    /// Whether this engine has what it takes.
    fn suits(&self, _engine: &Engine) -> bool {
        true
    }
    /// Puts the plugins into `dir`; files that inputs read are made once in `scratch`.
    ///
    /// # Errors
    /// When the file system refuses.
    fn prepare(&self, dir: &RunDir, scratch: &Path, messages: u64) -> Result<()>;
    /// Fails unless every message arrived where it should.
    ///
    /// # Errors
    /// When one did not.
    fn check(&self, dir: &RunDir, messages: u64) -> Result<()>;
}

/// Runs `workload` under every engine, in turns, so that a machine which drifts is unfair to none.
///
/// # Errors
/// When an engine fails or loses messages.
pub fn measure(workload: &dyn Workload, bench: &Bench) -> Result<Vec<Figure>> {
    let mut samples: Vec<Samples> = bench.engines.iter().map(|_| Samples::default()).collect();
    for _ in 0..bench.runs {
        for (engine, samples) in bench.engines.iter().zip(&mut samples) {
            if workload.suits(engine) {
                samples.take(workload, engine, bench)?;
            }
        }
    }
    let all = |value: fn(&Samples) -> Option<f64>| samples.iter().map(value).collect();
    Ok(vec![
        Figure::more(
            "messages/s",
            all(|samples| median(&samples.wall_ns).map(|ns| 1e9 / ns)),
        ),
        Figure::less("ns/message", all(|samples| median(&samples.wall_ns))),
        Figure::less("CPU us/message", all(|samples| median(&samples.cpu_us))),
        Figure::less(
            "peak memory MB",
            all(|samples| median(&samples.peak_megabytes)),
        ),
        Figure::less(
            "start and stop ms",
            all(|samples| median(&samples.empty_milliseconds)),
        ),
    ])
}

/// What the runs of one engine gave, per message and per run.
#[derive(Default)]
struct Samples {
    wall_ns: Vec<f64>,
    cpu_us: Vec<f64>,
    peak_megabytes: Vec<f64>,
    empty_milliseconds: Vec<f64>,
}

impl Samples {
    fn take(&mut self, workload: &dyn Workload, engine: &Engine, bench: &Bench) -> Result<()> {
        let messages = bench.messages(workload, engine);
        let (empty, _) = replay(workload, engine, bench, 0)?;
        let (full, called) = replay(workload, engine, bench, messages)?;
        let cpu = full.cpu.saturating_sub(empty.cpu);
        let share = cpu.as_secs_f64() / full.cpu.as_secs_f64();
        let wall = full.used(share).saturating_sub(called);
        // Tiny runs are drowned by start and stop: no figure is better than a wrong one.
        if !wall.is_zero() && !cpu.is_zero() {
            self.wall_ns.push(wall.as_nanos() as f64 / messages as f64);
            self.cpu_us
                .push(cpu.as_nanos() as f64 / 1e3 / messages as f64);
        }
        self.peak_megabytes.push(full.peak_memory as f64 / 1e6);
        self.empty_milliseconds.push(empty.wall.as_secs_f64() * 1e3);
        Ok(())
    }
}

/// Also says how long after the start the input plugin was called.
fn replay(
    workload: &dyn Workload,
    engine: &Engine,
    bench: &Bench,
    messages: u64,
) -> Result<(Usage, Duration)> {
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    workload.prepare(&dir, &bench.directory, messages)?;
    let what = || {
        format!(
            "{} with {messages} messages, {}",
            workload.name(),
            engine.label
        )
    };
    let usage = process::run_to_end(&mut engine.replay(&dir.root), &dir.root).with_context(what)?;
    workload.check(&dir, messages).with_context(what)?;
    let called = fs::metadata(dir.root.join("started"))
        .with_context(what)?
        .modified()?;
    let called = called.duration_since(usage.started).unwrap_or_default();
    Ok((usage, called))
}
