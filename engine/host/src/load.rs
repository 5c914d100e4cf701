//! Files appear in load/: plugins are started, restarted or stopped while the engine runs.
//!
//! What may be put into `<sandbox_load_path>/<type>/`, complete or renamed into place:
//!
//! | file | what happens |
//! |---|---|
//! | `X.lua` | moves to run/; running plugins that use it restart; configurations that waited for it start |
//! | `X.cfg` | once its Lua source exists: removes run/X.off and run/X.err, moves to run/, (re)starts X |
//! | `X.off` | is removed; run/X.cfg becomes run/X.off and X stops |
//!
//! The pair may come in either order, and may lie there when the engine starts. A file is taken when its writer
//! has closed it. A configuration whose source is missing waits, with the reason in `run/<type>/X.err`; so does
//! a new analysis plugin while there is no room for it. Nothing else is touched, and nothing is deleted.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsStr;
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{RecursiveMode, Watcher};
use sandbox::Kind;
use stdx::files::{RealDisk, write_atomically};

use crate::calendar::{now_ns, utc_text};
use crate::config::{KINDS, Main, Plugin, kind_name};

/// File names that are kept between two polls; beyond that the directories are read as a whole.
const INBOX_MAX: usize = 10_000;

/// A file that lies there at the start is taken when nobody has written to it for this long,
/// because its writer may have begun before we watched. (If it is closed earlier, we see that.)
const SETTLED: Duration = Duration::from_secs(1);

/// What the host has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Stop the plugin if it runs, then start it with this configuration, which lies in run/.
    Start {
        /// Its stage.
        kind: Kind,
        /// Its name with the kind, such as `analysis.foo`.
        name: String,
        /// The configuration file.
        cfg: PathBuf,
    },
    /// Stop the plugin; an output's positions are to be forgotten.
    Stop {
        /// Its stage.
        kind: Kind,
        /// Its name with the kind, such as `analysis.foo`.
        name: String,
    },
}

/// What a poll found: something for the host, or a line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// For the host.
    Event(Event),
    /// For the log.
    Notice(Notice),
}

/// A line for the log, with Hindsight's level: 3 error, 4 warning, 6 info, 7 debug.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Notice {
    severity: u8,
    text: String,
}

/// Why the load directory cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// One of the three directories is missing.
    #[error("{}: directory does not exist", .0.display())]
    MissingDirectory(PathBuf),
    /// The system refuses.
    #[error("cannot watch the load directory: {0}")]
    Watch(#[from] notify::Error),
}

/// The configurations that lie in `run_dir`, by name; none when it cannot be read.
pub fn run_configs(run_dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(run_dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let is_cfg = |entry: &DirEntry| {
        let path = entry.path();
        // The directory says what most entries are; only links have to be followed.
        let is_file = || match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => kind.is_file(),
            _ => path.is_file(),
        };
        Extension::of(&path) == Some(Extension::Cfg) && is_file()
    };
    let mut found: Vec<PathBuf> = entries.filter(is_cfg).map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// Writes `message` with the time into the `.err` file of a plugin, in place of an older one.
///
/// # Errors
/// Whatever the disk says.
pub fn write_err(path: &Path, message: &str) -> io::Result<()> {
    let line = err_line(now_ns().div_euclid(1_000_000_000), message);
    write_atomically(&RealDisk, path, line.as_bytes(), false)
}

/// The contents of an `.err` file: the time in UTC, a tab, the message, a line end.
pub fn err_line(unix_s: i64, message: &str) -> String {
    format!("{}\t{message}\n", utc_text(unix_s))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extension {
    Lua,
    Cfg,
    Off,
    Err,
}

impl Extension {
    /// `None` for others, and for files that are nothing but an extension.
    fn of(path: &Path) -> Option<Extension> {
        match path.extension().and_then(OsStr::to_str)? {
            "lua" => Some(Extension::Lua),
            "cfg" => Some(Extension::Cfg),
            "off" => Some(Extension::Off),
            "err" => Some(Extension::Err),
            _ => None,
        }
    }
}

fn stem(path: &Path) -> Option<String> {
    path.file_stem().and_then(OsStr::to_str).map(str::to_string)
}

/// A file in the load directory.
type Arrival = (Kind, PathBuf);

/// What the watcher has seen since the last poll.
#[derive(Default)]
struct Inbox {
    /// Files whose writer has closed them, in order.
    closed: VecDeque<Arrival>,
    /// Whether something was missed, so that the directories have to be read.
    rescan: bool,
}

/// The inbox with its bell. The mutex guards nothing else.
#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    bell: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().expect("nothing panics under this lock")
    }

    fn put(&self, arrivals: impl Iterator<Item = Arrival>, rescan: bool) {
        let mut inbox = self.lock();
        inbox.rescan |= rescan;
        for arrival in arrivals {
            if inbox.closed.len() >= INBOX_MAX {
                inbox.closed.clear();
                inbox.rescan = true;
            }
            inbox.closed.push_back(arrival);
        }
        self.bell.notify_all();
    }
}

