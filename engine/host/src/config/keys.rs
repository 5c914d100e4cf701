//! Every key of the configuration files: type, unit, default, range and meaning, as data.
//!
//! The readers, the hints of `foresight check` and the documentation are all made from these tables.

use std::fmt::Write;

use sandbox::Kind;

/// The largest number most keys take: Hindsight keeps them in 32 bits.
pub const UINT_MAX: u64 = u32::MAX as u64;

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// A string.
    Text,
    /// A number, cut to a whole one, from `min` to `max`.
    Number {
        /// The least value allowed.
        min: u64,
        /// The greatest value allowed.
        max: u64,
    },
    /// `true` or `false`.
    Bool,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// "oldest", "newest" or a time.
    Place,
    /// A table with the keys of this list.
    Table(&'static [&'static [KeySpec]]),
}

/// What a key means when it is not there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Absent {
    /// The file is faulty.
    Required,
    /// The feature is not used, or the value is worked out, as the documentation of the key says.
    Nothing,
    /// This text.
    Text(&'static str),
    /// This number.
    Number(u64),
    /// This truth value.
    Bool(bool),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeySpec {
    /// Its name in the file.
    pub name: &'static str,
    /// What it holds.
    pub holds: Type,
    /// The unit of a number, "" when it counts nothing in particular.
    pub unit: &'static str,
    /// What its absence means.
    pub absent: Absent,
    /// Whether Hindsight has it; the others are ours.
    pub hindsight: bool,
    /// What it does, in one or a few sentences.
    pub doc: &'static str,
}

const fn text(name: &'static str, absent: Absent, doc: &'static str) -> KeySpec {
    KeySpec {
        name,
        holds: Type::Text,
        unit: "",
        absent,
        hindsight: true,
        doc,
    }
}

const fn number(
    name: &'static str,
    unit: &'static str,
    default: u64,
    (min, max): (u64, u64),
    doc: &'static str,
) -> KeySpec {
    let holds = Type::Number { min, max };
    KeySpec {
        name,
        holds,
        unit,
        absent: Absent::Number(default),
        hindsight: true,
        doc,
    }
}

const fn truth(name: &'static str, default: bool, doc: &'static str) -> KeySpec {
    let absent = Absent::Bool(default);
    KeySpec {
        name,
        holds: Type::Bool,
        unit: "",
        absent,
        hindsight: true,
        doc,
    }
}

const fn choice(
    name: &'static str,
    words: &'static [&'static str],
    absent: Absent,
    doc: &'static str,
) -> KeySpec {
    KeySpec {
        name,
        holds: Type::Choice(words),
        unit: "",
        absent,
        hindsight: true,
        doc,
    }
}

const fn table(
    name: &'static str,
    keys: &'static [&'static [KeySpec]],
    absent: Absent,
    doc: &'static str,
) -> KeySpec {
    KeySpec {
        name,
        holds: Type::Table(keys),
        unit: "",
        absent,
        hindsight: true,
        doc,
    }
}

/// Marks a key as one that Hindsight does not have.
const fn ours(spec: KeySpec) -> KeySpec {
    KeySpec {
        hindsight: false,
        ..spec
    }
}

/// The whole range of Hindsight's unsigned numbers.
const UINT: (u64, u64) = (0, UINT_MAX);

/// Sizes and amounts of bytes that may exceed 32 bits: 2^53, up to which Lua's numbers are exact.
const BYTES: (u64, u64) = (0, 1 << 53);

/// Intervals in milliseconds: an hour at most, beyond which a typing error is more likely than a wish.
const MILLISECONDS: (u64, u64) = (1, 3_600_000);

