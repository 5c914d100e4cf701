//! How long a message is under way when there is little to do: from input to output, and through an analysis plugin.
//!
//! This program writes a number into a pipe that an input plugin reads, and waits for it on a pipe that an output plugin
//! writes, so one clock measures both ends. Included are the input's and the output's own reading and writing. Does not
//! show latency under load, over a network, or to an output that batches.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::stat::Mode;

use crate::Bench;
use crate::engine::Engine;
use crate::process::{Live, PATIENCE};
use crate::rundir::{RunDir, Stage};
use crate::table::{Figure, percentile};

/// How long messages are sent, at one every 10 ms.
const MESSAGES: usize = 3_000;
const MESSAGES_SMALL: usize = 50;
const INTERVAL: Duration = Duration::from_millis(10);
/// Messages at the start that only wake everything up.
const WARM_UP: usize = 20;
/// The ways: the pipe at the end of each, and the matcher of its output.
const WAYS: [(&str, &str); 2] = [
    ("direct.out", "Type == 'number'"),
    ("relayed.out", "Type == 'relayed'"),
];

/// What it measures, and what it does not show.
pub const ABOUT: &str = "100 messages a second from a pipe through the engine to a pipe, directly and through an analysis \
    plugin that injects; not: latency under load";

/// Measures both ways at once, engine after engine.
///
/// # Errors
/// When an engine loses a message or sends it twice.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let mut direct = Vec::new();
    let mut relayed = Vec::new();
    for engine in &bench.engines {
        let ways = run(bench, engine).with_context(|| format!("latency, {}", engine.label))?;
        let [one, two] = ways;
        direct.push(one);
        relayed.push(two);
    }
    let at =
        |share: f64, values: &[Vec<f64>]| values.iter().map(|way| percentile(way, share)).collect();
    Ok(vec![
        Figure::less("direct p50 ms", at(0.5, &direct)),
        Figure::less("direct p99 ms", at(0.99, &direct)),
        Figure::less("direct maximum ms", at(1.0, &direct)),
        Figure::less("via analysis p50 ms", at(0.5, &relayed)),
        Figure::less("via analysis p99 ms", at(0.99, &relayed)),
        Figure::less("via analysis maximum ms", at(1.0, &relayed)),
    ])
}

/// Milliseconds per message on each way.
fn run(bench: &Bench, engine: &Engine) -> Result<[Vec<f64>; 2]> {
    let count = if bench.small {
        MESSAGES_SMALL
    } else {
        MESSAGES
    };
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    prepare(&dir)?;
    let mut to_input = open_pipe(&dir.root.join("numbers.in"))?;
    let arrivals = [watch(&dir, WAYS[0].0)?, watch(&dir, WAYS[1].0)?];
    let live = Live::start(&mut engine.run(&dir.root), &dir.root)?;

    warm_up(&mut to_input, &arrivals)?;
    let mut sent = Vec::with_capacity(count);
    for number in 0..count {
        let now = Instant::now();
        sent.push(now);
        writeln!(to_input, "{}", number + WARM_UP)?;
        std::thread::sleep(INTERVAL.saturating_sub(now.elapsed()));
    }
    let [direct, relayed] = &arrivals;
    let delays = [delays(direct, &sent)?, delays(relayed, &sent)?];
    drop(to_input);
    live.stop()?;
    Ok(delays)
}

fn prepare(dir: &RunDir) -> Result<()> {
    dir.plugin(Stage::Input, "numbers", "numbers_in.lua", "")?;
    let config = "message_matcher = \"Type == 'number'\"\nprocess_message_inject_limit = 1";
    dir.plugin(Stage::Analysis, "relay", "numbers_relay.lua", config)?;
    for (pipe, matcher) in WAYS {
        let config = format!("message_matcher = \"{matcher}\"\npipe = \"{pipe}\"");
        dir.plugin(
            Stage::Output,
            pipe.trim_end_matches(".out"),
            "numbers_out.lua",
            &config,
        )?;
    }
    Ok(())
}

/// Makes a pipe and holds both its ends, so that nobody who opens it waits for the other.
fn open_pipe(path: &Path) -> Result<File> {
    nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)?;
    Ok(OpenOptions::new().read(true).write(true).open(path)?)
}

/// Reads numbers from a pipe on a thread of its own and passes each on with the moment it came.
fn watch(dir: &RunDir, name: &str) -> Result<Receiver<(usize, Instant)>> {
    let pipe = open_pipe(&dir.root.join(name))?;
    let (sender, receiver) = mpsc::channel();
    // The thread ends with the program: the pipe is never closed, because this program holds both its ends.
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let now = Instant::now();
            let Some(number) = line.ok().and_then(|line| line.parse().ok()) else {
                return;
            };
            if sender.send((number, now)).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

/// Sends the first messages and waits for all of them on both ways.
fn warm_up(to_input: &mut File, arrivals: &[Receiver<(usize, Instant)>]) -> Result<()> {
    for number in 0..WARM_UP {
        writeln!(to_input, "{number}")?;
    }
    for way in arrivals {
        for expected in 0..WARM_UP {
            let (number, _) = receive(way)?;
            ensure!(
                number == expected,
                "got number {number}, expected {expected}"
            );
        }
    }
    Ok(())
}

fn delays(way: &Receiver<(usize, Instant)>, sent: &[Instant]) -> Result<Vec<f64>> {
    let mut delays = Vec::with_capacity(sent.len());
    for (idx, sent) in sent.iter().enumerate() {
        let (number, arrived) = receive(way)?;
        ensure!(
            number == idx + WARM_UP,
            "got number {number}, expected {}",
            idx + WARM_UP
        );
        delays.push(arrived.duration_since(*sent).as_secs_f64() * 1e3);
    }
    Ok(delays)
}

fn receive(way: &Receiver<(usize, Instant)>) -> Result<(usize, Instant)> {
    match way.recv_timeout(PATIENCE) {
        Ok(arrival) => Ok(arrival),
        Err(RecvTimeoutError::Timeout) => bail!("a message did not arrive in {PATIENCE:?}"),
        Err(RecvTimeoutError::Disconnected) => bail!("an output wrote something that is no number"),
    }
}
