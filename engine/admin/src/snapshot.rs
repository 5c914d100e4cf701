//! What the engine looks like at one moment, as plain data that the engine makes and the pages show.

use serde::Serialize;

/// The whole engine.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Snapshot {
    /// When it was taken, milliseconds since 1970.
    pub at_ms: i64,
    /// When the engine started, milliseconds since 1970.
    pub started_ms: i64,
    /// The name of this machine as messages bear it.
    pub hostname: String,
    /// The engine's process.
    pub pid: i32,
    /// Threads that run analysis plugins.
    pub analysis_threads: usize,
    /// Messages that the router has looked at.
    pub routed: u64,
    /// Time the router has spent on that, nanoseconds.
    pub routing_ns: u64,
    /// Whether plugins can be put into the load directory.
    pub can_load: bool,
    /// The input queue and the analysis queue.
    pub queues: Vec<QueueState>,
    /// All plugins that run, stopped or were terminated, in the order of their names.
    pub plugins: Vec<PluginState>,
}

impl Snapshot {
    /// The plugin of this name.
    pub fn plugin(&self, name: &str) -> Option<&PluginState> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }
}

/// One queue.
#[derive(Debug, Clone, Default, Serialize)]
pub struct QueueState {
    /// `input` or `analysis`.
    pub name: String,
    /// Segments on the disk.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The place behind the newest message, as `segment:offset`.
    pub appended: String,
    /// Why writers wait, if they do.
    pub blocked: Option<String>,
    /// Bytes free on the disk of the queue, if the system says.
    pub disk_free: Option<u64>,
    /// Who reads it.
    pub readers: Vec<ReaderState>,
}

/// One reader of a queue.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReaderState {
    /// Its name.
    pub name: String,
    /// Bytes between it and the newest message.
    pub lag_bytes: u64,
}

/// What a plugin is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It has a sandbox and gets messages.
    #[default]
    Running,
    /// Its configuration is there, but it does not run and no error says why: an input that has come to its end.
    Ended,
    /// An error ended it or kept it from starting.
    Terminated,
    /// It was turned off.
    Stopped,
}

/// One plugin. Times are in nanoseconds; limits of 0 are none.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PluginState {
    /// `<type>.<name>`.
    pub name: String,
    /// `input`, `analysis` or `output`.
    pub kind: &'static str,
    /// What it is doing.
    pub condition: Condition,
    /// The text of its `.err` file, if there is one.
    pub error: Option<String>,
    /// Who may change it beside operators.
    pub owner: Option<String>,
    /// The expression that selects its messages.
    pub matcher: Option<String>,
    /// Seconds between calls of timer_event; 0 for none.
    pub ticker_s: u64,
    /// Messages it injected.
    pub injects: u64,
    /// Their bytes.
    pub inject_bytes: u64,
    /// Calls of process_message.
    pub messages: u64,
    /// Those that failed.
    pub failures: u64,
    /// Bytes of its Lua state.
    pub memory: u64,
    /// The most there were.
    pub memory_max: u64,
    /// The limit.
    pub memory_limit: u64,
    /// The largest payload or message it built, in bytes, also when it was too large.
    pub output_max: u64,
    /// Its own limit.
    pub output_limit: u64,
    /// The limit of all messages, `max_message_size` of the main configuration.
    pub message_limit: u64,
    /// The most instructions of one call; short calls are not counted.
    pub instructions_max: u64,
    /// The limit.
    pub instruction_limit: u64,
    /// Mean and deviation of one evaluation of the matcher.
    pub matching_ns: [f64; 2],
    /// Mean and deviation of process_message.
    pub processing_ns: [f64; 2],
    /// Mean and deviation of timer_event.
    pub timing_ns: [f64; 2],
    /// All time spent in the matcher.
    pub matching_total_ns: u64,
    /// All time spent in process_message.
    pub processing_total_ns: u64,
    /// All time spent in timer_event.
    pub timing_total_ns: u64,
    /// Bytes it is behind in the queues it reads; none for inputs.
    pub lag_bytes: Option<u64>,
}

impl PluginState {
    /// Messages that count for its rate: those it processed, for inputs those it injected.
    pub fn traffic(&self) -> u64 {
        match self.kind {
            "input" => self.injects,
            _ => self.messages,
        }
    }

    /// Time of a thread that it has used, nanoseconds.
    pub fn busy_ns(&self) -> u64 {
        self.matching_total_ns
            .saturating_add(self.processing_total_ns)
            .saturating_add(self.timing_total_ns)
    }
}
