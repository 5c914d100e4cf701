//! What a thousand live graphs cost an engine that is under full load.
//!
//! The load is that of `inject-read`; beside it runs the same once more with plugins that show full graphs of a day in
//! minutes and three columns, while a browser's page follows: it gets the events and reads the graphs of one screen
//! whenever they are new. The web UI runs in both. The load begins when all graphs are full and on the disk. Does not show
//! many pages, the work of plugins that count for their graphs, which would be the same without one, and that the past of a
//! graph is written every ten minutes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use e2e::free_port;
use e2e::http::Client;

use crate::Bench;
use crate::engine::Engine;
use crate::process::Live;
use crate::rundir::{CONFIG, RunDir, Stage};
use crate::table::{Figure, median};

/// What it measures, and what it does not show.
pub const ABOUT: &str = "inject-read with the web UI, and the same with 1,000 full graphs renewed every ten seconds and a \
    page that shows 20 of them; not: many pages, counting for the graphs, writing their past every ten minutes";

const MESSAGES: u64 = 40_000_000;
const MESSAGES_SMALL: u64 = 200_000;
/// Plugins with graphs, and how many each has.
const PLUGINS: u64 = 10;
const GRAPHS_EACH: u64 = 100;
const GRAPHS_EACH_SMALL: u64 = 2;
/// Graphs on one screen.
const SHOWN: u64 = 20;
/// Seconds between two ticks of the plugins with graphs, and between two looks of the page.
const EVERY_S: u64 = 10;
const EVERY_S_SMALL: u64 = 1;

/// The file that the input waits for.
const GO: &str = "go";
/// How long nothing more was written before the graphs count as settled.
const QUIET: Duration = Duration::from_secs(12);
const QUIET_SMALL: Duration = Duration::from_millis(100);

/// What one run gave.
struct Sample {
    per_second: f64,
    cpu_us: f64,
    peak_megabytes: f64,
}

/// Measures the first engine only: others have no web UI.
///
/// # Errors
/// When the engine fails, loses a message, or does not show its graphs.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let engine = bench.engines.first().context("an engine")?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        without.push(run(bench, engine, false)?);
        with.push(run(bench, engine, true)?);
    }
    let middle = |samples: &[Sample], value: fn(&Sample) -> f64| {
        median(&samples.iter().map(value).collect::<Vec<_>>())
    };
    // Of the runs that stood side by side, as a machine drifts.
    let cost = |value: fn(&Sample) -> f64| {
        let pairs = without.iter().zip(&with);
        let costs: Vec<f64> = pairs
            .map(|(without, with)| (value(with) / value(without) - 1.0) * 100.0)
            .collect();
        median(&costs)
    };
    let more = |name: &str, value| Figure::more(name, bench.of_first(value));
    let less = |name: &str, value| Figure::less(name, bench.of_first(value));
    Ok(vec![
        more(
            "messages/s, no graph",
            middle(&without, |one| one.per_second),
        ),
        more("messages/s", middle(&with, |one| one.per_second)),
        less("cost in time %", cost(|one| 1.0 / one.per_second)),
        less(
            "CPU us/message, no graph",
            middle(&without, |one| one.cpu_us),
        ),
        less("CPU us/message", middle(&with, |one| one.cpu_us)),
        less("cost in CPU %", cost(|one| one.cpu_us)),
        less(
            "memory MB, no graph",
            middle(&without, |one| one.peak_megabytes),
        ),
        less("memory MB", middle(&with, |one| one.peak_megabytes)),
    ])
}

fn run(bench: &Bench, engine: &Engine, with_graphs: bool) -> Result<Sample> {
    let messages = if bench.small {
        MESSAGES_SMALL
    } else {
        MESSAGES
    };
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    let port = free_port();
    prepare(bench, &dir, messages, port, with_graphs)?;
    let mut live = Live::start(&mut engine.run(&dir.root), &dir.root)?;
    if with_graphs {
        settle(bench, &mut live)?;
    }
    std::fs::write(dir.root.join(GO), "")?;
    let is_over = AtomicBool::new(false);
    let sample = std::thread::scope(|scope| {
        if with_graphs {
            scope.spawn(|| follow(port, &is_over));
            scope.spawn(|| look(bench, port, &is_over));
        }
        let sample = load(&mut live, messages);
        is_over.store(true, Ordering::Relaxed);
        sample
    });
    if with_graphs {
        shows_graphs(bench, port)?;
    }
    live.stop()?;
    sample
}

