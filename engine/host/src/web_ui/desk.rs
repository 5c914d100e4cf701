//! Answers the questions of the pages: files, commands, deployments, recorded messages.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use admin::engine::{
    Command, Deployment, Engine, Entry, Files, Listing, Queue as Which, Refusal, SOURCE_MAX, Store,
    Trial, TrialReport,
};
use output::s3::Level;
use output::stores::Opened;
use queue::{Position, Start};
use sandbox::{Kind, config_file};
use schemas::frame::{self, FrameBuf};
use schemas::message::Message;
use stdx::files::{RealDisk, write_atomically};

use super::{private, trial};
use crate::checkpoint_file::Checkpoints;
use crate::config::{KINDS, Plugin, kind_name};
use crate::create;
use crate::shared::Shared;

/// What only operators may set: limits, what a plugin may pass itself off as, and what stops the engine.
const RESTRICTED: [&str; 12] = [
    "memory_limit",
    "instruction_limit",
    "output_limit",
    "process_message_inject_limit",
    "timer_event_inject_limit",
    "stuck_after_ms",
    "restricted_headers",
    "shutdown_on_terminate",
    "preserve_interval",
    "initial_position",
    "path",
    "cpath",
];

/// Largest file that is shown whole, bytes; of longer ones the beginning.
const SHOWN_MAX: usize = SOURCE_MAX;

/// How long a message waits for slow readers of the queue.
const INJECT_WAIT: Duration = Duration::from_secs(1);

/// Answers for one engine.
pub struct Desk {
    shared: Arc<Shared>,
    /// Below this each trial has a directory for a while.
    dir: PathBuf,
    /// Trials run one after the other.
    trying: Mutex<u64>,
}

impl Desk {
    /// For this engine; trials use a directory below `dir`.
    pub fn new(shared: Arc<Shared>, dir: &Path) -> Desk {
        Desk {
            shared,
            dir: dir.to_path_buf(),
            trying: Mutex::new(0),
        }
    }

    /// The plugin's configuration in the run directory, if it runs or could, with its kind and stem.
    fn find<'n>(&self, plugin: &'n str) -> Result<(Kind, &'n str, PathBuf), Refusal> {
        let missing = || Refusal::Missing(format!("there is no plugin {plugin}"));
        let (kind, stem) = split(plugin).ok_or_else(missing)?;
        let dir = self.shared.config.run_dir(kind);
        let files = ["cfg", "off"].map(|ending| dir.join(format!("{stem}.{ending}")));
        let found = files.into_iter().find(|file| file.is_file());
        Ok((kind, stem, found.ok_or_else(missing)?))
    }

    fn load_file(&self, kind: Kind, name: &str) -> Result<PathBuf, Refusal> {
        let dir = self.shared.config.load_dir(kind);
        let dir = dir.ok_or_else(|| {
            Refusal::Unable("there is no load directory: set sandbox_load_path".into())
        })?;
        Ok(dir.join(name))
    }

    /// The plugin that a deployment would be, with its files in `dir`.
    fn parse(&self, deployment: &Deployment, dir: &Path) -> Result<Plugin, Refusal> {
        let kind = kind_of(&deployment.kind)?;
        let cfg = dir.join(format!("{}.cfg", deployment.name));
        let text = deployment.config.as_bytes().to_vec();
        Plugin::parse(&self.shared.config, kind, &cfg, text)
            .map_err(|faults| Refusal::Wrong(faults.to_string()))
    }
}

impl Engine for Desk {
    fn files(&self, plugin: &str, with_private: bool) -> Result<Files, Refusal> {
        let (kind, stem, cfg) = self.find(plugin)?;
        let main = &self.shared.config;
        let text = std::fs::read(&cfg).map_err(|error| unreadable(&cfg, &error))?;
        let parsed = Plugin::parse(main, kind, &cfg.with_extension("cfg"), text.clone());
        let source = parsed.ok().and_then(|parsed| parsed.find_source(main).ok());
        let error = std::fs::read(main.err_file(kind, stem)).ok();
        Ok(Files {
            config: match with_private {
                true => beginning(&text),
                false => private::public(&text),
            },
            config_path: cfg.display().to_string(),
            source: source.as_deref().map_or_else(String::new, |path| {
                beginning(&std::fs::read(path).unwrap_or_default())
            }),
            source_path: source.map_or_else(String::new, |path| path.display().to_string()),
            error: error.map(|error| beginning(&error)),
            checkpoint: checkpoint(&main.output_path, plugin).filter(|_| with_private),
        })
    }