/// The main configuration.
pub const MAIN: &[KeySpec] = &[
    text(
        "output_path",
        Absent::Required,
        "Directory of the queues, checkpoints, states and statistics.",
    ),
    number(
        "output_size",
        "bytes",
        67_108_864,
        UINT,
        "Size at which a queue starts its next segment file.",
    ),
    number(
        "backpressure",
        "segments",
        0,
        UINT,
        "How far, in segments, the slowest reader may fall behind before writers have to wait; 0 for any distance.",
    ),
    number(
        "backpressure_disk_free",
        "segments",
        4,
        UINT,
        "Writers wait when less disk space than this many times output_size is free; 0 never waits.",
    ),
    text(
        "sandbox_load_path",
        Absent::Text(""),
        "Directory into which plugins are put to be started, restarted or stopped while the engine runs; \
         it needs the directories input, analysis and output. Empty turns this off.",
    ),
    text(
        "sandbox_run_path",
        Absent::Required,
        "Directory of the plugins that run; it needs the directories input, analysis and output.",
    ),
    text(
        "sandbox_install_path",
        Absent::Text("/usr/share/luasandbox/sandboxes/heka"),
        "Where the Lua source of a plugin is looked up when it does not lie beside its configuration.",
    ),
    number(
        "analysis_threads",
        "threads",
        1,
        (1, 64),
        "Number of threads that run analysis plugins. Each plugin runs on any of them, one call at a time.",
    ),
    number(
        "analysis_utilization_limit",
        "percent",
        95,
        (0, 100),
        "New analysis plugins wait in the load directory while the threads are busier than this; 0 for no limit.",
    ),
    text(
        "analysis_lua_path",
        Absent::Required,
        "Where analysis plugins find Lua modules: templates with '?' and ';'.",
    ),
    text(
        "analysis_lua_cpath",
        Absent::Required,
        "Accepted and shown to plugins; compiled modules are never loaded from it.",
    ),
    text(
        "io_lua_path",
        Absent::Required,
        "Where input and output plugins find Lua modules: templates with '?' and ';'.",
    ),
    text(
        "io_lua_cpath",
        Absent::Required,
        "Accepted and shown to plugins; compiled modules are never loaded from it.",
    ),
    number(
        "max_message_size",
        "bytes",
        65_536,
        (1024, UINT_MAX),
        "Largest encoded message.",
    ),
    text(
        "hostname",
        Absent::Nothing,
        "Hostname of messages that set none; the system's name when absent.",
    ),
    table(
        "input_defaults",
        &[SANDBOX, INPUT_NEW],
        Absent::Required,
        "What input plugins use for keys they do not set.",
    ),
    table(
        "analysis_defaults",
        &[SANDBOX, ANALYSIS, READER_NEW],
        Absent::Required,
        "What analysis plugins use for keys they do not set.",
    ),
    table(
        "output_defaults",
        &[SANDBOX, OUTPUT, READER_NEW, OUTPUT_NEW],
        Absent::Required,
        "What output plugins use for keys they do not set.",
    ),
    ours(choice(
        "sync",
        &["always", "interval", "never"],
        Absent::Text("interval"),
        "When messages are made safe from a loss of power: each before it is acknowledged, every sync_interval_ms, \
         or whenever the system likes. A killed process loses none of them.",
    )),
    ours(number(
        "sync_interval_ms",
        "ms",
        1000,
        MILLISECONDS,
        "How often a queue is synced when sync is \"interval\".",
    )),
    ours(number(
        "checkpoint_interval_ms",
        "ms",
        50,
        MILLISECONDS,
        "How often the positions of all readers are collected; what is repeated after a crash is at most this much.",
    )),
    ours(table(
        "retention",
        &[RETENTION],
        Absent::Nothing,
        "What happens to segments that every reader has passed. Without it they are deleted at once; \
         while a queue has no reader at all, its segments stay.",
    )),
    ours(choice(
        "log_format",
        &["foresight", "hindsight", "json"],
        Absent::Nothing,
        "Form of the log lines; the command line goes first. \
         Under the name hindsight it is \"hindsight\", otherwise \"foresight\".",
    )),
    ours(text(
        "admin_listen",
        Absent::Nothing,
        "Address and port of the web UI and its API, such as \"127.0.0.1:5580\"; without it there is none. \
         Where others than this machine can reach it, admin_users or admin_proxy_header must be set.",
    )),
    ours(text(
        "admin_url",
        Absent::Nothing,
        "Where browsers reach the web UI, such as \"https://foresight.example.com\", when that is not admin_listen: behind a \
         proxy, for instance. Links in alerts begin with it.",
    )),
    ours(text(
        "admin_users",
        Absent::Nothing,
        "File of those who may log in to the web UI: a line <name>:<viewer|author|operator>:<argon2 hash> for each, \
         as `foresight user` makes them. Without it, and without admin_proxy_header, everybody on this machine is an operator.",
    )),
    ours(text(
        "admin_proxy_header",
        Absent::Nothing,
        "Header in which a proxy in front of the web UI names the user; believed only from admin_proxies.",
    )),
    ours(text(
        "admin_proxies",
        Absent::Nothing,
        "Addresses of the proxies that admin_proxy_header is believed from, with spaces between.",
    )),
    ours(choice(
        "admin_proxy_role",
        &["none", "viewer", "author", "operator"],
        Absent::Text("none"),
        "Role of users whom the proxy names and admin_users does not.",
    )),
    ours(text(
        "admin_certificate",
        Absent::Nothing,
        "PEM file with the certificate of the web UI; with it the UI speaks TLS only.",
    )),
    ours(text(
        "admin_key",
        Absent::Nothing,
        "PEM file with the key of admin_certificate.",
    )),
    ours(text(
        "admin_metrics_token",
        Absent::Nothing,
        "Bearer token with which /metrics can be read without a login.",
    )),
    ours(text(
        "admin_outputs",
        Absent::Nothing,
        "Directories of outputs that the web UI shows: <name>=<path>, with ; between.",
    )),
    ours(text(
        "admin_lake",
        Absent::Nothing,
        "Directories of the data lake that the web UI shows: <name>=<path>, with ; between.",
    )),
    ours(number(
        "admin_history_days",
        "days",
        15,
        (0, 3_650),
        "How long the web UI keeps the past of graphs on the disk, below <output_path>/admin/graphs; 0 keeps none.",
    )),
    ours(number(
        "admin_history_bytes",
        "bytes",
        512 << 20,
        BYTES,
        "What the past of all graphs may take on the disk; beyond it the oldest days are forgotten.",
    )),
];

