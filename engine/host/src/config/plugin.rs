//! One plugin's configuration: what its file says, over what the main configuration presets.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbox::Kind;
use sandbox::config_file::{self, ConfigFile};
use sandbox::value::{Table, Value};
use stdx::backoff::Schedule;

use super::fault::{Fault, Faults};
use super::keys;
use super::section::Section;
use super::{InitialPosition, Main, kind_name, notices, unreadable};

/// Largest message every analysis sandbox is told, whatever the engine's value is; Hindsight does the same.
const ANALYSIS_MAX_MESSAGE_SIZE: f64 = 65_536.0;

/// Input limit every sandbox is told.
const INPUT_LIMIT: f64 = 65_536.0;

/// Which queues an output plugin reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadQueue {
    /// The input and the analysis queue, oldest Timestamp first.
    Both,
    /// The input queue.
    Input,
    /// The analysis queue.
    Analysis,
}

impl ReadQueue {
    /// The word of the configuration.
    pub fn word(self) -> &'static str {
        match self {
            ReadQueue::Both => "both",
            ReadQueue::Input => "input",
            ReadQueue::Analysis => "analysis",
        }
    }

    fn from_word(word: &str) -> ReadQueue {
        match word {
            "input" => ReadQueue::Input,
            "analysis" => ReadQueue::Analysis,
            _ => ReadQueue::Both,
        }
    }

    /// Whether the input queue is read.
    pub fn reads_input(self) -> bool {
        self != ReadQueue::Analysis
    }

    /// Whether the analysis queue is read.
    pub fn reads_analysis(self) -> bool {
        self != ReadQueue::Input
    }
}

/// What a plugin's file can set and a `*_defaults` table can preset.
/// Fields that a kind does not know keep their defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Bytes of the payload buffer.
    pub output_limit: usize,
    /// Bytes of Lua memory; 0 for no limit.
    pub memory_limit: usize,
    /// Lua instructions per call; 0 for no limit.
    pub instruction_limit: u64,
    /// Descriptors open at a time; 0 for no limit.
    pub descriptor_limit: usize,
    /// Interval of timer_event in whole seconds; 0 for never.
    pub ticker_interval_s: u64,
    /// Whether global data outlives a restart.
    pub preserve_data: bool,
    /// Whether injected messages get the plugin's own Logger, Hostname and Pid.
    pub restricted_headers: bool,
    /// Whether the termination of the plugin stops the engine.
    pub shutdown_on_terminate: bool,
    /// Messages per process_message call (analysis).
    pub process_message_inject_limit: u32,
    /// Messages per timer_event call (analysis).
    pub timer_event_inject_limit: u32,
    /// Whether a termination removes the positions (output).
    pub remove_checkpoints_on_terminate: bool,
    /// Which queues are read (output).
    pub read_queue: ReadQueue,
    /// How often preserved data is saved while running; `None` only at a stop.
    pub preserve_interval: Option<Duration>,
    /// Whether the just-in-time compiler may work.
    pub jit: bool,
    /// A call that takes longer is stuck; `None` for never.
    pub stuck_after: Option<Duration>,
    /// Where a plugin without a position starts (analysis, output).
    pub initial_position: InitialPosition,
    /// Waits between retries (output).
    pub retry: Schedule,
    /// Whether messages that failed for good are kept (output).
    pub dead_letter: bool,
}

impl Settings {
    /// What holds when no file says anything.
    pub fn of_kind(kind: Kind) -> Settings {
        let mut faults = Vec::new();
        let empty = Table::new();
        let mut section = Section::file(Path::new(""), &empty, keys::defaults(kind), &mut faults);
        let millis =
            |section: &mut Section, name| Duration::from_millis(section.number_or_default(name));
        let output = kind == Kind::Output;
        let mut all = Settings {
            output_limit: section.number_or_default("output_limit") as usize,
            memory_limit: section.number_or_default("memory_limit") as usize,
            instruction_limit: section.number_or_default("instruction_limit"),
            descriptor_limit: section.number_or_default("descriptor_limit") as usize,
            ticker_interval_s: section.number_or_default("ticker_interval"),
            preserve_data: false,
            restricted_headers: kind == Kind::Analysis,
            shutdown_on_terminate: false,
            process_message_inject_limit: 0,
            timer_event_inject_limit: 0,
            remove_checkpoints_on_terminate: false,
            read_queue: ReadQueue::Both,
            preserve_interval: interval(
                section.number_or_default("preserve_interval"),
                Duration::from_secs,
            ),
            jit: true,
            stuck_after: interval(
                section.number_or_default("stuck_after_ms"),
                Duration::from_millis,
            ),
            initial_position: InitialPosition::Hindsight,
            retry: Schedule {
                first: Duration::ZERO,
                longest: Duration::ZERO,
                attempts: None,
            },
            dead_letter: false,
        };
        if kind == Kind::Analysis {
            let limit = |section: &mut Section, name| section.number_or_default(name) as u32;
            all.process_message_inject_limit = limit(&mut section, "process_message_inject_limit");
            all.timer_event_inject_limit = limit(&mut section, "timer_event_inject_limit");
        }
        if output {
            all.retry.first = millis(&mut section, "retry_delay_ms");
            all.retry.longest = millis(&mut section, "retry_delay_max_ms");
        }
        all
    }