    fn command(&self, plugin: &str, command: Command) -> Result<(), Refusal> {
        let (kind, stem, file) = self.find(plugin)?;
        match command {
            Command::Stop if file.extension().is_some_and(|ending| ending == "off") => {
                Err(Refusal::Unable(format!("{plugin} is off already")))
            }
            Command::Stop => put(&self.load_file(kind, &format!("{stem}.off"))?, b""),
            Command::Restart => {
                let text = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
                put(&self.load_file(kind, &format!("{stem}.cfg"))?, &text)
            }
        }
    }

    fn check(&self, deployment: &Deployment) -> Result<(), Refusal> {
        let kind = kind_of(&deployment.kind)?;
        let plugin = self.parse(deployment, &self.shared.config.run_dir(kind))?;
        if !deployment.unrestricted {
            let set = RESTRICTED
                .iter()
                .find(|name| plugin.user.get(name).is_some());
            if let Some(name) = set {
                return Err(Refusal::Forbidden(format!("only operators may set {name}")));
            }
        }
        if kind != Kind::Input {
            create::matcher(&plugin).map_err(Refusal::Wrong)?;
        }
        let Some(source) = &deployment.source else {
            let found = plugin.find_source(&self.shared.config);
            return found
                .map(|_| ())
                .map_err(|fault| Refusal::Wrong(fault.to_string()));
        };
        let wanted = format!("{}.lua", deployment.name);
        if plugin.filename != wanted {
            // The source of another plugin must not be replaced by accident.
            return Err(Refusal::Wrong(format!(
                "filename must be \"{wanted}\" for a plugin with a source of its own"
            )));
        }
        config_file::compile(source.as_bytes())
            .map_err(|error| Refusal::Wrong(format!("{wanted}:{}: {error}", error.line())))
    }

    fn deploy(&self, deployment: &Deployment) -> Result<(), Refusal> {
        let kind = kind_of(&deployment.kind)?;
        let name = &deployment.name;
        let cfg = self.load_file(kind, &format!("{name}.cfg"))?;
        if let Some(source) = &deployment.source {
            put(&cfg.with_extension("lua"), source.as_bytes())?;
        }
        put(&cfg, deployment.config.as_bytes())
    }

    fn trial(&self, trial: &Trial) -> Result<TrialReport, Refusal> {
        self.check(&trial.plugin)?;
        let mut number = self
            .trying
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *number += 1;
        let dir = self.dir.join(format!("trial-{number}"));
        std::fs::create_dir_all(&dir).map_err(|error| unreadable(&dir, &error))?;
        let run = || {
            if let Some(source) = &trial.plugin.source {
                put(
                    &dir.join(format!("{}.lua", trial.plugin.name)),
                    source.as_bytes(),
                )?;
            }
            let plugin = self.parse(&trial.plugin, &dir)?;
            Ok(trial::run(&self.shared, &plugin, &trial.messages))
        };
        let report = run();
        if let Err(error) = std::fs::remove_dir_all(&dir) {
            tracing::warn!(target: "admin", "removing {}: {error}", dir.display());
        }
        report
    }

    fn inject(&self, message: Message) -> Result<(), Refusal> {
        let mut framed = FrameBuf::new();
        message.encode(framed.message());
        let queue = &self.shared.analysis_queue;
        let taken = queue.append_past_readers(framed.finish(), INJECT_WAIT);
        taken
            .map(drop)
            .map_err(|error| Refusal::Unable(error.to_string()))
    }