/// Inside `retention`.
pub const RETENTION: &[KeySpec] = &[
    ours(number(
        "keep_bytes",
        "bytes",
        0,
        BYTES,
        "Of the segments that every reader has passed, the newest ones of this size stay for replay.",
    )),
    ours(number(
        "keep_age_s",
        "s",
        0,
        UINT,
        "Segments that every reader has passed stay until they are this old.",
    )),
    ours(number(
        "max_bytes",
        "bytes",
        0,
        BYTES,
        "A queue larger than this loses its oldest segments even if a reader still needs them; 0 never does that.",
    )),
    ours(number(
        "max_age_s",
        "s",
        0,
        UINT,
        "Segments older than this are deleted even if a reader still needs them; 0 never does that.",
    )),
];

/// What every plugin may set and every `*_defaults` table may preset.
pub const SANDBOX: &[KeySpec] = &[
    number(
        "output_limit",
        "bytes",
        65_536,
        UINT,
        "Largest payload, or other text a plugin builds.",
    ),
    number(
        "memory_limit",
        "bytes",
        8_388_608,
        UINT,
        "Memory of the plugin's Lua state; 0 for no limit.",
    ),
    number(
        "instruction_limit",
        "instructions",
        1_000_000,
        UINT,
        "Lua instructions per call; 0 for no limit.",
    ),
    number(
        "ticker_interval",
        "s",
        0,
        UINT,
        "How often timer_event is called (inputs: process_message again); 0 for never.",
    ),
    truth(
        "preserve_data",
        false,
        "Keep the plugin's global data over restarts.",
    ),
    KeySpec {
        absent: Absent::Nothing,
        ..truth(
            "restricted_headers",
            false,
            "Set the headers Logger, Hostname and Pid of injected messages to the plugin's own. \
             When absent: true for analysis plugins, false for others.",
        )
    },
    truth(
        "shutdown_on_terminate",
        false,
        "Stop the whole engine when this plugin is terminated.",
    ),
    ours(number(
        "descriptor_limit",
        "descriptors",
        1_536,
        UINT,
        "Files, programs and connections that the plugin may have open at a time; 0 for no limit.",
    )),
    ours(truth(
        "jit",
        true,
        "Let the just-in-time compiler work on this plugin.",
    )),
    ours(number(
        "preserve_interval",
        "s",
        1,
        UINT,
        "How often preserved data is saved while the plugin runs; 0 only at a stop.",
    )),
    ours(number(
        "stuck_after_ms",
        "ms",
        10_000,
        UINT,
        "A plugin with a call that takes longer than this, beyond the reach of its limits, is reported and set aside; 0 for never.",
    )),
];