    /// These settings with what `section` says in place of them.
    pub(super) fn read(mut self, kind: Kind, section: &mut Section) -> Settings {
        self.output_limit = section.number("output_limit", self.output_limit as u64) as usize;
        self.memory_limit = section.number("memory_limit", self.memory_limit as u64) as usize;
        self.instruction_limit = section.number("instruction_limit", self.instruction_limit);
        self.descriptor_limit =
            section.number("descriptor_limit", self.descriptor_limit as u64) as usize;
        self.ticker_interval_s = section.number("ticker_interval", self.ticker_interval_s);
        self.preserve_data = section.truth("preserve_data", self.preserve_data);
        self.restricted_headers = section.truth("restricted_headers", self.restricted_headers);
        self.shutdown_on_terminate =
            section.truth("shutdown_on_terminate", self.shutdown_on_terminate);
        let preserve = self
            .preserve_interval
            .map_or(0, |interval| interval.as_secs());
        let preserve = section.number("preserve_interval", preserve);
        self.preserve_interval = interval(preserve, Duration::from_secs);
        self.jit = section.truth("jit", self.jit);
        let stuck = section.number("stuck_after_ms", self.stuck_after.map_or(0, milliseconds));
        self.stuck_after = interval(stuck, Duration::from_millis);
        match kind {
            Kind::Input => {}
            Kind::Analysis => self.read_analysis(section),
            Kind::Output => self.read_output(section),
        }
        self
    }

    fn read_analysis(&mut self, section: &mut Section) {
        let mut limit = |name, now: u32| section.number(name, u64::from(now)) as u32;
        self.process_message_inject_limit = limit(
            "process_message_inject_limit",
            self.process_message_inject_limit,
        );
        self.timer_event_inject_limit =
            limit("timer_event_inject_limit", self.timer_event_inject_limit);
        self.initial_position = section.place("initial_position", self.initial_position);
    }

    fn read_output(&mut self, section: &mut Section) {
        self.remove_checkpoints_on_terminate = section.truth(
            "remove_checkpoints_on_terminate",
            self.remove_checkpoints_on_terminate,
        );
        self.read_queue =
            ReadQueue::from_word(section.choice("read_queue", self.read_queue.word()));
        self.initial_position = section.place("initial_position", self.initial_position);
        let attempts = self.retry.attempts.map_or(0, u64::from);
        let attempts = section.number("retry_max_attempts", attempts) as u32;
        self.retry.attempts = (attempts > 0).then_some(attempts);
        let first = section.number("retry_delay_ms", milliseconds(self.retry.first));
        let longest = section.number("retry_delay_max_ms", milliseconds(self.retry.longest));
        if first > longest && (section.has("retry_delay_ms") || section.has("retry_delay_max_ms")) {
            let message = "retry_delay_max_ms must be greater than or equal to retry_delay_ms";
            section.unusable(
                "retry_delay_max_ms",
                message.into(),
                format!("retry_delay_ms is {first}"),
            );
        }
        self.retry.first = Duration::from_millis(first);
        self.retry.longest = Duration::from_millis(longest);
        self.dead_letter = section.truth("dead_letter", self.dead_letter);
    }
}

/// An interval of 0 never comes.
fn interval(number: u64, unit: impl Fn(u64) -> Duration) -> Option<Duration> {
    (number > 0).then(|| unit(number))
}

fn milliseconds(interval: Duration) -> u64 {
    interval.as_millis() as u64
}

