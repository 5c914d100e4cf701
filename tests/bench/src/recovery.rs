//! How soon an engine works again after it was killed with a long queue.
//!
//! An output whose destination is down keeps the queue; the engine is killed right after the last message was injected
//! and started again. Measures the time until an input plugin is called and until the output has its first message. Does
//! not show a cold disk: the queue is in the kernel's cache.

use std::fs;

use anyhow::{Context, Result};

use crate::Bench;
use crate::engine::Engine;
use crate::process::Live;
use crate::rundir::{RunDir, Stage};
use crate::table::{Figure, median};

/// Bytes that one message of the generator takes in the queue.
const MESSAGE_BYTES: u64 = 219;
const QUEUE_BYTES: u64 = 1 << 30;
const QUEUE_BYTES_SMALL: u64 = 1 << 20;

/// What it measures, and what it does not show.
pub const ABOUT: &str = "start after kill -9 with a queue of 1 GiB that an output still has to deliver; not: a cold disk";

/// Kills and starts again, and takes the times.
///
/// # Errors
/// When an engine does not come back.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let mut input = vec![Vec::new(); bench.engines.len()];
    let mut output = input.clone();
    for _ in 0..bench.runs {
        for (idx, engine) in bench.engines.iter().enumerate() {
            let times = crash_and_restart(bench, engine);
            let (called, delivered) =
                times.with_context(|| format!("recovery, {}", engine.label))?;
            input[idx].push(called);
            output[idx].push(delivered);
        }
    }
    let medians = |values: &[Vec<f64>]| values.iter().map(|values| median(values)).collect();
    Ok(vec![
        Figure::less("input called after ms", medians(&input)),
        Figure::less("first delivery after ms", medians(&output)),
    ])
}

/// Milliseconds until the input was called and until the output had a message again.
fn crash_and_restart(bench: &Bench, engine: &Engine) -> Result<(f64, f64)> {
    let bytes = if bench.small {
        QUEUE_BYTES_SMALL
    } else {
        QUEUE_BYTES
    };
    let messages = bytes.div_ceil(MESSAGE_BYTES);
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    dir.plugin(
        Stage::Input,
        "gen",
        "generate.lua",
        &format!("messages = {messages}"),
    )?;
    dir.plugin(
        Stage::Output,
        "hold",
        "hold.lua",
        "message_matcher = \"TRUE\"",
    )?;
    let mut live = Live::start(&mut engine.run(&dir.root), &dir.root)?;
    live.wait_until("all was injected", |root| {
        root.join("held").exists()
            && fs::metadata(root.join("injected")).is_ok_and(|file| file.len() > 0)
    })?;
    live.kill()?;

    fs::remove_file(dir.root.join("held"))?;
    fs::remove_file(dir.root.join("run/input/gen.cfg"))?;
    dir.plugin(Stage::Input, "ready", "ready.lua", "ticker_interval = 3600")?;
    let mut live = Live::start(&mut engine.run(&dir.root), &dir.root)?;
    let called = live.wait_until("the input was called", |root| root.join("ready").exists())?;
    let delivered = live.wait_until("a delivery", |root| root.join("held").exists())?;
    live.kill()?;
    Ok((called.as_secs_f64() * 1e3, delivered.as_secs_f64() * 1e3))
}
