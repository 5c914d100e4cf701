//! A run directory for one test: the configuration, the plugins, the data.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::{Engine, Finished};
use crate::program;

/// What a plugin is; the names of the directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Makes messages.
    Input,
    /// Reads them, and may make new ones.
    Analysis,
    /// Delivers them.
    Output,
}

impl Kind {
    /// `input`, `analysis` or `output`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Input => "input",
            Kind::Analysis => "analysis",
            Kind::Output => "output",
        }
    }
}

/// The plugins of the project.
pub fn plugins_dir() -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    dir.canonicalize()
        .expect("the plugins lie beside the tests")
}

/// All files below a folder but hidden ones, in the order of their names.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_hidden = item.file_name().to_string_lossy().starts_with('.');
            match item.path().is_dir() {
                true => folders.push(item.path()),
                false if !is_hidden => found.push(item.path()),
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// A port nobody listens on at the moment.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// A run directory. It is deleted with the value, unless the test fails: then it stays to be looked at.
pub struct Site {
    dir: Option<TempDir>,
    root: PathBuf,
    settings: BTreeMap<String, String>,
}

impl Default for Site {
    fn default() -> Self {
        Site::new()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(dir) = self.dir.take()
        {
            eprintln!(
                "the run directory stays for a look: {}",
                dir.keep().display()
            );
        }
    }
}

impl Site {
    /// An empty run directory with the plugins of the project as its install path.
    pub fn new() -> Site {
        let dir = tempfile::Builder::new()
            .prefix("foresight-e2e-")
            .tempdir()
            .expect("a temporary directory");
        let root = dir.path().canonicalize().expect("it exists");
        let site = Site {
            root,
            dir: Some(dir),
            settings: BTreeMap::new(),
        };
        for place in ["run", "load"] {
            for kind in [Kind::Input, Kind::Analysis, Kind::Output] {
                std::fs::create_dir_all(site.path(place).join(kind.name())).expect("created");
            }
        }
        let plugins = plugins_dir();
        let plugins = plugins.display();
        let modules = format!("\"{plugins}/modules/?.lua;{plugins}/?.lua\"");
        site.set("output_path", "\"output\"")
            .set("sandbox_run_path", "\"run\"")
            .set("sandbox_install_path", format!("\"{plugins}\""))
            .set("analysis_lua_path", &modules)
            .set("io_lua_path", &modules)
            .set("analysis_lua_cpath", "\"\"")
            .set("io_lua_cpath", "\"\"")
            .set("hostname", "\"e2e.host\"")
            .set("backpressure_disk_free", "0")
            .set("input_defaults", "{}")
            .set("analysis_defaults", "{}")
            .set("output_defaults", "{}")
    }

    /// Sets a key of the main configuration to a value as Lua writes it.
    pub fn set(mut self, key: &str, value: impl Into<String>) -> Site {
        self.settings.insert(key.into(), value.into());
        self
    }

    /// Also watches the load directory.
    pub fn with_load_directory(self) -> Site {
        self.set("sandbox_load_path", "\"load\"")
    }

    /// Adds a plugin: `cfg` without the file name, which is added, and the Lua source.
    pub fn plugin(self, kind: Kind, name: &str, cfg: &str, lua: &str) -> Site {
        self.put_plugin("run", kind, name, cfg, lua);
        self
    }

    /// Adds an input.
    pub fn input(self, name: &str, cfg: &str, lua: &str) -> Site {
        self.plugin(Kind::Input, name, cfg, lua)
    }

    /// Adds an analysis plugin; `cfg` has its matcher.
    pub fn analysis(self, name: &str, cfg: &str, lua: &str) -> Site {
        self.plugin(Kind::Analysis, name, cfg, lua)
    }

    /// Adds an output; `cfg` has its matcher.
    pub fn output(self, name: &str, cfg: &str, lua: &str) -> Site {
        self.plugin(Kind::Output, name, cfg, lua)
    }

    /// Adds a plugin of the project, such as `input/tail.lua`, under a name of its own.
    pub fn ours(self, source: &str, name: &str, cfg: &str) -> Site {
        let (kind, file) = source
            .split_once('/')
            .expect("a plugin is given as kind/file.lua");
        let text = format!("filename = \"{file}\"\n{cfg}\n");
        self.write(format!("run/{kind}/{name}.cfg"), text);
        self
    }

    /// Adds an output that writes all messages of a matcher as frames to `<name>.heka`.
    pub fn collect(self, name: &str, matcher: &str) -> Site {
        let file = self.path(format!("{name}.heka"));
        let cfg = format!(
            "message_matcher = [[{matcher}]]\noutput_file = \"{}\"\n",
            file.display()
        );
        self.ours("output/heka_file.lua", name, &cfg)
    }

    /// Writes a plugin's two files below `place` (`run` or `load`), source first.
    pub fn put_plugin(&self, place: &str, kind: Kind, name: &str, cfg: &str, lua: &str) {
        let kind = kind.name();
        self.write(format!("{place}/{kind}/{name}.lua"), lua);
        self.write(
            format!("{place}/{kind}/{name}.cfg"),
            format!("filename = \"{name}.lua\"\n{cfg}\n"),
        );
    }

    /// A path inside.
    pub fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.root.join(inside)
    }

    /// Writes a file inside.
    pub fn write(&self, inside: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(inside);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("created");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Appends to a file inside.
    pub fn append(&self, inside: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        use std::io::Write;
        let path = self.path(inside);
        let file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path);
        file.and_then(|mut file| file.write_all(text.as_ref()))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// The text of a file inside; empty if there is none.
    pub fn read(&self, inside: impl AsRef<Path>) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path(inside)).unwrap_or_default()).into_owned()
    }

    /// Whether something of this name is there.
    pub fn exists(&self, inside: impl AsRef<Path>) -> bool {
        self.path(inside).exists()
    }

    /// A place of `hindsight.cp`, without its quotes.
    pub fn checkpoint(&self, key: &str) -> Option<String> {
        let start = format!("_G['{key}'] = ");
        let text = self.read("output/hindsight.cp");
        let value = text.lines().find_map(|line| line.strip_prefix(&start))?;
        Some(value.trim_matches('\'').to_string())
    }

    fn write_main_config(&self) -> PathBuf {
        let mut text = String::new();
        for (key, value) in &self.settings {
            writeln!(text, "{key} = {value}").expect("a String takes any text");
        }
        self.write("hindsight.cfg", text)
    }

    /// The program with these arguments, run inside; `log` gets what it says.
    pub fn command(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Command {
        self.write_main_config();
        let log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.path("log"));
        // No pipe: one would fill up, or be held open by what a plugin starts.
        let stdout = std::fs::File::create(self.path("stdout"));
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .args(args)
            .stdin(Stdio::null())
            .stdout(stdout.expect("the output can be written"))
            .stderr(log.expect("the log can be written"));
        command
    }

    /// Starts the engine until it is told to stop.
    pub fn start(&self) -> Engine {
        self.start_with(
            program::path(),
            &["run", "hindsight.cfg", "--log-level", "7"],
        )
    }

    /// Starts a program with arguments.
    pub fn start_with(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Engine {
        Engine::start(self.path("log"), self.command(program, args))
    }

    /// Runs the engine until its inputs have ended and everything is delivered.
    pub fn replay(&self) -> Finished {
        self.start_with(
            program::path(),
            &["replay", "hindsight.cfg", "--log-level", "7"],
        )
        .wait()
    }

    /// What the engine has logged so far, over all starts.
    pub fn log(&self) -> String {
        self.read("log")
    }
}