/// The load directory of a running engine.
pub struct LoadDir {
    main: Main,
    shared: Arc<Shared>,
    /// Configurations that wait, with the reason that was last reported.
    waiting: BTreeMap<(u8, PathBuf), String>,
    /// Files that were there at the start or at a rescan and may still be written to.
    unsettled: Vec<Arrival>,
    settled: Duration,
    /// Whether new analysis plugins have to wait.
    full: bool,
    /// Ends the watching when dropped.
    _watcher: Option<notify::RecommendedWatcher>,
}

impl LoadDir {
    /// Begins to watch; what lies there already comes out of the first polls.
    /// `None` when the configuration names no load directory.
    ///
    /// # Errors
    /// One of the three directories is missing, or the system refuses to watch it.
    pub fn open(main: &Main) -> Result<Option<LoadDir>, LoadError> {
        if main.sandbox_load_path.is_none() {
            return Ok(None);
        }
        let shared = Arc::new(Shared::default());
        let watcher = watch(main, &shared)?;
        Ok(Some(LoadDir::new(main.clone(), shared, Some(watcher))))
    }

    fn new(
        main: Main,
        shared: Arc<Shared>,
        watcher: Option<notify::RecommendedWatcher>,
    ) -> LoadDir {
        shared.lock().rescan = true;
        LoadDir {
            main,
            shared,
            waiting: BTreeMap::new(),
            unsettled: Vec::new(),
            settled: SETTLED,
            full: false,
            _watcher: watcher,
        }
    }

    /// Waits until a file has come, at most `timeout`. Says whether one has.
    pub fn wait(&self, timeout: Duration) -> bool {
        let nothing = |inbox: &mut Inbox| inbox.closed.is_empty() && !inbox.rescan;
        let waited = self
            .shared
            .bell
            .wait_timeout_while(self.shared.lock(), timeout, nothing);
        !waited
            .expect("nothing panics under this lock")
            .1
            .timed_out()
    }

    /// Says whether new analysis plugins have to wait because the threads are too busy. Restarts never wait.
    pub fn hold_new_analysis(&mut self, full: bool) {
        self.full = full;
    }

    /// Takes what has come, moves the files, logs, and says what the host has to do, in this order.
    /// Called about once a second.
    pub fn poll(&mut self) -> Vec<Event> {
        let outcomes = self.outcomes().into_iter();
        outcomes
            .filter_map(|outcome| match outcome {
                Outcome::Event(event) => Some(event),
                Outcome::Notice(notice) => {
                    notice.log();
                    None
                }
            })
            .collect()
    }