fn prepare(bench: &Bench, dir: &RunDir, messages: u64, port: u16, with_graphs: bool) -> Result<()> {
    let path = dir.root.join(CONFIG);
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(path, format!("{text}admin_listen = \"127.0.0.1:{port}\"\n"))?;
    let count = format!("messages = {messages}\nbegin = '{GO}'\nticker_interval = 1");
    dir.plugin(Stage::Input, "gen", "generate.lua", &count)?;
    let all = "message_matcher = \"TRUE\"";
    dir.plugin(Stage::Analysis, "read", "read_fields.lua", all)?;
    let last = format!(
        "message_matcher = \"Type == 'access' && Fields[status] == {messages}\"\nprocess_message_inject_limit = 1"
    );
    dir.plugin(Stage::Analysis, "the_end", "end.lua", &last)?;
    let report = "message_matcher = \"Type == 'inject_payload' && Fields[payload_name] == 'end'\"\n\
                  read_queue = \"analysis\"";
    dir.plugin(Stage::Output, "report", "report.lua", report)?;
    if with_graphs {
        let config = format!(
            "message_matcher = \"Type == 'none'\"\nticker_interval = {}\ngraphs = {}\n\
             instruction_limit = 20000000\ntimer_event_inject_limit = {GRAPHS_EACH}",
            every(bench).as_secs(),
            graphs_each(bench)
        );
        for n in 1..=PLUGINS {
            dir.plugin(Stage::Analysis, &format!("g{n}"), "graphs.lua", &config)?;
        }
    }
    Ok(())
}

fn every(bench: &Bench) -> Duration {
    Duration::from_secs(if bench.small { EVERY_S_SMALL } else { EVERY_S })
}

fn graphs_each(bench: &Bench) -> u64 {
    if bench.small {
        GRAPHS_EACH_SMALL
    } else {
        GRAPHS_EACH
    }
}

/// Waits until the past of every graph is on the disk, and a while longer.
fn settle(bench: &Bench, live: &mut Live) -> Result<()> {
    let graphs = PLUGINS * graphs_each(bench);
    live.wait_until("every graph was kept", |root| kept(root) >= 2 * graphs)?;
    std::thread::sleep(if bench.small { QUIET_SMALL } else { QUIET });
    Ok(())
}

/// Files of graphs on the disk: a day in minutes begins on one day and ends on the next.
fn kept(root: &Path) -> u64 {
    let files = |dir: &Path| std::fs::read_dir(dir).map_or(0, |files| files.count() as u64);
    let days = std::fs::read_dir(root.join("output/admin/graphs"));
    let days = days.into_iter().flatten().flatten();
    days.map(|day| files(&day.path())).sum()
}

/// From the first message to the last one's arrival behind the plugin that reads all.
fn load(live: &mut Live, messages: u64) -> Result<Sample> {
    let begin = live.wait_until("the first message", |root| root.join("started").exists())?;
    let cpu = live.cpu()?;
    let has_come =
        |root: &Path| std::fs::metadata(root.join("counts")).is_ok_and(|it| it.len() > 0);
    let end = live.wait_until("the last message", has_come)?;
    let cpu = live.cpu()?.saturating_sub(cpu);
    Ok(Sample {
        per_second: messages as f64 / (end - begin).as_secs_f64(),
        cpu_us: cpu.as_secs_f64() * 1e6 / messages as f64,
        peak_megabytes: live.memory()? as f64 / 1e6,
    })
}

/// Reads the stream of events as a page does, and throws it away.
fn follow(port: u16, is_over: &AtomicBool) {
    const WAIT: Duration = Duration::from_millis(100);
    while !is_over.load(Ordering::Relaxed) {
        std::thread::sleep(WAIT);
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
            continue;
        };
        let asked = stream.set_read_timeout(Some(WAIT)).and_then(|()| {
            stream.write_all(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        });
        let mut buffer = [0; 1 << 16];
        while asked.is_ok() && !is_over.load(Ordering::Relaxed) {
            // A timeout is no fault: events come once a second.
            if let Ok(0) = stream.read(&mut buffer) {
                break;
            }
        }
    }
}

/// Reads the graphs of one screen as often as they are renewed.
fn look(bench: &Bench, port: u16, is_over: &AtomicBool) {
    const WAIT: Duration = Duration::from_millis(100);
    let mut next = Duration::ZERO;
    while !is_over.load(Ordering::Relaxed) {
        std::thread::sleep(WAIT);
        next = next.saturating_sub(WAIT);
        if !next.is_zero() {
            continue;
        }
        next = every(bench);
        // Before their first tick there are none.
        for n in 1..=SHOWN.min(graphs_each(bench)) {
            let _ = graph(port, n);
        }
    }
}

/// One graph of the first plugin, as JSON.
fn graph(port: u16, n: u64) -> Option<e2e::http::Answer> {
    let id = format!("analysis.g1%2Fcbuf%2Fgraph%2520{n:03}");
    let mut client = Client::connect(port)?;
    client
        .send(format!("GET /api/v1/graph?id={id} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
    client.answer()
}

/// Fails unless the first graph can be read.
fn shows_graphs(bench: &Bench, port: u16) -> Result<()> {
    // One tick may still be to come when the load was small.
    let tries = 10 * (every(bench).as_secs() + 1);
    let mut answer = None;
    for _ in 0..tries {
        answer = graph(port, 1);
        if answer.as_ref().is_some_and(|answer| answer.status == 200) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("the graph is not shown: {answer:?}")
}
