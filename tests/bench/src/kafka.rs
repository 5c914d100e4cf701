//! Kafka in and out through the engine beside a bare loop on the same client library, against a real broker.
//!
//! One broker serves all, on this machine, so it takes processor time from both sides alike. In: from a topic into the input
//! queue; bare: records are received and dropped. Out: from the queue into a topic until all is confirmed, while another
//! plugin fills the queue; bare: the same buffer is sent as often. Does not show a network, several brokers, decoders and
//! encoders, or the groups' rebalances.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use e2e::kafka::{self, Broker};

use crate::Bench;
use crate::engine::Engine;
use crate::process;
use crate::rundir::{RunDir, Stage};
use crate::table::{Figure, median};

/// Bytes of a payload; a message has some 60 more.
const SIZE: usize = 1024;
const MESSAGES: usize = 300_000;
const MESSAGES_SMALL: usize = 2_000;
/// Memory of the plugins: queues of usual sizes.
const MEMORY: usize = 128 << 20;

/// What it measures, and what it does not show.
pub const ABOUT: &str = "messages of 1 KB from a topic into the queue, and from the queue into a topic until all is confirmed, \
    beside a bare loop on the same library; not: a network, decoders";

/// Measures the first engine only: others have no such module.
///
/// # Errors
/// When the engine fails.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let engine = bench.engines.first().context("an engine")?;
    let n = if bench.small {
        MESSAGES_SMALL
    } else {
        MESSAGES
    };
    let broker = Broker::start();
    let mut seconds: [Vec<f64>; 4] = Default::default();
    for run in 0..bench.runs {
        let topic = format!("t{run}");
        let times = [
            outward(bench, engine, &broker, &topic, n)?,
            bare_out(&broker, &format!("bare{run}"), n),
            inward(bench, engine, &broker, &topic, n)?,
            bare_in(&broker, &topic, n),
        ];
        for (all, time) in seconds.iter_mut().zip(times) {
            all.push(time);
        }
    }
    let megabytes = (n * SIZE) as f64 / 1e6;
    let rate = |i: usize| median(&seconds[i]).map(|time| megabytes / time);
    let share = |i: usize| Some(rate(i)? / rate(i + 1)?);
    let figure = |name: &str, value| Figure::more(name, bench.of_first(value));
    Ok(vec![
        figure("out MB/s", rate(0)),
        figure("out MB/s, bare loop", rate(1)),
        figure("out, share of the bare loop", share(0)),
        figure("in MB/s", rate(2)),
        figure("in MB/s, bare loop", rate(3)),
        figure("in, share of the bare loop", share(2)),
    ])
}

fn seconds(dir: &RunDir) -> Result<f64> {
    let text = dir.read("seconds")?;
    text.trim()
        .parse()
        .with_context(|| format!("no time: {text:?}"))
}

fn outward(bench: &Bench, engine: &Engine, broker: &Broker, topic: &str, n: usize) -> Result<f64> {
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    let config = format!("messages = {n}\nsize = {SIZE}");
    dir.plugin(Stage::Input, "messages", "kafka_messages.lua", &config)?;
    let config = format!(
        "message_matcher = \"Type == 'bench'\"\nasync_buffer_size = 100000\nbrokers = '{}'\ntopic = '{topic}'\n\
         memory_limit = {MEMORY}\nticker_interval = 1",
        broker.address()
    );
    dir.plugin(Stage::Output, "kafka", "kafka_out.lua", &config)?;
    process::run_to_end(&mut engine.replay(&dir.root), &dir.root)?;
    seconds(&dir)
}

fn inward(bench: &Bench, engine: &Engine, broker: &Broker, topic: &str, n: usize) -> Result<f64> {
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    let config = format!(
        "messages = {n}\nbrokers = '{}'\ntopic = '{topic}'\ngroup = 'engine-{topic}'\nmemory_limit = {MEMORY}\n\
         instruction_limit = 0",
        broker.address()
    );
    dir.plugin(Stage::Input, "kafka", "kafka_in.lua", &config)?;
    process::run_to_end(&mut engine.replay(&dir.root), &dir.root)?;
    seconds(&dir)
}

/// Sends one buffer as often as the engine sends messages; seconds until all is confirmed.
fn bare_out(broker: &Broker, topic: &str, n: usize) -> f64 {
    let producer = broker.producer();
    let value = vec![b'x'; SIZE + 60];
    let started = Instant::now();
    for _ in 0..n {
        kafka::put_value(&producer, topic, &value);
    }
    kafka::flush(&producer);
    started.elapsed().as_secs_f64()
}

/// Receives all records and drops them; seconds from the first to the last.
fn bare_in(broker: &Broker, topic: &str, n: usize) -> f64 {
    let mut first = None;
    broker.receive(topic, n, |_| {
        first.get_or_insert_with(Instant::now);
    });
    first
        .map_or(Duration::ZERO, |first| first.elapsed())
        .as_secs_f64()
}