    fn outcomes(&mut self) -> Vec<Outcome> {
        let (mut arrivals, rescan) = {
            let mut inbox = self.shared.lock();
            (
                std::mem::take(&mut inbox.closed),
                std::mem::take(&mut inbox.rescan),
            )
        };
        if rescan {
            self.unsettled = self.scan();
        }
        arrivals.extend(self.take_settled());
        let mut events = Vec::new();
        // Sources first: their configurations then start once, with the new source.
        let is_lua = |(_, path): &Arrival| Extension::of(path) == Some(Extension::Lua);
        for (kind, path) in arrivals.iter().filter(|arrival| is_lua(arrival)) {
            self.lua_came(*kind, path, &mut events);
        }
        for (kind, path) in arrivals.iter().filter(|arrival| !is_lua(arrival)) {
            match Extension::of(path) {
                Some(Extension::Cfg) => self.cfg_came(*kind, path, &mut events),
                Some(Extension::Off) => self.off_came(*kind, path, &mut events),
                _ => events.push(debug(format!("{} ignored", path.display()))),
            }
        }
        self.retry_waiting(&mut events);
        drop_repeated_starts(&mut events);
        events
    }

    /// Everything in the three directories, in the order of the names.
    fn scan(&self) -> Vec<Arrival> {
        let mut found = Vec::new();
        for kind in KINDS {
            let Some(dir) = self.main.load_dir(kind) else {
                continue;
            };
            let entries = std::fs::read_dir(dir)
                .into_iter()
                .flatten()
                .filter_map(Result::ok);
            found.extend(entries.map(|entry| (kind, entry.path())));
        }
        found.sort_by(|(_, a), (_, b)| a.cmp(b));
        found
    }

    /// The scanned files nobody has written to for a while.
    fn take_settled(&mut self) -> Vec<Arrival> {
        let now = SystemTime::now();
        let settled = |path: &Path| {
            let written = std::fs::metadata(path).and_then(|metadata| metadata.modified());
            // A time in the future, or none, is no reason to wait for ever.
            written
                .ok()
                .and_then(|time| now.duration_since(time).ok())
                .is_none_or(|age| age >= self.settled)
        };
        let (ready, rest) = self
            .unsettled
            .drain(..)
            .partition(|(_, path)| settled(path));
        self.unsettled = rest;
        ready
    }

    fn lua_came(&mut self, kind: Kind, path: &Path, events: &mut Vec<Outcome>) {
        let Some(file) = existing(path) else { return };
        let target = self.main.run_dir(kind).join(file);
        if let Err(notice) = move_file(path, &target) {
            return events.push(notice);
        }
        events.push(info(format!(
            "{} moved to {}",
            path.display(),
            target.display()
        )));
        for cfg in run_configs(&self.main.run_dir(kind)) {
            let Some(name) = stem(&cfg).filter(|_| self.runs_with(kind, &cfg, &target)) else {
                continue;
            };
            // A new configuration in load/ restarts the plugin by itself.
            let renewed = self
                .main
                .load_dir(kind)
                .is_some_and(|dir| dir.join(format!("{name}.cfg")).is_file());
            if !renewed {
                events.push(start(kind, &name, cfg));
            }
        }
    }

    /// Whether the plugin of the configuration `cfg` in run/ uses `source` and was not terminated.
    fn runs_with(&self, kind: Kind, cfg: &Path, source: &Path) -> bool {
        let Ok(text) = std::fs::read(cfg) else {
            return false;
        };
        let named = source.file_name().map_or(&b""[..], OsStr::as_encoded_bytes);
        // Most configurations do not mention the file; only those that do are worth running as Lua.
        let mentions = text
            .windows(named.len().max(1))
            .any(|window| window == named);
        if !mentions || cfg.with_extension("err").exists() {
            return false;
        }
        let plugin = Plugin::parse(&self.main, kind, cfg, text);
        plugin.is_ok_and(|plugin| plugin.cfg.with_file_name(&plugin.filename) == source)
    }