/// Only inputs, beyond Hindsight. (None yet: the list keeps the tables alike.)
pub const INPUT_NEW: &[KeySpec] = &[];

/// Only analysis plugins.
pub const ANALYSIS: &[KeySpec] = &[
    number(
        "process_message_inject_limit",
        "messages",
        0,
        UINT,
        "Messages that one process_message call may inject; 0 for none.",
    ),
    number(
        "timer_event_inject_limit",
        "messages",
        10,
        UINT,
        "Messages that one timer_event call may inject; 0 for none.",
    ),
];

/// Only output plugins.
pub const OUTPUT: &[KeySpec] = &[
    truth(
        "remove_checkpoints_on_terminate",
        false,
        "Forget the plugin's positions when it is terminated, so that the queues need not wait for it.",
    ),
    choice(
        "read_queue",
        &["both", "input", "analysis"],
        Absent::Text("both"),
        "Which queues the plugin reads.",
    ),
];

/// Analysis and output plugins, beyond Hindsight.
pub const READER_NEW: &[KeySpec] = &[ours(KeySpec {
    name: "initial_position",
    holds: Type::Place,
    unit: "",
    absent: Absent::Nothing,
    hindsight: false,
    doc: "Where a plugin without a position starts: \"oldest\", \"newest\", or a time (RFC 3339 text, or seconds since 1970). \
          When absent, as Hindsight does: at the oldest message when the engine starts, at the newest when loaded while it runs.",
})];

/// Only output plugins, beyond Hindsight.
pub const OUTPUT_NEW: &[KeySpec] = &[
    ours(number(
        "retry_max_attempts",
        "attempts",
        0,
        UINT,
        "How often a message answered with retry is tried again before it counts as failed; 0 for ever.",
    )),
    ours(number(
        "retry_delay_ms",
        "ms",
        1000,
        MILLISECONDS,
        "Wait before the first retry; each further wait is twice as long.",
    )),
    ours(number(
        "retry_delay_max_ms",
        "ms",
        30_000,
        MILLISECONDS,
        "Longest wait between retries.",
    )),
    ours(truth(
        "dead_letter",
        false,
        "A message that failed for good is kept: a new message of Type foresight.dead_letter in the input queue \
         holds its bytes and the reason.",
    )),
];

/// What only a plugin's own file can set, by kind.
pub const PLUGIN_ONLY: &[KeySpec] = &[text(
    "filename",
    Absent::Required,
    "Name of the Lua source, without a directory. It is looked up beside the configuration, \
     then in <sandbox_install_path>/<type>.",
)];

/// Analysis and output plugins' own files.
pub const MATCHER: &[KeySpec] = &[text(
    "message_matcher",
    Absent::Required,
    "Expression that says which messages the plugin gets.",
)];

/// Analysis plugins' own files.
pub const ANALYSIS_ONLY: &[KeySpec] = &[KeySpec {
    absent: Absent::Nothing,
    ..number(
        "thread",
        "",
        0,
        UINT,
        "Accepted for Hindsight's sake; plugins are not bound to threads.",
    )
}];

/// Output plugins' own files.
pub const OUTPUT_ONLY: &[KeySpec] = &[number(
    "async_buffer_size",
    "messages",
    0,
    UINT,
    "Messages that the plugin may have under way without an answer; 0 turns asynchronous answers off.",
)];

/// The lists that hold the keys of a `*_defaults` table.
pub fn defaults(kind: Kind) -> &'static [&'static [KeySpec]] {
    match kind {
        Kind::Input => &[SANDBOX, INPUT_NEW],
        Kind::Analysis => &[SANDBOX, ANALYSIS, READER_NEW],
        Kind::Output => &[SANDBOX, OUTPUT, READER_NEW, OUTPUT_NEW],
    }
}

