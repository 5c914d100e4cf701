//! `run` and `replay`: the engine from its configuration to its exit code.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, bail};
use queue::{Options, Position, Queue, Report};

use crate::checkpoint_file::Checkpoints;
use crate::checkpoints::Recorder;
use crate::config::{self, KINDS, Main};
use crate::engine::Engine;
use crate::load::LoadDir;
pub use crate::shared::Mode;
use crate::shared::{Shared, StopState, exit_bit};
use crate::web_ui::WebUi;

/// What the command line asked for.
pub struct RunOptions {
    /// The main configuration.
    pub config: Main,
    /// Until told to stop, or until the inputs end.
    pub mode: Mode,
    /// 0 to 7; plugins print at 7.
    pub log_level: u8,
    /// Whether rates are shown on the terminal.
    pub show_progress: bool,
}

/// Held by the engine that uses an output directory.
const LOCK_FILE: &str = "foresight.lock";

/// Bytes of a frame around the largest message.
const FRAME_MAX: usize = schemas::frame::HEADER_LEN_MAX;

/// Runs the engine to its end; the result is the program's exit code.
///
/// In a replay its bits say which kinds of plugins failed (see [`exit_bit`]).
pub fn run(options: RunOptions) -> u8 {
    match start(options) {
        Ok(bits) => bits,
        Err(error) => {
            tracing::error!(target: "hindsight", "{error:#}");
            exit_bit::SYSTEM
        }
    }
}

fn start(options: RunOptions) -> anyhow::Result<u8> {
    let signals = Signals::listen().context("listening for signals")?;
    stdx::files::raise_descriptor_limit();
    let RunOptions {
        config,
        mode,
        log_level,
        show_progress,
    } = options;
    prepare_directories(&config)?;
    let (checkpoints, damages) = Checkpoints::read(&config.output_path).with_context(|| {
        format!(
            "reading the checkpoints in {}",
            config.output_path.display()
        )
    })?;
    for damage in damages {
        tracing::error!(target: "checkpoint_reader", "{damage}");
    }
    let _lock = lock(&config.output_path)?;
    let sync = config.sync != config::Sync::Never;
    let path = config.output_path.join(crate::checkpoint_file::FILE_NAME);
    let recorder = Recorder::new(path, checkpoints, sync);
    let input_queue = open_queue(&config, "input", recorder.highest_place("input"))?;
    let analysis_queue = open_queue(&config, "analysis", recorder.highest_place("analysis"))?;
    let load = LoadDir::open(&config).context("watching the load directory")?;
    if !sandbox::compiler_can_be_stopped() {
        tracing::warn!(
            target: "hindsight",
            "LuaJIT was built without the hook check, so all plugins run with its compiler off"
        );
    }
    let modules = Arc::new(modules());
    let shared = Shared::new(
        config,
        mode,
        log_level,
        input_queue,
        analysis_queue,
        modules,
    );
    signals.abort_stops(&shared);
    let mut engine = Engine::new(shared.clone(), recorder, load, show_progress);
    if let Some(options) = shared.config.admin.clone() {
        let web_ui = WebUi::start(&shared, options).map_err(anyhow::Error::msg);
        engine.show_on(web_ui.context("starting the web UI")?);
    }
    engine.start();
    tracing::info!(target: "hindsight", "started");
    engine.supervise(|| signals.seen() > 0);
    tracing::info!(target: "hindsight", "stopping");
    engine.stop();
    tracing::info!(target: "hindsight", "stopped");
    Ok(match mode {
        // A plugin's fault stops that plugin, not the engine: it is no failure of the program.
        Mode::Run => shared.exit_bits() & exit_bit::SYSTEM,
        Mode::Replay => shared.exit_bits(),
    })
}

/// Native modules that plugins may require.
pub fn modules() -> sandbox::native::Registry {
    let mut registry = sandbox::native::Registry::new();
    lpeg::register(&mut registry);
    json::register(&mut registry);
    library::register(&mut registry);
    analysis::register(&mut registry);
    input::register(&mut registry);
    kafka::register(&mut registry);
    output::register(&mut registry);
    columnar::register(&mut registry);
    registry
}

fn prepare_directories(config: &Main) -> anyhow::Result<()> {
    let missing = config.missing_directories();
    if !missing.is_empty() {
        let lines: Vec<String> = missing.iter().map(|fault| fault.to_string()).collect();
        bail!("{}", lines.join("\n"));
    }
    for kind in KINDS {
        remove_err_files(&config.run_dir(kind))?;
    }
    std::fs::create_dir_all(&config.output_path)
        .with_context(|| format!("creating {}", config.output_path.display()))
}