    fn cfg_came(&mut self, kind: Kind, path: &Path, events: &mut Vec<Outcome>) {
        let waiting = (kind as u8, path.to_path_buf());
        let (Some(_), Some(name)) = (existing(path), stem(path)) else {
            self.waiting.remove(&waiting);
            return;
        };
        if let Err(reason) = self.may_start(kind, &name, path) {
            if self.waiting.get(&waiting) != Some(&reason) {
                self.report_wait(kind, &name, &reason, events);
                self.waiting.insert(waiting, reason);
            }
            return;
        }
        self.waiting.remove(&waiting);
        for old in ["off", "err"] {
            if let Err(error) = remove_if_there(&self.run_file(kind, &name, old)) {
                return events.push(error);
            }
        }
        let cfg = self.run_file(kind, &name, "cfg");
        match move_file(path, &cfg) {
            Ok(()) => events.push(start(kind, &name, cfg)),
            Err(notice) => events.push(notice),
        }
    }

    /// Whether the configuration can start now, or why it has to wait.
    /// One with faults is not held back: its start fails and reports them.
    fn may_start(&self, kind: Kind, name: &str, path: &Path) -> Result<(), String> {
        let Ok(mut plugin) = Plugin::load(&self.main, kind, path) else {
            return Ok(());
        };
        plugin.cfg = self.run_file(kind, name, "cfg");
        plugin
            .find_source(&self.main)
            .map_err(|fault| fault.message)?;
        let is_new = !plugin.cfg.is_file();
        if is_new && self.full && kind == Kind::Analysis {
            return Err(format!("{} blocked (over capacity), waiting", plugin.name));
        }
        Ok(())
    }

    /// A wait is logged, and put into the `.err` file unless an older version of the plugin still runs.
    fn report_wait(&self, kind: Kind, name: &str, reason: &str, events: &mut Vec<Outcome>) {
        events.push(warning(reason.to_string()));
        if !self.run_file(kind, name, "cfg").is_file()
            && let Err(error) = write_err(&self.main.err_file(kind, name), reason)
        {
            events.push(failed(format!(
                "cannot write the .err file of {name}: {error}"
            )));
        }
    }

    fn off_came(&mut self, kind: Kind, path: &Path, events: &mut Vec<Outcome>) {
        let (Some(_), Some(name)) = (existing(path), stem(path)) else {
            return;
        };
        if let Err(notice) = remove_if_there(path) {
            return events.push(notice);
        }
        let (cfg, off) = (
            self.run_file(kind, &name, "cfg"),
            self.run_file(kind, &name, "off"),
        );
        let renewed = path.with_extension("cfg");
        let waited = self
            .waiting
            .remove(&(kind as u8, renewed.clone()))
            .is_some();
        let runs = cfg.is_file();
        if runs && let Err(notice) = move_file(&cfg, &off) {
            return events.push(notice);
        }
        if waited {
            // The newer configuration is the one to keep.
            match move_file(&renewed, &off)
                .and_then(|()| remove_if_there(&self.main.err_file(kind, &name)))
            {
                Ok(()) => events.push(info(format!("{} no longer waits", renewed.display()))),
                Err(notice) => events.push(notice),
            }
        }
        match runs {
            true => events.push(stop(kind, &name)),
            false if !waited => {
                let text = format!("{} is not there: nothing to turn off", cfg.display());
                events.push(warning(text));
            }
            false => {}
        }
    }

    fn retry_waiting(&mut self, events: &mut Vec<Outcome>) {
        let waiting: Vec<(u8, PathBuf)> = self.waiting.keys().cloned().collect();
        for (kind, path) in waiting {
            let kind = KINDS.into_iter().find(|known| *known as u8 == kind);
            self.cfg_came(kind.expect("the key was made of a kind"), &path, events);
        }
    }

    fn run_file(&self, kind: Kind, name: &str, extension: &str) -> PathBuf {
        self.main.run_dir(kind).join(format!("{name}.{extension}"))
    }
}

