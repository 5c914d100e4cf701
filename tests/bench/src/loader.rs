//! The loader on lifelike main pings: from raw submissions in a file to validated messages in the queue.
//!
//! The pings are those of `input/telemetry_producer.lua`, posted once through the HTTP edge into a file: some 30 KB of JSON
//! each, gzipped. Measured are inflating, parsing, validation against the schema, splitting, the search for duplicates, and
//! the queue. The decoder stands in an input, as it does behind Kafka. Does not show the HTTP edge, Kafka
//! and the sinks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::free_port;

use crate::Bench;
use crate::engine::Engine;
use crate::process::Live;
use crate::rundir::{self, RunDir, Stage};
use crate::table::Figure;
use crate::throughput::{self, Workload};

/// What it measures, and what it does not show.
pub const ABOUT: &str = "gzipped telemetry pings of some 30 KB of JSON: inflated, validated, split, tested for duplicates, injected; \
    not: the edge, Kafka, sinks";

/// The file of submissions, made once.
const FILE: &str = "submissions.heka";

/// Submissions in the file.
const DOCUMENTS: u64 = 4_000;
const DOCUMENTS_SMALL: u64 = 20;

/// Only main pings, which are the large ones.
const MATCHER: &str = "Type == 'telemetry-raw' && Fields[uri] =~ '/main/'";

struct Loader;

/// Measures the first engine only: others have no loader.
///
/// # Errors
/// When an engine fails or a document is refused.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let file = submissions(bench)?;
    let mut figures = throughput::measure(&Loader, bench)?;
    let megabytes =
        json_bytes(&file)? as f64 / 1e6 / bench.messages(&Loader, &bench.engines[0]) as f64;
    let rate = figures.iter().find(|figure| figure.name == "messages/s");
    let rate = rate.context("a rate")?.values.clone();
    let scaled = |factor: f64| rate.iter().map(|value| Some((*value)? * factor)).collect();
    figures.insert(1, Figure::more("MB/s of JSON", scaled(megabytes)));
    Ok(figures)
}

/// Lets the producer post until the file has enough submissions.
fn submissions(bench: &Bench) -> Result<PathBuf> {
    let engine = bench.engines.first().context("an engine")?;
    let wanted = bench.messages(&Loader, engine);
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    dir.use_our_plugins()?;
    let port = free_port();
    let edge = format!("port = {port}\ninstruction_limit = 0\ntype = 'telemetry-raw'");
    dir.installed(Stage::Input, "edge", "http_edge.lua", &edge)?;
    let producer = format!(
        "port = {port}\ninstruction_limit = 0\nmemory_limit = 134217728\nticker_interval = 1\nrate = 5000\nbroken = 0\nduplicate = 0\n\
         fault_interval = 0"
    );
    dir.installed(
        Stage::Input,
        "producer",
        "telemetry_producer.lua",
        &producer,
    )?;
    let raw = bench.directory.join("raw.heka");
    let collect = format!(
        "message_matcher = \"{MATCHER}\"\noutput_file = {:?}",
        raw.display().to_string()
    );
    dir.installed(Stage::Output, "collect", "heka_file.lua", &collect)?;
    let mut live = Live::start(&mut engine.run(&dir.root), &dir.root)?;
    live.wait_until("the submissions", |_| {
        count(&raw).is_ok_and(|n| n >= wanted)
    })?;
    live.stop()?;
    let file = bench.directory.join(FILE);
    let bytes = fs::read(&raw)?;
    let end = schemas::frame::records(&bytes)
        .nth(wanted as usize - 1)
        .map(|record| record.offset + record.framed.len());
    fs::write(&file, &bytes[..end.context("enough submissions")?])?;
    Ok(file)
}

fn count(file: &Path) -> Result<u64> {
    Ok(schemas::frame::records(&fs::read(file)?).count() as u64)
}

/// Bytes of all documents once they are inflated: gzip tells it in its last four bytes.
fn json_bytes(file: &Path) -> Result<u64> {
    let bytes = fs::read(file)?;
    let mut index = schemas::Index::default();
    let mut sum = 0;
    for record in schemas::frame::records(&bytes) {
        index.outline(record.message)?;
        let view = index.view(record.message);
        let Some(schemas::Value::Bytes(body)) = view.value(b"content", 0, 0) else {
            anyhow::bail!("a submission without content");
        };
        let size = body.last_chunk::<4>().context("a gzipped body")?;
        sum += u64::from(u32::from_le_bytes(*size));
    }
    Ok(sum)
}

impl Workload for Loader {
    fn name(&self) -> String {
        "loader".to_owned()
    }

    fn about(&self) -> &'static str {
        ABOUT
    }

    fn messages(&self, _engine: &Engine) -> u64 {
        DOCUMENTS
    }

    fn messages_small(&self) -> u64 {
        DOCUMENTS_SMALL
    }

    fn suits(&self, engine: &Engine) -> bool {
        !engine.asks_every_matcher
    }

    fn prepare(&self, dir: &RunDir, scratch: &Path, messages: u64) -> Result<()> {
        dir.use_our_plugins()?;
        let none = scratch.join("none.heka");
        fs::write(&none, [])?;
        let file = if messages == 0 {
            none
        } else {
            scratch.join(FILE)
        };
        let schemas = rundir::project("schemas/json");
        let config = format!(
            "frames = {:?}\nmemory_limit = 268435456\noutput_limit = 8388608\n\
             decoders_moz_ingest_common = {{\nsub_decoders = {{ telemetry = 'decoders.moz_ingest.telemetry' }},\n\
             error_on_missing_sub_decoder = true, cf_items = 100000 }}\n\
             decoders_moz_ingest_telemetry = {{ schema_path = [[{}/telemetry]] }}",
            file.display().to_string(),
            schemas.display()
        );
        dir.plugin(Stage::Input, "load", "load.lua", &config)?;
        let config = "message_matcher = \"Type == 'telemetry'\"\nreport = true";
        dir.plugin(Stage::Analysis, "validated", "count.lua", config)?;
        dir.report()
    }

    fn check(&self, dir: &RunDir, messages: u64) -> Result<()> {
        let (count, _) = dir.counts()?;
        ensure!(
            count == messages,
            "{count} documents of {messages} were validated"
        );
        Ok(())
    }
}
