//! What the operator wrote, then what the program uses: the main configuration and those of the plugins.
//!
//! Files are Lua without libraries (`sandbox::config_file`). `keys` describes every key as data,
//! `section` reads tables by these descriptions and collects all faults at once, and the types here and in
//! `plugin` hold the result. Relative paths are relative to the working directory, as with Hindsight.

mod admin;
pub mod fault;
pub mod keys;
pub mod plugin;
mod section;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbox::config_file::{self, ConfigFileError, Skipped};
use sandbox::value::Table;

pub use fault::{Fault, Faults};
pub use plugin::{Plugin, ReadQueue, Settings};
pub use sandbox::Kind;
use section::Section;

use crate::calendar::parse_rfc3339;

/// Longest hostname in bytes, as with Hindsight.
const HOSTNAME_MAX: usize = 64;

/// All kinds, in the order in which messages meet them.
pub const KINDS: [Kind; 3] = [Kind::Input, Kind::Analysis, Kind::Output];

/// The directory, queue and name prefix of a kind: `input`, `analysis` or `output`.
pub fn kind_name(kind: Kind) -> &'static str {
    kind.name()
}

/// When messages are made safe from a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// Before they are acknowledged.
    Always,
    /// In this rhythm.
    Interval(Duration),
    /// When the system likes.
    Never,
}

/// What happens to segments that every reader has passed, and to queues that grow too large.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Bytes of passed segments to keep.
    pub keep_bytes: u64,
    /// Age up to which passed segments are kept.
    pub keep_age: Duration,
    /// Size beyond which even unread segments go.
    pub max_bytes: Option<u64>,
    /// Age beyond which even unread segments go.
    pub max_age: Option<Duration>,
}

/// Where a reader without a checkpoint starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InitialPosition {
    /// At the oldest message when the engine starts, at the newest when loaded while it runs.
    #[default]
    Hindsight,
    /// At the oldest message there is.
    Oldest,
    /// Behind the newest message.
    Newest,
    /// At the first message that is not older than this, in nanoseconds since 1970.
    Time(i64),
}

impl InitialPosition {
    fn from_seconds(seconds: f64) -> Option<InitialPosition> {
        let nanoseconds = seconds * 1e9;
        // Strictly less: the nearest double to i64::MAX is already too large.
        let fits = nanoseconds >= 0.0 && nanoseconds < i64::MAX as f64;
        fits.then_some(InitialPosition::Time(nanoseconds as i64))
    }

    fn from_text(text: &[u8]) -> Option<InitialPosition> {
        match text {
            b"oldest" => Some(InitialPosition::Oldest),
            b"newest" => Some(InitialPosition::Newest),
            other => parse_rfc3339(std::str::from_utf8(other).ok()?).map(InitialPosition::Time),
        }
    }
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Time, level and module as people read them.
    #[default]
    Foresight,
    /// `<unix ns> [level] <plugin|module> <message>`.
    Hindsight,
    /// One JSON object per line.
    Json,
}

impl LogFormat {
    /// The format of this name.
    pub fn from_word(word: &str) -> Option<LogFormat> {
        match word {
            "foresight" => Some(LogFormat::Foresight),
            "hindsight" => Some(LogFormat::Hindsight),
            "json" => Some(LogFormat::Json),
            _ => None,
        }
    }
}

