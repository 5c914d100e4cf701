//! The main job on embedded defaults: a platform in one process, from an HTTP edge with a crowd of clients to landfill,
//! documents, errors and counts, beside this machine's own logs.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::config::Main;
use crate::run::{Mode, RunOptions, run};

/// Files by their path, listed by the build script.
type Files = &'static [(&'static str, &'static str)];

/// Every plugin and module of the distribution, by its path below `plugins/`.
const PLUGINS: Files = include!(concat!(env!("OUT_DIR"), "/plugins.rs"));

/// The configuration, by its path below the root; what stands between `@` is filled in.
const CONFIGURATION: Files = include!(concat!(env!("OUT_DIR"), "/demo.rs"));

/// How submissions are decoded, for the loader's configuration, whichever way they come to it.
const DECODERS: &str = include_str!("../demo/decoders.lua");

/// The schemas of submissions, by their path below `schemas/json/`.
const SCHEMAS: Files = include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

/// A database that knows where the producer's clients are: made-up places of addresses for documentation.
const PLACES: &[u8] = include_bytes!("../../../tests/modules/data/places.mmdb");

/// Which folders the lake of messages has.
const LAKE: &str = include_str!("../demo/lake.json");

/// Log files that are followed where they exist, and how their lines are decoded.
const LOG_FILES: &[(&str, &str)] = &[
    ("/var/log/syslog", "decoders.syslog"),
    ("/var/log/messages", "decoders.syslog"),
    ("/var/log/auth.log", "decoders.syslog"),
    ("/var/log/kern.log", "decoders.syslog"),
    ("/var/log/daemon.log", "decoders.syslog"),
    ("/var/log/dpkg.log", "decoders.lines"),
    ("/var/log/alternatives.log", "decoders.lines"),
    ("/var/log/apt/history.log", "decoders.lines"),
    ("/var/log/nginx/access.log", "decoders.lines"),
];

/// What the path of a configuration file begins with that is used with Kafka only.
const WITH_KAFKA: &str = "kafka/";

/// The monitor of errors has so many rows before the first fault: it needs twelve to know what is usual.
const ROWS_BEFORE_FAULT: u32 = 18;

/// If the wanted port is taken, so many after it are tried.
const PORTS_TRIED: u16 = 50;

/// What the command line can change.
pub struct DemoOptions {
    /// Where everything is put.
    pub output: PathBuf,
    /// The port for submissions by HTTP on 127.0.0.1.
    pub port: u16,
    /// The port for syslog over UDP and TCP on 127.0.0.1.
    pub syslog_port: u16,
    /// Submissions a second that the producer posts; 0 for no producer.
    pub rate: u32,
    /// Seconds from the start to the producer's first fault.
    pub fault_after: u32,
    /// A broker of Kafka, `host:port`, through which raw submissions go to the loader; none: they go through the queue.
    pub kafka: Option<String>,
    /// The port of the web UI on 127.0.0.1.
    pub admin_port: u16,
    /// 0 to 7.
    pub log_level: u8,
    /// Whether rates are shown.
    pub show_progress: bool,
}

/// Where things are, as it was decided at the start.
struct Place {
    root: PathBuf,
    edge_port: u16,
    syslog_port: u16,
    rate: u32,
    fault_after: u32,
    kafka: Option<String>,
    admin_port: u16,
    followed: Vec<(&'static str, &'static str)>,
}

impl Place {
    /// Whether a file of [`CONFIGURATION`] is used.
    fn wants(&self, path: &str) -> bool {
        match path {
            "run/input/producer.cfg" => self.rate > 0,
            "run/output/loader.cfg" => self.kafka.is_none(),
            _ => !path.starts_with(WITH_KAFKA) || self.kafka.is_some(),
        }
    }
}

/// Writes the configuration below `output` and runs the engine on it.
///
/// # Errors
/// What could not be written, or a configuration that was changed by hand and is wrong.
pub fn demo(options: DemoOptions) -> anyhow::Result<u8> {
    let readable = |(path, _): &&(&str, &str)| fs::File::open(path).is_ok();
    let place = Place {
        root: std::path::absolute(&options.output)?,
        edge_port: free_port(options.port)?,
        syslog_port: free_port(options.syslog_port)?,
        rate: options.rate,
        fault_after: options.fault_after,
        kafka: options.kafka,
        admin_port: free_port(options.admin_port)?,
        followed: LOG_FILES.iter().filter(readable).copied().collect(),
    };
    lay_out(&place.root)?;
    configure(&place)?;
    describe(&place);
    let config = Main::load(&place.root.join("foresight.cfg"))?;
    Ok(run(RunOptions {
        config,
        mode: Mode::Run,
        log_level: options.log_level,
        show_progress: options.show_progress,
    }))
}

/// Makes the folders and writes what is the same at every start. Schemas that are there stay as they are: they are the user's.
fn lay_out(root: &Path) -> anyhow::Result<()> {
    for kind in ["input", "analysis", "output"] {
        make_dir(&root.join("load").join(kind))?;
    }
    for dir in ["results/payload", "results/landfill"] {
        make_dir(&root.join(dir))?;
    }
    for (path, text) in PLUGINS {
        write(&root.join("plugins").join(path), text)?;
    }
    for (path, text) in SCHEMAS {
        write_new(&root.join("schemas").join(path), text.as_bytes())?;
    }
    write_new(&root.join("lake.json"), LAKE.as_bytes())?;
    write_new(&root.join("places.mmdb"), PLACES)
}

