//! One plugin in a sandbox with every native module and the project's Lua modules, and a host that writes down what it is asked.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sandbox::value::Table;
use sandbox::{
    Answer, Checkpoint, CompiledMatcher, Host, InjectError, Kind, Limits, Sandbox, Spec,
    config_file,
};
use schemas::View;

/// Memory of a plugin under test, in bytes: enough for documents of some megabytes.
const MEMORY: usize = 64 << 20;

/// What the host was asked.
#[derive(Debug, Default)]
pub struct Seen {
    /// Messages that the plugin injected, without their frames.
    pub injected: Vec<Vec<u8>>,
    /// What an output acknowledged: sequence ids, none for a batch, and numbers of failures.
    pub acknowledged: Vec<(Option<u64>, u64)>,
    /// Log lines with their severity.
    pub log: Vec<(u8, String)>,
}

struct TestHost(Arc<Mutex<Seen>>);

struct Compiled(matcher::Matcher);

impl CompiledMatcher for Compiled {
    fn matches(&self, view: &View<'_>) -> bool {
        self.0.matches(view)
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host for TestHost {
    fn inject(
        &mut self,
        _: &[u8],
        message: &[u8],
        _: Option<&Checkpoint>,
    ) -> Result<(), InjectError> {
        lock(&self.0).injected.push(message.to_vec());
        Ok(())
    }

    fn checkpoint_only(&mut self, _: &Checkpoint) -> Result<(), InjectError> {
        Ok(())
    }

    fn is_running(&mut self) -> bool {
        true
    }

    fn update_checkpoint(&mut self, sequence: Option<u64>, failures: u64) -> Result<(), String> {
        lock(&self.0).acknowledged.push((sequence, failures));
        Ok(())
    }

    fn compile_matcher(&mut self, expression: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
        let text = std::str::from_utf8(expression).map_err(|error| error.to_string())?;
        let matcher = matcher::Matcher::parse(text).map_err(|error| error.to_string())?;
        Ok(Box::new(Compiled(matcher)))
    }

    fn log(&mut self, severity: u8, text: &str) {
        lock(&self.0).log.push((severity, text.into()));
    }
}

/// How a plugin under test is made.
#[derive(Debug)]
pub struct Setup {
    /// Input, analysis or output.
    pub kind: Kind,
    /// What `read_config` serves.
    pub config: Table,
    /// What the plugin may use.
    pub limits: Limits,
    /// Preserved state to restore.
    pub state: Option<Vec<u8>>,
}

impl Setup {
    /// A plugin of this kind without a time limit.
    pub fn new(kind: Kind) -> Setup {
        let limits = Limits {
            memory: MEMORY,
            instructions: 0,
            output: 1 << 20,
            process_message_injects: 100,
            timer_event_injects: 100,
            ..Limits::default()
        };
        Setup {
            kind,
            config: Table::default(),
            limits,
            state: None,
        }
    }

    /// The same with a configuration, written as in a `.cfg` file.
    ///
    /// # Panics
    /// When the text is no configuration.
    pub fn configured(mut self, text: &str) -> Setup {
        let file = config_file::evaluate(text.as_bytes());
        self.config = file.unwrap_or_else(|error| panic!("{error}")).table;
        self
    }

    /// Runs the main chunk in this file.
    ///
    /// # Errors
    /// What the main chunk raised, or why the state could not be restored.
    pub fn load(self, file: &Path) -> Result<Plugin, String> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut spec = Spec::new(self.kind, format!("{}.test", self.kind.name()), file);
        spec.config = self.config;
        spec.limits = self.limits;
        spec.state = self.state;
        spec.lua_path = Some(lua_path(self.kind));
        spec.modules = Arc::new(host::run::modules());
        let sandbox = Sandbox::new(spec, Box::new(TestHost(Arc::clone(&seen))))
            .map_err(|error| error.to_string())?;
        Ok(Plugin { sandbox, seen })
    }

    /// As [`Setup::load`], with the text of the main chunk.
    ///
    /// # Errors
    /// As [`Setup::load`].
    pub fn run(self, source: &str) -> Result<Plugin, String> {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let path = folder.path().join("plugin.lua");
        std::fs::write(&path, source).expect("the folder is writable");
        self.load(&path)
    }
}

/// A plugin whose main chunk has run.
pub struct Plugin {
    /// Its sandbox.
    pub sandbox: Sandbox,
    seen: Arc<Mutex<Seen>>,
}

impl Plugin {
    /// What the host was asked so far; takes it away.
    pub fn seen(&self) -> Seen {
        std::mem::take(&mut *lock(&self.seen))
    }

    /// Calls `process_message` with an encoded message.
    pub fn process(&mut self, message: &[u8]) -> Answer {
        let (header, n) = schemas::frame::header(message.len());
        let framed = [&header[..n], message].concat();
        self.sandbox.process_message(message, &framed, None)
    }

    /// As [`Plugin::process`], as the engine calls outputs: with a sequence id.
    pub fn process_as(&mut self, message: &[u8], sequence: u64) -> Answer {
        let (header, n) = schemas::frame::header(message.len());
        let framed = [&header[..n], message].concat();
        self.sandbox
            .process_message(message, &framed, Some(sequence))
    }

    /// The preserved state as it goes to a file.
    ///
    /// # Panics
    /// When the state cannot be written.
    pub fn preserve(&mut self) -> Vec<u8> {
        self.sandbox.preserve("").expect("the state can be written")
    }
}

/// The root of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where plugins of this kind look for Lua modules: the project's own.
pub fn lua_path(kind: Kind) -> String {
    let plugins = root().join("plugins");
    let plugins = plugins.display();
    match kind {
        Kind::Analysis => format!("{plugins}/modules/?.lua"),
        Kind::Input | Kind::Output => format!("{plugins}/modules/?.lua;{plugins}/?.lua"),
    }
}