/// A plugin as the program uses it.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Its stage.
    pub kind: Kind,
    /// `<type>.<stem>`, also the Logger of its messages.
    pub name: String,
    /// The configuration file.
    pub cfg: PathBuf,
    /// Where its errors are written: `<run>/<type>/<stem>.err`.
    pub err: PathBuf,
    /// The Lua source's name as written.
    pub filename: String,
    /// Its settings over the defaults.
    pub settings: Settings,
    /// The expression as written (analysis, output).
    pub message_matcher: Option<String>,
    /// The line of `message_matcher`, 0 when unknown.
    pub message_matcher_line: u32,
    /// Hindsight's thread number, if one is set (analysis). Nothing depends on it.
    pub thread: Option<u32>,
    /// Messages that may be without an answer (output).
    pub async_buffer_size: usize,
    /// Everything the file set, which `read_config` serves.
    pub user: Table,
    /// The text of the file, which the runtime configuration repeats.
    pub text: Vec<u8>,
    /// What should be logged about the file though it is no fault.
    pub notices: Vec<String>,
}

/// A plugin's settings are read as if they were its own fields.
impl std::ops::Deref for Plugin {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

impl Plugin {
    /// Reads the file `cfg` of a plugin of `kind`.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn load(main: &Main, kind: Kind, cfg: &Path) -> Result<Plugin, Faults> {
        let text = std::fs::read(cfg).map_err(|error| Faults(vec![unreadable(cfg, &error)]))?;
        Plugin::parse(main, kind, cfg, text)
    }

    /// As [`Plugin::load`], with the text at hand.
    ///
    /// # Errors
    /// All faults of the text.
    pub fn parse(main: &Main, kind: Kind, cfg: &Path, text: Vec<u8>) -> Result<Plugin, Faults> {
        let name = plugin_name(kind, cfg).map_err(|fault| Faults(vec![*fault]))?;
        let file = config_file::evaluate(&text).map_err(|error| super::not_lua(cfg, &error))?;
        let notices = notices(cfg, &file.skipped);
        let mut faults = Vec::new();
        let plugin = read(main, kind, cfg, &file, &mut faults);
        super::refuse_if_any(faults)?;
        Ok(Plugin {
            name,
            user: file.table,
            text,
            notices,
            ..plugin
        })
    }

    /// The file of its errors.
    pub fn err_path(&self) -> &Path {
        &self.err
    }

    /// The stem of the file: the name without the kind.
    pub fn stem(&self) -> &str {
        stem_of(&self.name)
    }

    /// The path of the Lua source: beside the configuration, or in `<sandbox_install_path>/<type>`.
    ///
    /// # Errors
    /// A fault in Hindsight's words when it is in neither place.
    pub fn find_source(&self, main: &Main) -> Result<PathBuf, Box<Fault>> {
        let beside = self.cfg.with_file_name(&self.filename);
        let installed = main
            .sandbox_install_path
            .join(kind_name(self.kind))
            .join(&self.filename);
        for path in [&beside, &installed] {
            if path.is_file() {
                return Ok(path.clone());
            }
        }
        let message = format!(
            "{} failed to find the specified lua filename: {}",
            self.name, self.filename
        );
        let hint = format!(
            "looked for {} and {}",
            beside.display(),
            installed.display()
        );
        let line = self.user.entry("filename").map_or(0, |entry| entry.line);
        let fault = Fault {
            key: "filename".into(),
            ..Fault::new(&self.cfg, message)
        };
        Err(Box::new(fault.at(line).hint(hint)))
    }

    /// What `read_config` serves: the user's keys, with the host's own in place of those that are reserved
    /// or have a default.
    pub fn served(&self, main: &Main, log_level: u8) -> Table {
        let mut table = self.user.clone();
        table.set("Hostname", main.hostname.as_str());
        table.set("Pid", f64::from(main.pid));
        table.set("log_level", f64::from(log_level));
        let (path, cpath) = main.lua_paths(self.kind);
        table.set("path", path);
        table.set("cpath", cpath);
        match self.kind {
            Kind::Analysis => force_max_message_size(&mut table),
            Kind::Input | Kind::Output => set_paths(&mut table, main),
        }
        if let Some(admin) = &main.admin
            && table.get("admin_url").is_none()
        {
            table.set("admin_url", admin.url(&main.hostname).as_str());
        }
        self.serve_settings(&mut table);
        table
    }

