//! What the engine costs while nothing happens: the time until it is ready, its memory and its processor time.
//!
//! Ready is: an input plugin has been called and every plugin has its runtime configuration, the last thing that is
//! written before its Lua runs. Memory is what is resident, shared libraries included, a moment after that. Does not show
//! plugins with large modules or much state.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::Bench;
use crate::engine::Engine;
use crate::process::Live;
use crate::rundir::{RunDir, Stage};
use crate::table::{Figure, median};

/// How many trivial analysis plugins are loaded for the memory of one.
const PLUGINS: [u64; 2] = [1_000, 10_000];
const PLUGINS_SMALL: [u64; 2] = [10, 50];
/// Time for a fresh engine to come to rest, and over which its idle processor time is then taken.
const REST: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(10);
/// Both, when nothing is measured.
const SMALL: Duration = Duration::from_millis(50);

/// What it measures, and what it does not show.
pub const ABOUT: &str = "an engine with one waiting input, and with trivial analysis plugins; \
    not: plugins with large modules or much state";

#[derive(Default)]
struct Samples {
    ready: Vec<f64>,
    memory: Vec<f64>,
    idle_share: Vec<f64>,
    stop: Vec<f64>,
}

/// Measures the empty engine, and then with many plugins.
///
/// # Errors
/// When an engine does not become ready.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let empty = sample_all(bench, 0)?;
    figures.push(Figure::less(
        "ready ms",
        medians(&empty, |samples| &samples.ready),
    ));
    figures.push(Figure::less(
        "memory MB",
        medians(&empty, |samples| &samples.memory),
    ));
    figures.push(Figure::less(
        "idle CPU %",
        medians(&empty, |samples| &samples.idle_share),
    ));
    figures.push(Figure::less(
        "stop ms",
        medians(&empty, |samples| &samples.stop),
    ));
    for plugins in if bench.small { PLUGINS_SMALL } else { PLUGINS } {
        let many = sample_all(bench, plugins)?;
        let memory = medians(&many, |samples| &samples.memory);
        let each = memory
            .iter()
            .zip(medians(&empty, |samples| &samples.memory))
            .map(|(many, empty)| Some((many.as_ref()? - empty?) * 1e6 / 1024.0 / plugins as f64));
        figures.push(Figure::less(
            format!("{plugins} plugins: KB each"),
            each.collect(),
        ));
        let named = |what| format!("{plugins} plugins: {what}");
        figures.push(Figure::less(
            named("ready ms"),
            medians(&many, |samples| &samples.ready),
        ));
        figures.push(Figure::less(
            named("idle CPU %"),
            medians(&many, |samples| &samples.idle_share),
        ));
        figures.push(Figure::less(
            named("stop ms"),
            medians(&many, |samples| &samples.stop),
        ));
    }
    Ok(figures)
}

fn medians(samples: &[Samples], values: fn(&Samples) -> &Vec<f64>) -> Vec<Option<f64>> {
    samples
        .iter()
        .map(|samples| median(values(samples)))
        .collect()
}

fn sample_all(bench: &Bench, plugins: u64) -> Result<Vec<Samples>> {
    let mut all: Vec<Samples> = bench.engines.iter().map(|_| Samples::default()).collect();
    for _ in 0..bench.runs {
        for (engine, samples) in bench.engines.iter().zip(&mut all) {
            samples
                .take(bench, engine, plugins)
                .with_context(|| format!("{plugins} idle plugins, {}", engine.label))?;
        }
    }
    Ok(all)
}

impl Samples {
    fn take(&mut self, bench: &Bench, engine: &Engine, plugins: u64) -> Result<()> {
        let dir = RunDir::create(&bench.directory.join("run"), engine)?;
        dir.plugin(Stage::Input, "ready", "ready.lua", "ticker_interval = 3600")?;
        for n in 1..=plugins {
            let matcher = format!("message_matcher = \"Type == 't{n}'\"");
            dir.plugin(Stage::Analysis, &format!("p{n}"), "count.lua", &matcher)?;
        }
        let mut live = Live::start(&mut engine.run(&dir.root), &dir.root)?;
        let ready = live.wait_until("every plugin was loaded", |root| is_ready(root, plugins))?;
        let (rest, idle) = if bench.small {
            (SMALL, SMALL)
        } else {
            (REST, IDLE)
        };
        std::thread::sleep(rest);
        self.ready.push(ready.as_secs_f64() * 1e3);
        self.memory.push(live.memory()? as f64 / 1e6);
        let (cpu, since) = (live.cpu()?, Instant::now());
        std::thread::sleep(idle);
        let used = live.cpu()?.saturating_sub(cpu).as_secs_f64();
        self.idle_share
            .push(used / since.elapsed().as_secs_f64() * 100.0);
        self.stop.push(live.stop()?.as_secs_f64() * 1e3);
        Ok(())
    }
}

fn is_ready(root: &Path, plugins: u64) -> bool {
    root.join("ready").exists() && plugins_written(root) >= plugins
}

/// How many analysis plugins have their runtime configuration.
fn plugins_written(root: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(root.join("output")) else {
        return 0;
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter(|name| {
            let name = name.as_encoded_bytes();
            name.starts_with(b"analysis.") && name.ends_with(b".rtc")
        })
        .count() as u64
}