/// Of several starts of one plugin the last one is enough.
fn drop_repeated_starts(outcomes: &mut Vec<Outcome>) {
    let mut later: Vec<String> = Vec::new();
    outcomes.reverse();
    outcomes.retain(|outcome| match outcome {
        Outcome::Event(Event::Start { name, .. }) => {
            let repeated = later.contains(name);
            later.push(name.clone());
            !repeated
        }
        Outcome::Event(Event::Stop { name, .. }) => {
            // A stop between two starts keeps both meaningful.
            later.retain(|other| other != name);
            true
        }
        Outcome::Notice(_) => true,
    });
    outcomes.reverse();
}

fn watch(main: &Main, shared: &Arc<Shared>) -> Result<notify::RecommendedWatcher, LoadError> {
    let mut dirs = Vec::new();
    for kind in KINDS {
        let Some(dir) = main.load_dir(kind) else {
            continue;
        };
        if !dir.is_dir() {
            return Err(LoadError::MissingDirectory(dir));
        }
        let absolute = std::path::absolute(&dir).map_err(notify::Error::io)?;
        dirs.push((kind, dir, absolute));
    }
    let (inbox, watched) = (shared.clone(), dirs.clone());
    let mut watcher =
        notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
            Ok(event) if event.need_rescan() => inbox.put(std::iter::empty(), true),
            Ok(event) if is_complete(&event.kind) => {
                // The system tells absolute paths; ours are as the configuration has them.
                let own = |path: &PathBuf| {
                    let mut dirs = watched.iter();
                    let (kind, dir, _) =
                        dirs.find(|(_, _, absolute)| path.parent() == Some(absolute.as_path()))?;
                    Some((*kind, dir.join(path.file_name()?)))
                };
                // Of a rename within the directory, both names are told: the last is the new one.
                let path = event.paths.last().and_then(own);
                inbox.put(path.into_iter(), false);
            }
            Ok(_) => {}
            Err(_) => inbox.put(std::iter::empty(), true),
        })?;
    for (_, _, absolute) in &dirs {
        watcher.watch(absolute, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// Whether the event says that a file is there as a whole.
fn is_complete(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both))
    )
}

/// The name of a file that is still there and a file.
fn existing(path: &Path) -> Option<&OsStr> {
    path.is_file().then(|| path.file_name()).flatten()
}

fn remove_if_there(path: &Path) -> Result<(), Outcome> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(format!(
            "failed to delete: {} {error}",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// Renames; where load/ and run/ are on different file systems, copies beside the target first.
fn move_file(from: &Path, to: &Path) -> Result<(), Outcome> {
    let moved = match std::fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_over(from, to),
        other => other,
    };
    moved.map_err(|error| {
        failed(format!(
            "failed to move: {} to {} {error}",
            from.display(),
            to.display()
        ))
    })
}

fn copy_over(from: &Path, to: &Path) -> io::Result<()> {
    let bytes = std::fs::read(from)?;
    write_atomically(&RealDisk, to, &bytes, false)?;
    std::fs::remove_file(from)
}

fn start(kind: Kind, name: &str, cfg: PathBuf) -> Outcome {
    Outcome::Event(Event::Start {
        kind,
        name: format!("{}.{name}", kind_name(kind)),
        cfg,
    })
}

fn stop(kind: Kind, name: &str) -> Outcome {
    Outcome::Event(Event::Stop {
        kind,
        name: format!("{}.{name}", kind_name(kind)),
    })
}

fn failed(text: String) -> Outcome {
    Outcome::Notice(Notice { severity: 3, text })
}

fn warning(text: String) -> Outcome {
    Outcome::Notice(Notice { severity: 4, text })
}

fn info(text: String) -> Outcome {
    Outcome::Notice(Notice { severity: 6, text })
}

fn debug(text: String) -> Outcome {
    Outcome::Notice(Notice { severity: 7, text })
}

impl Notice {
    fn log(&self) {
        let text = &self.text;
        match self.severity {
            0..=3 => tracing::error!(target: "load", "{text}"),
            4 => tracing::warn!(target: "load", "{text}"),
            5 | 6 => tracing::info!(target: "load", "{text}"),
            _ => tracing::debug!(target: "load", "{text}"),
        }
    }
}

#[cfg(test)]
mod tests;