    fn stores(&self) -> Vec<Store> {
        let open = output::stores::list();
        let shown = |opened: Opened| Store {
            name: store_name(&opened),
            plugin: opened.plugin,
            address: opened.address,
            owner: opened.owner,
            is_public: opened.is_public,
        };
        open.into_iter().map(shown).collect()
    }

    fn store(&self, name: &str, path: &str, after: &str) -> Result<Listing, Refusal> {
        let missing = || Refusal::Missing(format!("no plugin has a store {name} open"));
        let open = output::stores::list();
        let wanted = open.into_iter().find(|opened| store_name(opened) == name);
        let wanted = wanted.ok_or_else(missing)?;
        let folder = match path.trim_end_matches('/') {
            "" => String::new(),
            path => format!("{path}/"),
        };
        let level = output::stores::level(&wanted, &folder, after).ok_or_else(missing)?;
        let Opened {
            plugin, address, ..
        } = wanted;
        let level = level.map_err(|failure| {
            Refusal::Elsewhere(format!("{address} of {plugin} cannot be listed: {failure}"))
        })?;
        Ok(listing(level))
    }

    fn recorded(
        &self,
        which: Which,
        bytes: u64,
        visit: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), Refusal> {
        let queue = match which {
            Which::Input => &self.shared.input_queue,
            Which::Analysis => &self.shared.analysis_queue,
        };
        let (state, end) = (queue.state(), queue.written());
        let back = bytes / self.shared.config.output_size.max(1) + 1;
        let first = end.segment.saturating_sub(back).max(state.oldest_segment);
        let start = Start::Position(Position::new(first, 0));
        let mut reader = queue.onlooker("admin search", start);
        while reader.position() < end {
            let block = match reader.try_next() {
                Ok(Some(block)) => block,
                Ok(None) => return Ok(()),
                Err(error) => return Err(Refusal::Unable(error.to_string())),
            };
            for record in frame::records(block.bytes()) {
                if !visit(record.message) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn kind_of(word: &str) -> Result<Kind, Refusal> {
    let found = KINDS.into_iter().find(|kind| kind_name(*kind) == word);
    found.ok_or_else(|| Refusal::Wrong(format!("{word} is no kind of plugin")))
}

/// Kind and stem of a plugin's name; the stem is one part of a path.
fn split(plugin: &str) -> Option<(Kind, &str)> {
    let (kind, stem) = plugin.split_once('.')?;
    let is_part = !stem.is_empty() && !stem.contains(['/', '\0']);
    Some((kind_of(kind).ok()?, stem)).filter(|_| is_part)
}

fn beginning(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_MAX)]).into_owned()
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let written = write_atomically(&RealDisk, path, bytes, false);
    written.map_err(|error| Refusal::Unable(format!("writing {}: {error}", path.display())))
}

fn unreadable(path: &Path, error: &io::Error) -> Refusal {
    Refusal::Unable(format!("{}: {error}", path.display()))
}

/// Where the plugin stood when the checkpoints were recorded last.
fn checkpoint(output_path: &Path, plugin: &str) -> Option<String> {
    let (checkpoints, _) = Checkpoints::read(output_path).ok()?;
    let ending = format!("->{plugin}");
    let own = checkpoints
        .iter()
        .filter(|(key, _)| *key == plugin || key.ends_with(&ending));
    let lines: Vec<String> = own
        .map(|(key, value)| format!("{key} = {value:?}"))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn store_name(opened: &Opened) -> String {
    format!("{} {}", opened.plugin, opened.address)
}

/// A level of a bucket as the pages know directories.
fn listing(level: Level) -> Listing {
    let folder = |name: String| Entry {
        name,
        is_dir: true,
        bytes: 0,
        changed_ms: 0,
    };
    let object = |entry: output::destination::Entry| Entry {
        name: entry.key,
        is_dir: false,
        bytes: entry.size,
        changed_ms: entry.modified_s.saturating_mul(1000),
    };
    let folders = level.folders.into_iter().map(folder);
    Listing {
        entries: folders
            .chain(level.entries.into_iter().map(object))
            .collect(),
        is_cut: false,
        next: level.next,
    }
}
