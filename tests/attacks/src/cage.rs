//! One sandbox of a trial: how it is made, and how a message is handed to it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use sandbox::value::Table;
use sandbox::{Answer, Checkpoint, Kind, Limits, Sandbox, Spec};
use schemas::frame::FrameBuf;
use schemas::message::{Field, FieldValue, Message};

use crate::program::Options;
use crate::recorder::{MAX_MESSAGE, Record, Recorder};

/// Lua instructions of one call, the engine's default.
const INSTRUCTIONS: u64 = 1_000_000;
/// Bytes of output, the engine's default.
const OUTPUT: usize = 64 << 10;
/// Descriptors that a plugin may hold; the programs know the number.
const DESCRIPTORS: usize = 256;
/// Messages one timer event may inject, the engine's default.
const TIMER_INJECTS: u32 = 10;
/// A time for timer events, in nanoseconds.
const NOW_NS: i64 = 1_700_000_000_000_000_000;

/// A sandbox and what its plugin did so far.
pub struct Cage {
    sandbox: Sandbox,
    kind: Kind,
    record: Arc<Record>,
    sequence: u64,
}

/// How a step of a plugin ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// By itself; the text is its status message, if any.
    Ran(Option<String>),
    /// With this error.
    Ended(String),
}

/// What a sandbox is made of.
pub struct Plan<'a> {
    /// The kind of the plugin.
    pub kind: Kind,
    /// Its name without the kind.
    pub name: &'a str,
    /// Its source.
    pub path: &'a Path,
    /// What is not as usual.
    pub options: &'a Options,
    /// Whether the compiler is on.
    pub jit: bool,
    /// The search path of `require`.
    pub lua_path: Option<String>,
    /// What `read_config` serves.
    pub config: Table,
    /// The state file to be restored.
    pub state: Option<Vec<u8>>,
}

impl Cage {
    /// Loads the plugin.
    pub fn new(plan: Plan<'_>) -> Result<Cage> {
        let record = Arc::new(Record::default());
        let kind = plan.kind;
        let host = Box::new(Recorder(record.clone()));
        let sandbox = Sandbox::new(spec(plan), host).map_err(|error| anyhow!("{error}"))?;
        Ok(Cage {
            sandbox,
            kind,
            record,
            sequence: 0,
        })
    }

    /// What the plugin did.
    pub fn record(&self) -> &Arc<Record> {
        &self.record
    }

    /// Whether the plugin has a timer event.
    pub fn has_timer_event(&self) -> bool {
        self.sandbox.has_timer_event()
    }

    /// One call of `process_message`; the message is not used by an input.
    pub fn process(&mut self, message: &mut FrameBuf) -> Step {
        self.sequence += 1;
        let answer = if self.kind == Kind::Input {
            self.sandbox.process_input(&Checkpoint::None)
        } else {
            let raw = message.message_bytes().to_vec();
            let sequence = (self.kind == Kind::Output).then_some(self.sequence);
            self.sandbox
                .process_message(&raw, message.finish(), sequence)
        };
        match answer {
            Answer::Status { message, .. } => {
                Step::Ran(message.map(|text| String::from_utf8_lossy(&text).into_owned()))
            }
            Answer::Terminated(text) => Step::Ended(text),
            Answer::Stopped => Step::Ended("stopped".to_owned()),
        }
    }

    /// One timer event.
    pub fn timer(&mut self, shutdown: bool) -> Step {
        match self.sandbox.timer_event(NOW_NS, shutdown) {
            Ok(()) => Step::Ran(None),
            Err(text) => Step::Ended(text),
        }
    }

    /// The bytes of the state file.
    pub fn preserve(&mut self) -> Result<Vec<u8>, String> {
        self.sandbox.preserve("1:0")
    }
}

fn spec(plan: Plan<'_>) -> Spec {
    let prefix = match plan.kind {
        Kind::Input => "input",
        Kind::Analysis => "analysis",
        Kind::Output => "output",
    };
    Spec {
        kind: plan.kind,
        name: format!("{prefix}.{}", plan.name),
        source_path: plan.path.to_path_buf(),
        config: plan.config,
        limits: limits(plan.kind, plan.options),
        restricted_headers: plan.kind == Kind::Analysis && plan.options.restricted,
        hostname: "attacked".to_owned(),
        pid: 1,
        lua_path: plan.lua_path.clone(),
        lua_cpath: plan.lua_path.map(|path| path.replace(".lua", ".so")),
        state: plan.state,
        jit: plan.jit,
        log_level: plan.options.log_level,
        modules: Arc::new(host::run::modules()),
    }
}

fn limits(kind: Kind, options: &Options) -> Limits {
    let message_injects = if kind == Kind::Analysis { 0 } else { u32::MAX };
    let timer_injects = if kind == Kind::Analysis {
        TIMER_INJECTS
    } else {
        u32::MAX
    };
    Limits {
        memory: options.memory,
        instructions: INSTRUCTIONS,
        output: OUTPUT,
        input: MAX_MESSAGE,
        max_message: MAX_MESSAGE,
        descriptors: DESCRIPTORS,
        process_message_injects: options.injects.unwrap_or(message_injects),
        timer_event_injects: options.injects.unwrap_or(timer_injects),
    }
}

/// A message with a payload of `payload` letters and some fields.
pub fn message(payload: usize) -> FrameBuf {
    let mut message = Message::new([7; 16], NOW_NS);
    message.type_ = Some(b"attack".to_vec());
    message.payload = Some(vec![b'a'; payload]);
    message.fields = vec![
        Field::double("number", 42.5),
        Field::with("list", FieldValue::Integer(vec![1, 2, 3])),
        Field::string("text", "some text"),
        Field::bool("truth", true),
    ];
    let mut frame = FrameBuf::new();
    message.encode(frame.message());
    frame
}