/// The main configuration as the program uses it.
#[derive(Debug, Clone)]
pub struct Main {
    /// The file it came from.
    pub file: PathBuf,
    /// Directory of queues, checkpoints, states and statistics.
    pub output_path: PathBuf,
    /// Bytes after which a queue starts its next segment.
    pub output_size: u64,
    /// Segments the slowest reader may be behind; 0 for any number.
    pub backpressure: u64,
    /// Writers wait when less than this many times `output_size` is free; 0 for never.
    pub backpressure_disk_free: u64,
    /// Directory of dynamic loading, if it is on.
    pub sandbox_load_path: Option<PathBuf>,
    /// Directory of running plugins.
    pub sandbox_run_path: PathBuf,
    /// Where sources are looked up that do not lie beside their configuration.
    pub sandbox_install_path: PathBuf,
    /// Number of analysis threads, 1 to 64.
    pub analysis_threads: usize,
    /// Percent of use above which new analysis plugins wait; 0 for no limit.
    pub analysis_utilization_limit: u8,
    /// Module path of analysis plugins.
    pub analysis_lua_path: String,
    /// Shown to analysis plugins as `cpath`.
    pub analysis_lua_cpath: String,
    /// Module path of input and output plugins.
    pub io_lua_path: String,
    /// Shown to input and output plugins as `cpath`.
    pub io_lua_cpath: String,
    /// Largest encoded message in bytes.
    pub max_message_size: usize,
    /// The Hostname of messages that set none.
    pub hostname: String,
    /// This process.
    pub pid: i32,
    /// Presets of input plugins.
    pub input_defaults: Settings,
    /// Presets of analysis plugins.
    pub analysis_defaults: Settings,
    /// Presets of output plugins.
    pub output_defaults: Settings,
    /// When messages are made safe from a loss of power.
    pub sync: Sync,
    /// How often positions are collected and written.
    pub checkpoint_interval: Duration,
    /// What happens to passed segments.
    pub retention: Retention,
    /// Form of the log lines, if the file says one.
    pub log_format: Option<LogFormat>,
    /// The web UI, if there is one.
    pub admin: Option<::admin::Options>,
    /// What should be logged about the file though it is no fault.
    pub notices: Vec<String>,
}

impl Main {
    /// Reads the main configuration from `file`.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn load(file: &Path) -> Result<Main, Faults> {
        let text = std::fs::read(file).map_err(|error| Faults(vec![unreadable(file, &error)]))?;
        Main::parse(file, &text)
    }

    /// As [`Main::load`], with the text at hand.
    ///
    /// # Errors
    /// All faults of the text.
    pub fn parse(file: &Path, text: &[u8]) -> Result<Main, Faults> {
        let contents = config_file::evaluate(text).map_err(|error| not_lua(file, &error))?;
        let mut faults = Vec::new();
        let mut main = read(file, &contents.table, &mut faults);
        refuse_if_any(faults)?;
        main.notices.extend(notices(file, &contents.skipped));
        Ok(main)
    }

    /// The presets of `kind`.
    pub fn defaults(&self, kind: Kind) -> &Settings {
        match kind {
            Kind::Input => &self.input_defaults,
            Kind::Analysis => &self.analysis_defaults,
            Kind::Output => &self.output_defaults,
        }
    }

    /// The Lua module path and C module path of `kind`.
    pub fn lua_paths(&self, kind: Kind) -> (&str, &str) {
        match kind {
            Kind::Analysis => (&self.analysis_lua_path, &self.analysis_lua_cpath),
            Kind::Input | Kind::Output => (&self.io_lua_path, &self.io_lua_cpath),
        }
    }

    /// The directory in which the plugins of `kind` run.
    pub fn run_dir(&self, kind: Kind) -> PathBuf {
        self.sandbox_run_path.join(kind_name(kind))
    }

    /// The directory in which new plugins of `kind` are put, if dynamic loading is on.
    pub fn load_dir(&self, kind: Kind) -> Option<PathBuf> {
        self.sandbox_load_path
            .as_ref()
            .map(|path| path.join(kind_name(kind)))
    }

    /// The directories that must exist and do not.
    pub fn missing_directories(&self) -> Vec<Fault> {
        let run = KINDS
            .iter()
            .map(|kind| (self.run_dir(*kind), "sandbox_run_path"));
        let load = KINDS
            .iter()
            .filter_map(|kind| Some((self.load_dir(*kind)?, "sandbox_load_path")));
        run.chain(load)
            .filter(|(path, _)| !path.is_dir())
            .map(|(path, key)| {
                let message = format!("{}: directory does not exist", path.display());
                let hint = format!("mkdir -p {}", path.display());
                Fault {
                    key: key.into(),
                    ..Fault::new(&self.file, message)
                }
                .hint(hint)
            })
            .collect()
    }

    /// The file of a plugin's errors: `<run>/<type>/<stem>.err`.
    pub fn err_file(&self, kind: Kind, stem: &str) -> PathBuf {
        self.run_dir(kind).join(format!("{stem}.err"))
    }
}