/// Two engines in one directory would tear each other's queues apart; the lock goes with the process.
fn lock(output_path: &Path) -> anyhow::Result<std::fs::File> {
    let path = output_path.join(LOCK_FILE);
    let file =
        std::fs::File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("another engine uses {}", output_path.display())
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", path.display()))
        }
    }
}

/// Reasons of an earlier run are removed; each plugin is tried anew.
fn remove_err_files(dir: &Path) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "err") {
            std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

fn open_queue(config: &Main, name: &'static str, end: Option<Position>) -> anyhow::Result<Queue> {
    let max = config.max_message_size;
    let scan = move |bytes: &[u8]| scan(bytes, max);
    let mut options = Options::new(config.output_path.join(name), Arc::new(scan));
    options.segment_size = config.output_size;
    options.record_max = config.max_message_size + FRAME_MAX;
    options.sync = match config.sync {
        config::Sync::Always => queue::Sync::Always,
        config::Sync::Interval(interval) => queue::Sync::Interval(interval),
        config::Sync::Never => queue::Sync::Never,
    };
    options.backpressure = config.backpressure;
    options.disk_free_min = config.backpressure_disk_free * config.output_size;
    let retention = &config.retention;
    options.keep_bytes = (retention.keep_bytes > 0).then_some(retention.keep_bytes);
    options.keep_age = (!retention.keep_age.is_zero()).then_some(retention.keep_age);
    options.max_bytes = retention.max_bytes;
    options.max_age = retention.max_age;
    options.at_least = end.unwrap_or_default();
    options.report = Arc::new(move |report| log_report(name, &report));
    let dir = options.dir.clone();
    let (queue, recovery) =
        Queue::open(options).with_context(|| format!("opening the queue {}", dir.display()))?;
    if !recovery.is_clean() {
        tracing::warn!(target: "output", "queue {name}: {recovery:?}");
    }
    Ok(queue)
}

/// Where the next record of a queue lies, as the queue asks for it.
fn scan(bytes: &[u8], max_message_size: usize) -> queue::Scan {
    match schemas::frame::scan(bytes, max_message_size) {
        // No checksum vouches for these bytes, so they must at least be a message.
        schemas::frame::Scan::Frame { header, message } => {
            match schemas::validate(&bytes[header..header + message]) {
                Ok(()) => queue::Scan::Record(header + message),
                Err(_) => queue::Scan::Skip(1),
            }
        }
        schemas::frame::Scan::Need(_) => queue::Scan::Partial,
        schemas::frame::Scan::Skip(n) => queue::Scan::Skip(n),
    }
}

fn log_report(name: &str, report: &Report) {
    if report.is_error() {
        tracing::error!(target: "output", "queue {name}: {report}");
    } else {
        tracing::info!(target: "output", "queue {name}: {report}");
    }
}

/// SIGINT and SIGTERM: the first stops cleanly, the second at once.
struct Signals {
    seen: Arc<AtomicUsize>,
    iterator: std::sync::Mutex<Option<signal_hook::iterator::Signals>>,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let iterator = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let iterator = std::sync::Mutex::new(Some(iterator));
        Ok(Signals {
            seen: Arc::new(AtomicUsize::new(0)),
            iterator,
        })
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::Acquire)
    }

    /// Starts the thread that counts signals; the second one ends the process.
    fn abort_stops(&self, shared: &Arc<Shared>) {
        let iterator = self
            .iterator
            .lock()
            .expect("nothing panics under this lock")
            .take();
        let Some(mut iterator) = iterator else { return };
        let (seen, shared) = (self.seen.clone(), shared.clone());
        let work = move || {
            for _ in iterator.forever() {
                if seen.fetch_add(1, Ordering::AcqRel) > 0 {
                    tracing::error!(target: "hindsight", "second stop signal received, aborting");
                    // Nothing is waited for: what was not acknowledged is repeated at the next start.
                    std::process::exit(i32::from(exit_bit::SYSTEM));
                }
                tracing::info!(target: "hindsight", "stop signal received");
                shared.stop.advance(StopState::Stopping);
            }
        };
        if let Err(error) = std::thread::Builder::new()
            .name("signals".into())
            .spawn(work)
        {
            tracing::error!(target: "hindsight", "starting the signal thread: {error}");
        }
    }
}
