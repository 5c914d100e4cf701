//! The HTTP edge with durable answers beside nginx that answers without storing, both under the load of wrk.
//!
//! One process of nginx on one thread, as wrk takes the other processor of a small machine; it reads each body and drops
//! it. The edge answers 200 once the submission is in the queue under its default sync policy. Does not show TLS, slow
//! clients, limits, a network, and who reads the queue.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use e2e::free_port;

use crate::Bench;
use crate::engine::Engine;
use crate::process::Live;
use crate::rundir::{RunDir, Stage};
use crate::table::{Figure, median};

/// What it measures, and what it does not show.
pub const ABOUT: &str = "submissions of 1 KB and 30 KB over 64 connections, answered when durable, beside nginx that answers \
    without storing; not: TLS, a network, consumers";

/// Bytes of a body, with what the table calls them.
const SIZES: [(usize, &str); 2] = [(1 << 10, "1 KB"), (30 << 10, "30 KB")];
const CONNECTIONS: usize = 64;
const SECONDS: u32 = 5;
const PATH: &str = "/submit/telemetry/8b2d7b1e-5a5d-4b7a-9a5e-000000000001/main/Firefox/145.0/release/20261120?v=4";

/// What one run of wrk against one server gave.
struct Load {
    per_second: f64,
    /// The server's processor time, in microseconds for each request.
    cpu_us: f64,
    /// Of the 99th percentile, in milliseconds.
    latency_ms: f64,
}

/// Measures the first engine only: others have no HTTP edge.
///
/// # Errors
/// When a server or wrk fails, or any answer is not 200.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let engine = bench.engines.first().context("an engine")?;
    let mut figures = Vec::new();
    for (size, label) in SIZES {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..bench.runs {
            ours.push(edge(bench, engine, size)?);
            theirs.push(nginx(bench, size)?);
        }
        figures.extend(of_size(bench, label, &ours, &theirs));
    }
    Ok(figures)
}

fn of_size(bench: &Bench, label: &str, ours: &[Load], theirs: &[Load]) -> Vec<Figure> {
    let middle = |loads: &[Load], value: fn(&Load) -> f64| {
        median(&loads.iter().map(value).collect::<Vec<_>>())
    };
    let both = |value: fn(&Load) -> f64| (middle(ours, value), middle(theirs, value));
    let (rate, nginx_rate) = both(|load| load.per_second);
    let (cpu, nginx_cpu) = both(|load| load.cpu_us);
    let (latency, _) = both(|load| load.latency_ms);
    let share = |a: Option<f64>, b: Option<f64>| Some(a? / b?);
    let more = |name: &str, value| Figure::more(format!("{label}: {name}"), bench.of_first(value));
    let less = |name: &str, value| Figure::less(format!("{label}: {name}"), bench.of_first(value));
    vec![
        more("requests/s", rate),
        more("requests/s, nginx", nginx_rate),
        more("share of nginx", share(rate, nginx_rate)),
        less("CPU us/request", cpu),
        less("CPU us/request, nginx", nginx_cpu),
        less("latency p99 ms", latency),
    ]
}

fn edge(bench: &Bench, engine: &Engine, size: usize) -> Result<Load> {
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    dir.use_our_plugins()?;
    let port = free_port();
    let config = format!("port = {port}\ninstruction_limit = 0\nmax_content_size = 1048576");
    dir.installed(Stage::Input, "edge", "http_edge.lua", &config)?;
    load(bench, &mut engine.run(&dir.root), &dir.root, port, size)
}

fn nginx(bench: &Bench, size: usize) -> Result<Load> {
    let root = bench.directory.join("nginx");
    fs::create_dir_all(&root)?;
    let (port, place) = (free_port(), root.display());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("{what}_temp_path {place}/{what};\n"))
        .collect();
    let config = format!(
        "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log {place}/error.log;\nevents {{ worker_connections 1024; }}\n\
         http {{\naccess_log off;\nkeepalive_requests 1000000000;\nclient_max_body_size 1m;\n{temporary}\
         server {{ listen 127.0.0.1:{port}; location / {{ return 200 \"OK\"; }} }}\n}}\n"
    );
    fs::write(root.join("nginx.conf"), config)?;
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(&root)
        .args(["-c", "nginx.conf", "-e", "error.log"]);
    load(bench, &mut command, &root, port, size)
}

/// Starts a server, lets it warm up, puts it under load and stops it.
fn load(bench: &Bench, server: &mut Command, root: &Path, port: u16, size: usize) -> Result<Load> {
    let mut live = Live::start(server, root)?;
    live.wait_until("the server to listen", |_| {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })?;
    wrk(bench, root, port, size, 1)?;
    let before = live.cpu()?;
    let seconds = if bench.small { 1 } else { SECONDS };
    let printed = wrk(bench, root, port, size, seconds)?;
    let cpu = live.cpu()?.saturating_sub(before);
    live.stop()?;
    parse(&printed, cpu.as_secs_f64()).with_context(|| format!("wrk printed:\n{printed}"))
}

fn wrk(bench: &Bench, root: &Path, port: u16, size: usize, seconds: u32) -> Result<String> {
    let script = root.join("post.lua");
    fs::write(&script, include_str!("../lua/post.lua"))?;
    let connections = if bench.small { 4 } else { CONNECTIONS };
    let output = Command::new("wrk")
        .args([
            "-t1",
            "--latency",
            &format!("-c{connections}"),
            &format!("-d{seconds}s"),
        ])
        .arg("-s")
        .arg(&script)
        .arg(format!("http://127.0.0.1:{port}{PATH}"))
        .env("BENCH_SIZE", size.to_string())
        .stdin(Stdio::null())
        .output()
        .context("starting wrk; `.ci/needs wrk nginx` installs it")?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "wrk: {printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    if printed.contains("Non-2xx") || printed.contains("Socket errors") {
        bail!("not every answer was 200:\n{printed}");
    }
    Ok(printed)
}

/// Reads the lines "    99%    2.34ms", "  12345 requests in 5.00s, ..." and "Requests/sec:  2469.1".
fn parse(printed: &str, cpu_s: f64) -> Result<Load> {
    let word = |begins: &str| {
        printed
            .lines()
            .find_map(|line| line.trim().strip_prefix(begins))
            .map(str::trim)
            .with_context(|| format!("no line with {begins}"))
    };
    let requests = printed
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .context("no number of requests")?
        .0;
    Ok(Load {
        per_second: word("Requests/sec:")?.parse()?,
        cpu_us: cpu_s * 1e6 / requests.parse::<f64>()?,
        latency_ms: milliseconds(word("99%")?)?,
    })
}

/// wrk's times: "870.00us", "2.34ms", "1.02s".
fn milliseconds(text: &str) -> Result<f64> {
    for (unit, factor) in [("us", 1e-3), ("ms", 1.0), ("s", 1e3)] {
        if let Some(number) = text.strip_suffix(unit)
            && let Ok(number) = number.parse::<f64>()
        {
            return Ok(number * factor);
        }
    }
    bail!("{text} is no time")
}