fn read(file: &Path, table: &Table, faults: &mut Vec<Fault>) -> Main {
    let mut section = Section::file(file, table, &[keys::MAIN], faults);
    let mut notices = Vec::new();
    let output_path = path(&mut section, "output_path");
    let output_size = section.number_or_default("output_size");
    let backpressure = section.number_or_default("backpressure");
    let backpressure_disk_free = section.number_or_default("backpressure_disk_free");
    let load_path = path(&mut section, "sandbox_load_path");
    let admin = admin::read(&mut section, &output_path);
    let main = Main {
        file: file.to_path_buf(),
        output_path,
        output_size,
        backpressure,
        backpressure_disk_free,
        sandbox_load_path: (!load_path.as_os_str().is_empty()).then_some(load_path),
        sandbox_run_path: path(&mut section, "sandbox_run_path"),
        sandbox_install_path: path(&mut section, "sandbox_install_path"),
        analysis_threads: section.number_or_default("analysis_threads") as usize,
        analysis_utilization_limit: section.number_or_default("analysis_utilization_limit") as u8,
        analysis_lua_path: section.utf8("analysis_lua_path").unwrap_or_default(),
        analysis_lua_cpath: section.utf8("analysis_lua_cpath").unwrap_or_default(),
        io_lua_path: section.utf8("io_lua_path").unwrap_or_default(),
        io_lua_cpath: section.utf8("io_lua_cpath").unwrap_or_default(),
        max_message_size: section.number_or_default("max_message_size") as usize,
        hostname: hostname(&mut section, &mut notices),
        pid: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
        input_defaults: defaults(&mut section, Kind::Input),
        analysis_defaults: defaults(&mut section, Kind::Analysis),
        output_defaults: defaults(&mut section, Kind::Output),
        sync: sync(&mut section),
        checkpoint_interval: Duration::from_millis(
            section.number_or_default("checkpoint_interval_ms"),
        ),
        retention: retention(&mut section),
        log_format: log_format(&mut section),
        admin,
        notices,
    };
    check_output_limits(&main, &mut section);
    section.refuse_unknown();
    main
}