    fn serve_settings(&self, table: &mut Table) {
        let settings = &self.settings;
        table.set("Logger", self.name.as_str());
        table.set("output_limit", settings.output_limit as f64);
        table.set("memory_limit", settings.memory_limit as f64);
        table.set("instruction_limit", settings.instruction_limit as f64);
        table.set("ticker_interval", settings.ticker_interval_s as f64);
        table.set("preserve_data", settings.preserve_data);
        table.set("restricted_headers", settings.restricted_headers);
        table.set("shutdown_on_terminate", settings.shutdown_on_terminate);
        if table
            .get("input_limit")
            .and_then(Value::as_number)
            .is_none()
        {
            table.set("input_limit", INPUT_LIMIT);
        }
        match self.kind {
            Kind::Input => {}
            Kind::Analysis => {
                table.set("thread", f64::from(self.thread.unwrap_or(0)));
                let limit = settings.process_message_inject_limit;
                table.set("process_message_inject_limit", f64::from(limit));
                table.set(
                    "timer_event_inject_limit",
                    f64::from(settings.timer_event_inject_limit),
                );
            }
            Kind::Output => {
                table.set("async_buffer_size", self.async_buffer_size as f64);
                let remove = settings.remove_checkpoints_on_terminate;
                table.set("remove_checkpoints_on_terminate", remove);
                table.set("read_queue", settings.read_queue.word());
            }
        }
    }
}

fn force_max_message_size(table: &mut Table) {
    let own = table.get("max_message_size").and_then(Value::as_number);
    if own.is_none_or(|size| size <= 0.0) {
        table.set("max_message_size", ANALYSIS_MAX_MESSAGE_SIZE);
    }
}

fn set_paths(table: &mut Table, main: &Main) {
    let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
    table.set("output_path", bytes(&main.output_path));
    table.set("output_size", main.output_size as f64);
    table.set("max_message_size", main.max_message_size as f64);
    let load = main.sandbox_load_path.as_deref().unwrap_or(Path::new(""));
    table.set("sandbox_load_path", bytes(load));
    table.set("sandbox_run_path", bytes(&main.sandbox_run_path));
    table.set("sandbox_install_path", bytes(&main.sandbox_install_path));
}

/// The plugin's name, which comes from the file's.
fn plugin_name(kind: Kind, cfg: &Path) -> Result<String, Box<Fault>> {
    let stem = cfg.file_stem().and_then(|stem| stem.to_str());
    match stem {
        Some(stem) if cfg.extension().is_some_and(|extension| extension == "cfg") => {
            Ok(format!("{}.{stem}", kind_name(kind)))
        }
        _ => {
            let message =
                "the name of a plugin's configuration must be UTF-8 text and end with .cfg";
            Err(Box::new(Fault::new(cfg, message)))
        }
    }
}

fn stem_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, stem)| stem)
}

fn read(main: &Main, kind: Kind, cfg: &Path, file: &ConfigFile, faults: &mut Vec<Fault>) -> Plugin {
    let mut section = Section::file(cfg, &file.table, keys::plugin(kind), faults);
    let settings = main.defaults(kind).clone().read(kind, &mut section);
    let filename = filename(&mut section);
    let message_matcher = match kind {
        Kind::Input => None,
        Kind::Analysis | Kind::Output => section.utf8("message_matcher"),
    };
    let thread = (kind == Kind::Analysis && section.has("thread"))
        .then(|| section.number("thread", 0) as u32);
    let async_buffer_size = match kind {
        Kind::Output => section.number_or_default("async_buffer_size") as usize,
        Kind::Input | Kind::Analysis => 0,
    };
    let message_matcher_line = file
        .table
        .entry("message_matcher")
        .map_or(0, |entry| entry.line);
    Plugin {
        kind,
        name: String::new(),
        cfg: cfg.to_path_buf(),
        err: main
            .run_dir(kind)
            .join(cfg.with_extension("err").file_name().unwrap_or_default()),
        filename,
        settings,
        message_matcher,
        message_matcher_line,
        thread,
        async_buffer_size,
        user: Table::new(),
        text: Vec::new(),
        notices: Vec::new(),
    }
}

fn filename(section: &mut Section) -> String {
    let Some(name) = section.utf8("filename") else {
        return String::new();
    };
    if name.contains(['/', '\\']) {
        let hint = "put the file beside the configuration, or into <sandbox_install_path>/<type>";
        section.unusable(
            "filename",
            "filename must not contain a path component".into(),
            hint.into(),
        );
    } else if name.len() <= ".lua".len() || !name.ends_with(".lua") {
        section.unusable(
            "filename",
            "filename must have a .lua extension".into(),
            String::new(),
        );
    }
    name
}