fn make_dir(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path).with_context(|| format!("creating {}", path.display()))
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
    }
    fs::write(path, content).with_context(|| format!("writing {}", path.display()))
}

fn write_new(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    write(path, content)
}

/// The first port from `wanted` on that is free for UDP and TCP on loopback.
fn free_port(wanted: u16) -> anyhow::Result<u16> {
    for port in wanted..=wanted.saturating_add(PORTS_TRIED) {
        let udp = UdpSocket::bind(("127.0.0.1", port));
        let tcp = TcpListener::bind(("127.0.0.1", port));
        if udp.is_ok() && tcp.is_ok() {
            return Ok(port);
        }
    }
    bail!(
        "no free port from {wanted} on; choose another with --port, --syslog-port or --admin-port"
    )
}

fn configure(place: &Place) -> anyhow::Result<()> {
    let root = place.root.display().to_string();
    for (path, text) in CONFIGURATION {
        let target = place
            .root
            .join(path.strip_prefix(WITH_KAFKA).unwrap_or(path));
        if !place.wants(path) {
            // One of an earlier start.
            let _ = fs::remove_file(target);
            continue;
        }
        let text = text
            .replace("@decoders@", DECODERS)
            .replace("@root@", &root)
            .replace("@edge_port@", &place.edge_port.to_string())
            .replace("@syslog_port@", &place.syslog_port.to_string())
            .replace("@admin_port@", &place.admin_port.to_string())
            .replace("@kafka@", place.kafka.as_deref().unwrap_or_default())
            .replace(
                "@row@",
                &(place.fault_after / ROWS_BEFORE_FAULT).max(1).to_string(),
            )
            .replace("@fault_after@", &place.fault_after.to_string())
            .replace("@rate@", &place.rate.to_string());
        write(&target, text)?;
    }
    for (path, decoder) in &place.followed {
        let name = path.trim_start_matches("/var/log/");
        let name = name.replace(['/', '.'], "_");
        let target = place.root.join("run/input").join(format!("{name}.cfg"));
        write(&target, tail_cfg(path, decoder))?;
    }
    Ok(())
}

fn tail_cfg(path: &str, decoder: &str) -> String {
    format!(
        "filename = 'tail.lua'\ninstruction_limit = 0\nticker_interval = 1\ninput_filename = '{path}'\n\
         decoder_module = '{decoder}'\nsend_decode_failures = true\ndefault_headers = {{ Type = 'log' }}\n"
    )
}

/// The files come ten seconds after the first documents.
fn describe_lake(root: &str) {
    println!("  {root}/results/lake/heka/       the same by type and country");
    println!("  {root}/results/lake/parquet/    the same as rows; try, after ten seconds:");
    println!(
        "             duckdb -c \"select doc_type, fields.geo_country, count(*) from read_parquet('{root}/results/lake/parquet/**/*.parquet', hive_partitioning = true) group by all order by all\""
    );
}

fn describe(place: &Place) {
    let root = place.root.display();
    let (port, syslog) = (place.edge_port, place.syslog_port);
    println!(
        "Foresight runs on its embedded defaults. Ctrl-C stops it; the next start goes on where it stopped.\n"
    );
    println!("Web UI");
    println!(
        "  http://127.0.0.1:{}/   graphs, plugins, messages, alerts\n",
        place.admin_port
    );
    println!("Input");
    println!("  listens  http://127.0.0.1:{port}/submit/   submissions; try:");
    println!(
        "             curl -d '{{\"page\":\"/\",\"seconds\":3}}' http://127.0.0.1:{port}/submit/web/visit/1/$(uuidgen)"
    );
    match place.rate {
        0 => println!("  no producer posts (--rate 0)"),
        rate => {
            println!(
                "  posts    {rate} submissions a second of made-up clients: good, broken, and sent twice"
            );
            println!(
                "           {} s after the start and every 300 s from then on a fault comes, which lasts 60 s: an alert tells it on the
           page Alerts, in the graph of analysis.errors_rate, and in results/alerts.json",
                place.fault_after
            );
        }
    }
    if let Some(broker) = &place.kafka {
        println!(
            "  sends    submissions through the topic telemetry-raw of {broker} to the loader"
        );
    }
    println!("  listens  127.0.0.1:{syslog}  syslog over UDP and TCP; try:");
    println!("             logger -n 127.0.0.1 -P {syslog} -d 'hello from UDP'");
    for (path, decoder) in &place.followed {
        println!("  follows  {path}  ({decoder})");
    }
    println!("Output");
    println!("  {root}/results/landfill/        every submission as it came");
    println!("  {root}/results/documents.heka   what is valid: foresight cat FILE");
    describe_lake(&root.to_string());
    println!(
        "  {root}/results/errors.heka      what is not, and why; a schema mended in {root}/schemas is used within a minute"
    );
    println!("  {root}/results/logs.json        service logs and duplicates, a line of JSON each");
    println!("  {root}/results/alerts.json      what the alert output tells, a line of JSON each");
    println!(
        "  {root}/results/payload/         throughput, counts and schema of the messages, renewed every 5 s"
    );
    println!("Plugins");
    println!("  {root}/run/    what runs; {root}/load/ takes new plugins while it runs");
    println!("  {root}/data/   queues, checkpoints, state, statistics\n");
}