/// The lists that hold the keys of a plugin's own file.
pub fn plugin(kind: Kind) -> &'static [&'static [KeySpec]] {
    match kind {
        Kind::Input => &[PLUGIN_ONLY, SANDBOX, INPUT_NEW],
        Kind::Analysis => &[
            PLUGIN_ONLY,
            MATCHER,
            ANALYSIS_ONLY,
            SANDBOX,
            ANALYSIS,
            READER_NEW,
        ],
        Kind::Output => &[
            PLUGIN_ONLY,
            MATCHER,
            OUTPUT_ONLY,
            SANDBOX,
            OUTPUT,
            READER_NEW,
            OUTPUT_NEW,
        ],
    }
}

/// The key called `name` of some lists.
pub fn find(lists: &[&'static [KeySpec]], name: &str) -> Option<&'static KeySpec> {
    lists
        .iter()
        .flat_map(|list| list.iter())
        .find(|spec| spec.name == name)
}

/// Names a plugin cannot set, because the host sets them for every plugin.
pub fn reserved(kind: Kind) -> &'static [&'static str] {
    const ALL: &[&str] = &["Logger", "Hostname", "Pid", "log_level", "path", "cpath"];
    const WITH_PATHS: &[&str] = &[
        "Logger",
        "Hostname",
        "Pid",
        "log_level",
        "path",
        "cpath",
        "output_path",
        "output_size",
        "max_message_size",
        "sandbox_load_path",
        "sandbox_run_path",
        "sandbox_install_path",
    ];
    match kind {
        Kind::Analysis => ALL,
        Kind::Input | Kind::Output => WITH_PATHS,
    }
}

impl KeySpec {
    /// What a value has to be, for error messages: `a whole number of bytes from 0 to 4294967295 (default 65536)`.
    pub fn expected(&self) -> String {
        let mut text = match self.holds {
            Type::Text => "a string".to_string(),
            Type::Bool => "true or false".to_string(),
            Type::Choice(words) => format!("one of \"{}\"", words.join("\", \"")),
            Type::Place => {
                "\"oldest\", \"newest\", an RFC 3339 time or seconds since 1970".to_string()
            }
            Type::Table(_) => "a table".to_string(),
            Type::Number { min, max } => {
                let of = if self.unit.is_empty() { "" } else { " of " };
                format!("a whole number{of}{} from {min} to {max}", self.unit)
            }
        };
        let default = self.default_text();
        if !default.is_empty() {
            write!(text, " (default {default})").expect("a String takes any text");
        }
        text
    }

    /// The default as it would stand in a file; "" when there is none.
    pub fn default_text(&self) -> String {
        match self.absent {
            Absent::Required | Absent::Nothing => String::new(),
            Absent::Text(text) => format!("\"{text}\""),
            Absent::Number(number) => number.to_string(),
            Absent::Bool(truth) => truth.to_string(),
        }
    }
}

/// The documentation of all keys, as Markdown tables.
pub fn markdown() -> String {
    let mut out = String::new();
    section(&mut out, "Main configuration", &[MAIN]);
    section(&mut out, "retention", &[RETENTION]);
    section(
        &mut out,
        "Every plugin, and every *_defaults table",
        &[SANDBOX],
    );
    section(&mut out, "Every plugin's own file", &[PLUGIN_ONLY]);
    section(
        &mut out,
        "Analysis and output plugins",
        &[MATCHER, READER_NEW],
    );
    section(&mut out, "Analysis plugins", &[ANALYSIS, ANALYSIS_ONLY]);
    section(
        &mut out,
        "Output plugins",
        &[OUTPUT, OUTPUT_ONLY, OUTPUT_NEW],
    );
    out
}

fn section(out: &mut String, title: &str, lists: &[&'static [KeySpec]]) {
    out.push_str(&format!(
        "## {title}\n\n| key | value | meaning |\n|---|---|---|\n"
    ));
    for spec in lists.iter().flat_map(|list| list.iter()) {
        let required = if spec.absent == Absent::Required {
            ", required"
        } else {
            ""
        };
        let origin = if spec.hindsight {
            ""
        } else {
            " Not in Hindsight."
        };
        out.push_str(&format!(
            "| `{}` | {}{required} | {}{origin} |\n",
            spec.name,
            spec.expected(),
            spec.doc
        ));
    }
    out.push('\n');
}