fn path(section: &mut Section, name: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes = section.text(name).unwrap_or_default();
    if bytes.contains(&0) {
        section.unusable(
            name,
            format!("{name} must not contain a NUL"),
            String::new(),
        );
        return PathBuf::new();
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

fn defaults(section: &mut Section, kind: Kind) -> Settings {
    let name = match kind {
        Kind::Input => "input_defaults",
        Kind::Analysis => "analysis_defaults",
        Kind::Output => "output_defaults",
    };
    let settings = Settings::of_kind(kind);
    match section.table(name) {
        Some(mut inner) => {
            let settings = settings.read(kind, &mut inner);
            inner.refuse_unknown();
            settings
        }
        None => settings,
    }
}

/// No plugin could send a payload as large as its limit allows if messages had to be smaller.
fn check_output_limits(main: &Main, section: &mut Section) {
    let largest = KINDS
        .iter()
        .map(|kind| (main.defaults(*kind).output_limit, *kind))
        .max_by_key(|(l, _)| *l);
    if let Some((limit, kind)) = largest.filter(|(limit, _)| *limit > main.max_message_size) {
        let message = "max_message_size must be greater than or equal to the sandbox output_limit"
            .to_string();
        let hint = format!(
            "max_message_size is {}, output_limit of {}_defaults is {limit}",
            main.max_message_size,
            kind_name(kind)
        );
        section.unusable("max_message_size", message, hint);
    }
}

fn sync(section: &mut Section) -> Sync {
    let interval = Duration::from_millis(section.number_or_default("sync_interval_ms"));
    match section.choice("sync", "interval") {
        "always" => Sync::Always,
        "never" => Sync::Never,
        _ => Sync::Interval(interval),
    }
}

fn retention(section: &mut Section) -> Retention {
    let Some(mut inner) = section.table("retention") else {
        return Retention::default();
    };
    let keep_bytes = inner.number_or_default("keep_bytes");
    let max_bytes = inner.number_or_default("max_bytes");
    if max_bytes > 0 && keep_bytes > max_bytes {
        let message = "max_bytes must be greater than or equal to keep_bytes".to_string();
        inner.unusable("max_bytes", message, format!("keep_bytes is {keep_bytes}"));
    }
    let keep_age = Duration::from_secs(inner.number_or_default("keep_age_s"));
    let max_age = Some(Duration::from_secs(inner.number_or_default("max_age_s")))
        .filter(|age| !age.is_zero());
    if let Some(age) = max_age.filter(|age| keep_age > *age) {
        let message = "max_age_s must be greater than or equal to keep_age_s".to_string();
        inner.unusable(
            "max_age_s",
            message,
            format!("max_age_s is {}", age.as_secs()),
        );
    }
    inner.refuse_unknown();
    Retention {
        keep_bytes,
        keep_age,
        max_bytes: (max_bytes > 0).then_some(max_bytes),
        max_age,
    }
}

fn log_format(section: &mut Section) -> Option<LogFormat> {
    let has = section.has("log_format");
    let word = section.choice("log_format", "foresight");
    LogFormat::from_word(word).filter(|_| has)
}

fn hostname(section: &mut Section, notices: &mut Vec<String>) -> String {
    let (mut name, origin) = match section.utf8("hostname") {
        Some(name) => (name, "configured"),
        None => (system_hostname(), "system"),
    };
    if name.len() > HOSTNAME_MAX {
        let end = (0..=HOSTNAME_MAX)
            .rev()
            .find(|end| name.is_char_boundary(*end))
            .unwrap_or(0);
        name.truncate(end);
        notices.push(format!("the {origin} hostname was truncated to: {name}"));
    }
    name
}

/// The kernel's name of this machine; "localhost" where it cannot be read.
fn system_hostname() -> String {
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let names = files
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    let mut names = names
        .map(|name| name.trim().to_string())
        .filter(|name| !name.is_empty());
    names.next().unwrap_or_else(|| "localhost".to_string())
}

/// Faults in the order of their lines, those without a line last.
fn refuse_if_any(mut faults: Vec<Fault>) -> Result<(), Faults> {
    faults.sort_by_key(|fault| fault.line.unwrap_or(u32::MAX));
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Faults(faults))
    }
}

/// A file that cannot be read.
fn unreadable(file: &Path, error: &std::io::Error) -> Fault {
    Fault::new(file, format!("cannot open {}: {error}", file.display()))
}

/// A file that is not Lua, or fails as Lua.
fn not_lua(file: &Path, error: &ConfigFileError) -> Faults {
    let fault = Fault::new(file, error.to_string()).at(error.line());
    let global = matches!(error, ConfigFileError::Runtime { message, .. } if message.contains("a nil value"));
    Faults(vec![if global {
        fault
            .hint("configurations have no libraries: only values, operators and control statements")
    } else {
        fault
    }])
}

/// What was left out of a file, in Hindsight's words.
fn notices(file: &Path, skipped: &[Skipped]) -> Vec<String> {
    skipped
        .iter()
        .map(|skip| {
            let what = if skip.is_key { "key" } else { "value" };
            let (file, line) = (file.display(), skip.line);
            format!(
                "skipping config {what} type: {} ({file}:{line}: {})",
                skip.type_name, skip.path
            )
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
