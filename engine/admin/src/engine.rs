//! What the pages may ask of the engine beyond its snapshots; the host answers.

use schemas::message::Message;
use serde::{Deserialize, Serialize};

pub use crate::roots::{Entry, Listing};

/// The largest Lua source that is taken, bytes.
pub const SOURCE_MAX: usize = 512 * 1024;

/// The largest configuration that is taken, bytes.
pub const CONFIG_MAX: usize = 64 * 1024;

/// Messages that a trial runs at most.
pub const TRIAL_MESSAGES_MAX: usize = 10_000;

/// Why the engine does not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("{0}")]
    Missing(String),
    /// What was asked for is wrong.
    #[error("{0}")]
    Wrong(String),
    /// Who asks has no right to it.
    #[error("{0}")]
    Forbidden(String),
    /// It cannot be done now, or not in this installation.
    #[error("{0}")]
    Unable(String),
    /// Something beside the engine did not do what it should.
    #[error("{0}")]
    Elsewhere(String),
}

/// A store that a plugin has open, such as a bucket of S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Store {
    /// How it is asked for.
    pub name: String,
    /// The plugin.
    pub plugin: String,
    /// Where it is, such as `s3://bucket/prefix`.
    pub address: String,
    /// Whose it is, by the plugin's configuration.
    pub owner: Option<String>,
    /// Whether it is for everybody all the same.
    pub is_public: bool,
}

/// Which queue is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Queue {
    /// What inputs inject.
    #[default]
    Input,
    /// What analysis plugins inject.
    Analysis,
}

/// The files of a plugin.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Files {
    /// The configuration. Keys that begin with `_` are private and hidden from those who may not change the plugin.
    pub config: String,
    /// Where the configuration lies.
    pub config_path: String,
    /// The Lua source.
    pub source: String,
    /// Where the source lies.
    pub source_path: String,
    /// The reason why it was terminated.
    pub error: Option<String>,
    /// The place of each reader and what the plugin has preserved, as `key = value` lines.
    pub checkpoint: Option<String>,
}

/// What becomes of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Turn it off.
    Stop,
    /// Start it again with what lies in the run directory.
    Restart,
}

/// A plugin to be tried or deployed.
#[derive(Debug, Clone, Deserialize)]
pub struct Deployment {
    /// `input`, `analysis` or `output`.
    pub kind: String,
    /// The name without the kind.
    pub name: String,
    /// The text of the configuration.
    pub config: String,
    /// The Lua source; without it the installed one that the configuration names is used.
    pub source: Option<String>,
    /// Whether limits and headers may be set that only an operator may set. Never read from a request.
    #[serde(skip)]
    pub unrestricted: bool,
}

/// A plugin to be tried, and on what.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The plugin.
    pub plugin: Deployment,
    /// The messages, bare.
    pub messages: Vec<Vec<u8>>,
}

/// What a trial showed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TrialReport {
    /// Whether nothing failed.
    pub passed: bool,
    /// Why it could not start, or what ended it.
    pub error: Option<String>,
    /// Messages the matcher chose and process_message was called for.
    pub processed: u64,
    /// Calls that answered with a failure.
    pub failures: u64,
    /// The text of the first failure.
    pub first_failure: Option<String>,
    /// Messages it injected.
    pub injected: u64,
    /// The first of them.
    #[serde(skip)]
    pub messages: Vec<Vec<u8>>,
    /// Lines it printed or that were logged for it.
    pub log: Vec<String>,
    /// The most bytes of its Lua state.
    pub memory_max: u64,
    /// The most instructions of one call.
    pub instructions_max: u64,
    /// The mean time of process_message, nanoseconds.
    pub mean_ns: f64,
}

/// The engine as the pages see it. Calls may take some time, and come from several threads.
pub trait Engine: Send + Sync + 'static {
    /// The files of a plugin; `private` shows hidden keys too.
    ///
    /// # Errors
    /// There is no such plugin, or its files cannot be read.
    fn files(&self, plugin: &str, private: bool) -> Result<Files, Refusal>;

    /// Does something with a plugin.
    ///
    /// # Errors
    /// There is no such plugin, no load directory, or the disk says no.
    fn command(&self, plugin: &str, command: Command) -> Result<(), Refusal>;

    /// Looks at a plugin's configuration and source without running them.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn check(&self, deployment: &Deployment) -> Result<(), Refusal>;

    /// Puts a plugin into the load directory.
    ///
    /// # Errors
    /// As [`Engine::check`]; there is no load directory, or the disk says no.
    fn deploy(&self, deployment: &Deployment) -> Result<(), Refusal>;

    /// Runs an analysis plugin on messages, apart from the engine.
    ///
    /// # Errors
    /// As [`Engine::check`]. What happens while it runs stands in the report.
    fn trial(&self, trial: &Trial) -> Result<TrialReport, Refusal>;

    /// Appends a message to the analysis queue, as an analysis plugin would.
    ///
    /// # Errors
    /// The queue does not take it.
    fn inject(&self, message: Message) -> Result<(), Refusal>;

    /// The stores that plugins have open.
    fn stores(&self) -> Vec<Store>;

    /// What lies in one of them directly below a path: a page of it, behind the one whose `next` is `after`.
    ///
    /// # Errors
    /// There is no such store, or it says no.
    fn store(&self, name: &str, path: &str, after: &str) -> Result<Listing, Refusal>;

    /// Shows the messages of the last `bytes` bytes of a queue, oldest first, bare, until `visit` says false.
    ///
    /// # Errors
    /// The disk says no.
    fn recorded(
        &self,
        queue: Queue,
        bytes: u64,
        visit: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), Refusal>;
}
