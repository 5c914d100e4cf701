//! The face of the crate: make a sandbox, call it, ask about it, keep its state.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemas::{Index, View};

use crate::ffi;
pub use crate::limits::Limits;
use crate::native::{Call, Error, Registry};
pub use crate::status::Answer;
use crate::value::Table;
use crate::vm::{self, Failure, Parts, State, slot};
pub use crate::watch::Handle;
use crate::{environment, preserve};

/// The three kinds of plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Brings messages in.
    Input,
    /// Looks at messages and makes new ones; has no way to the outside.
    Analysis,
    /// Takes messages out.
    Output,
}

impl Kind {
    /// The name of the kind in paths and texts.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Input => "input",
            Kind::Analysis => "analysis",
            Kind::Output => "output",
        }
    }
}

/// All that is needed to make a sandbox.
#[derive(Debug)]
pub struct Spec {
    /// Which functions the plugin gets.
    pub kind: Kind,
    /// Such as `analysis.errors`; also the Logger of its messages.
    pub name: String,
    /// The plugin's Lua file; stands in its errors just as it is given here.
    pub source_path: PathBuf,
    /// What `read_config` serves, complete.
    pub config: Table,
    /// What the plugin may use.
    pub limits: Limits,
    /// Whether Uuid, Timestamp, Logger, Hostname and Pid of its messages are always ours.
    pub restricted_headers: bool,
    /// Hostname of its messages.
    pub hostname: String,
    /// Pid of its messages.
    pub pid: i32,
    /// Where `require` looks for Lua modules: templates with `?`, separated by `;`.
    pub lua_path: Option<String>,
    /// Accepted for the sake of old configurations; modules in C are never loaded.
    pub lua_cpath: Option<String>,
    /// A state file to restore after the main chunk has run.
    pub state: Option<Vec<u8>>,
    /// Whether LuaJIT may compile.
    pub jit: bool,
    /// The engine's log level, 0 to 7; `print` speaks at 7 only.
    pub log_level: u8,
    /// The native modules.
    pub modules: Arc<Registry>,
}

impl Spec {
    /// A spec with Hindsight's defaults and no configuration.
    pub fn new(kind: Kind, name: impl Into<String>, source_path: impl Into<PathBuf>) -> Spec {
        Spec {
            kind,
            name: name.into(),
            source_path: source_path.into(),
            config: Table::new(),
            limits: Limits::default(),
            restricted_headers: kind == Kind::Analysis,
            hostname: String::new(),
            pid: 0,
            lua_path: None,
            lua_cpath: None,
            state: None,
            jit: true,
            log_level: 3,
            modules: Arc::default(),
        }
    }
}

/// A place from which an input can start again.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Checkpoint {
    /// None yet.
    #[default]
    None,
    /// As a number, never NaN.
    Number(f64),
    /// As text, at most [`MAX_CHECKPOINT`] bytes, without NUL.
    Text(Vec<u8>),
}

/// Longest checkpoint text in bytes; Hindsight's.
pub const MAX_CHECKPOINT: usize = 8191;

/// Why the host did not take a message or checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InjectError {
    /// It was refused with this code, which the plugin sees.
    Rejected(i32),
    /// The engine is stopping; the call ends with a clean stop.
    Stopped,
}

/// A matcher that `create_message_matcher` has made.
pub trait CompiledMatcher: Send {
    /// Whether the message matches.
    fn matches(&self, view: &View<'_>) -> bool;
}

/// Where an appended message ends in the engine's queue; later ones are greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The queue's file.
    pub segment: u64,
    /// The byte behind the message.
    pub offset: u64,
}

/// The way into the engine for a native source that works on threads of its own, such as a server; see [`Host::intake`].
pub trait Intake: Send + Sync {
    /// Appends a framed message without waiting; `None` while the queue takes nothing (a full disk, slow readers).
    ///
    /// # Errors
    /// When the message can never be taken, or the engine is stopping.
    fn append(&self, framed: &[u8]) -> Result<Option<Place>, InjectError>;

    /// The end of everything that was appended so far, by this plugin and by others. What the plugin injected before the
    /// call lies before it.
    fn appended(&self) -> Place;

    /// Waits until everything before `place` is as safe as the queue's sync policy makes it; false if it is not within
    /// `timeout`. One sync serves all who wait.
    fn commit(&self, place: Place, timeout: std::time::Duration) -> bool;
}

/// Where a message lies: in one queue later messages have greater places, and a message keeps its place over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessagePlace {
    /// Whether it lies in the analysis queue and not in the input queue.
    pub in_analysis: bool,
    /// The queue's segment.
    pub segment: u64,
    /// Bytes from the segment's begin.
    pub offset: u64,
}

/// What an output gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetter<'a> {
    /// The bytes of a message, without their frame.
    Message(&'a [u8]),
    /// The path of a file that is kept.
    File(&'a str),
}

/// What a sandbox asks of the engine. Each sandbox has one of its own.
pub trait Host: Send {
    /// Takes a message, framed and bare. Inputs may give a checkpoint with it.
    ///
    /// # Errors
    /// See [`InjectError`].
    fn inject(
        &mut self,
        framed: &[u8],
        message: &[u8],
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), InjectError>;

    /// An input's checkpoint without a message.
    ///
    /// # Errors
    /// See [`InjectError`].
    fn checkpoint_only(&mut self, checkpoint: &Checkpoint) -> Result<(), InjectError> {
        let _ = checkpoint;
        Err(InjectError::Rejected(1))
    }

    /// The way in for native code of an input that injects from threads of its own.
    fn intake(&self) -> Option<Arc<dyn Intake>> {
        None
    }

    /// A place where an input can be held or told to end. The sandbox has looked at its own stop flag before.
    fn is_running(&mut self) -> bool {
        true
    }

    /// An output tells what was delivered: all of a batch, or up to a sequence id; with failures, which the
    /// sandbox has counted.
    ///
    /// # Errors
    /// A text for the plugin.
    fn update_checkpoint(&mut self, sequence: Option<u64>, failures: u64) -> Result<(), String> {
        let _ = (sequence, failures);
        Ok(())
    }

    /// Where in the queues the message lies that an output was given last.
    fn place(&self) -> Option<MessagePlace> {
        None
    }

    /// An output gave something up that was already under way: it is kept with the reason, if the plugin's configuration
    /// says so.
    fn dead_letter(&mut self, letter: DeadLetter<'_>, reason: &str) {
        let _ = (letter, reason);
    }

    /// Compiles a matcher expression.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    fn compile_matcher(&mut self, expression: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
        let _ = expression;
        Err("no matchers here".into())
    }

    /// Writes to the engine's log, in the plugin's name. Severities are those of syslog.
    fn log(&mut self, severity: u8, text: &str) {
        let _ = (severity, text);
    }
}

/// A host that takes everything and does nothing; for states that are not plugins.
pub(crate) struct NoHost;

impl Host for NoHost {
    fn inject(&mut self, _: &[u8], _: &[u8], _: Option<&Checkpoint>) -> Result<(), InjectError> {
        Ok(())
    }
}

/// Why a sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The Lua file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The Lua file does not compile, or its main chunk fails.
    #[error("{0}")]
    Load(String),
    /// The state file is not usable; without it the sandbox can be made.
    #[error("{0}")]
    Restore(String),
    /// No state could be made.
    #[error("cannot make a Lua state: {0}")]
    State(String),
    /// The sandbox was interrupted while its main chunk ran.
    #[error("shutting down")]
    Stopped,
}

/// What a sandbox has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes in use.
    pub memory: usize,
    /// Most bytes in use at any time.
    pub memory_max: usize,
    /// Bytes of the largest payload or message built; more than the limit when one was refused.
    pub output_max: usize,
    /// Most instructions counted in a call; only calls that last are counted.
    pub instructions_max: u64,
    /// Messages injected.
    pub injects: u64,
    /// Their bytes, without frames.
    pub inject_bytes: u64,
    /// Calls of `process_message`.
    pub process_messages: u64,
    /// Those that answered -1, and failures told by `update_checkpoint`.
    pub failures: u64,
}

/// A plugin in its cage.
pub struct Sandbox {
    state: State,
    source_path: PathBuf,
    process_messages: u64,
    failures: u64,
}

impl Sandbox {
    /// Loads the plugin, runs its main chunk and restores its state.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub fn new(spec: Spec, host: Box<dyn Host>) -> Result<Sandbox, CreateError> {
        let source = read_source(&spec.source_path)?;
        let Spec {
            config,
            source_path,
            state: saved,
            jit,
            ..
        } = spec;
        let parts = Parts {
            kind: spec.kind,
            limits: spec.limits,
            name: spec.name,
            hostname: spec.hostname,
            pid: spec.pid,
            log_level: spec.log_level,
            restricted_headers: spec.restricted_headers,
            lua_path: spec.lua_path,
            lua_cpath: spec.lua_cpath,
            modules: spec.modules,
            host,
        };
        let state = State::new(parts, jit).map_err(CreateError::State)?;
        let mut sandbox = Sandbox {
            state,
            source_path,
            process_messages: 0,
            failures: 0,
        };
        sandbox
            .with_call(|call| environment::fill(call, &config))
            .map_err(CreateError::State)?;
        sandbox.state.lift_limits(false);
        sandbox.run_main_chunk(&source)?;
        sandbox
            .with_call(environment::close)
            .map_err(CreateError::State)?;
        sandbox.state.collect();
        if let Some(saved) = saved {
            sandbox.restore(&saved).map_err(CreateError::Restore)?;
        }
        Ok(sandbox)
    }

    fn run_main_chunk(&mut self, source: &[u8]) -> Result<(), CreateError> {
        let text = |bytes: Vec<u8>| CreateError::Load(String::from_utf8_lossy(&bytes).into_owned());
        let name = format!("@{}", self.source_path.display());
        self.state.load(source, &name).map_err(text)?;
        self.state.call(0, 0).map_err(|failure| match failure {
            Failure::Error(error) => text(error),
            Failure::Stopped => CreateError::Stopped,
        })
    }

    /// The plugin's Lua file.
    pub fn source_path(&self) -> &Path {
        &self.source_path
    }

    /// Calls `process_message` of an input with its last checkpoint.
    pub fn process_input(&mut self, checkpoint: &Checkpoint) -> Answer {
        let l = self.state.raw();
        if let Err(answer) = self.push_process_message() {
            return answer;
        }
        // SAFETY: the stack holds one value; the string is copied by Lua while Rust has control.
        unsafe {
            match checkpoint {
                Checkpoint::None => ffi::lua_pushnil(l),
                Checkpoint::Number(number) => ffi::lua_pushnumber(l, *number),
                Checkpoint::Text(text) => {
                    ffi::lua_pushlstring_(l, text.as_ptr().cast(), text.len());
                }
            }
        }
        self.call_process_message(1)
    }

    /// Calls `process_message` of an analysis or output plugin. `sequence` is what an output can acknowledge later.
    #[inline]
    pub fn process_message(
        &mut self,
        message: &[u8],
        framed: &[u8],
        sequence: Option<u64>,
    ) -> Answer {
        self.process_indexed(message, framed, None, sequence)
    }

    /// As [`Sandbox::process_message`], where the index of the message is known, so that it need not be made again.
    ///
    /// # Panics
    /// When the plugin reads the message and the index is that of a message of another length.
    #[inline]
    pub fn process_indexed(
        &mut self,
        message: &[u8],
        framed: &[u8],
        index: Option<&Index>,
        sequence: Option<u64>,
    ) -> Answer {
        if let Err(answer) = self.push_process_message() {
            return answer;
        }
        let mut n_args = 0;
        if let Some(sequence) = sequence {
            // SAFETY: the stack holds one value; a light userdata is never followed as a pointer.
            unsafe { ffi::lua_pushlightuserdata(self.state.raw(), sequence as usize as *mut _) };
            n_args = 1;
        }
        let shared = self.state.shared();
        shared.injects_left.set(match shared.kind {
            Kind::Analysis => shared.limits.process_message_injects,
            _ => u32::MAX,
        });
        let current = std::ptr::from_ref(&shared.message);
        // SAFETY: slices and index outlive this function, and so the value that shows them; `current` lives in the sandbox.
        let showing = unsafe { (*current).show(message, framed, index) };
        let answer = self.call_process_message(n_args);
        drop(showing);
        answer
    }

    /// Pushes the plugin's function as it is now: plugins may replace it.
    #[inline]
    fn push_process_message(&mut self) -> Result<(), Answer> {
        self.process_messages += 1;
        if self.push_global(slot::PROCESS_MESSAGE) {
            return Ok(());
        }
        Err(Answer::Terminated(
            "process_message() function was not found".into(),
        ))
    }

    /// Pushes the global whose name lies in `slot` and says whether it is a function; pushes nothing otherwise.
    #[inline]
    fn push_global(&self, slot: c_int) -> bool {
        let l = self.state.raw();
        // SAFETY: the stack is empty, and Rust has control.
        unsafe {
            ffi::lua_rawgeti_(l, ffi::LUA_REGISTRYINDEX, slot);
            ffi::lua_rawget_(l, ffi::LUA_GLOBALSINDEX);
            if ffi::lua_type(l, -1) == ffi::LUA_TFUNCTION {
                return true;
            }
            ffi::lua_settop(l, 0);
            false
        }
    }

    #[inline]
    fn call_process_message(&mut self, n_args: c_int) -> Answer {
        match self.state.call(n_args, 2) {
            Ok(()) => self.take_answer(),
            Err(Failure::Stopped) => Answer::Stopped,
            Err(Failure::Error(text)) => Answer::Terminated(format!(
                "process_message() {}",
                String::from_utf8_lossy(&text)
            )),
        }
    }

    #[inline]
    fn take_answer(&mut self) -> Answer {
        let l = self.state.raw();
        // SAFETY: two results are on the stack; the bytes are copied before they are popped.
        let (code, message) = unsafe {
            let code = (ffi::lua_type(l, -2) == ffi::LUA_TNUMBER).then(|| ffi::lua_tonumber(l, -2));
            // As an integer it would be 0, which says that the message was handled well.
            let code = code.filter(|code| !code.is_nan());
            let message = match ffi::lua_type(l, -1) {
                ffi::LUA_TNIL => Some(None),
                ffi::LUA_TSTRING => Some(Some(vm::bytes_of(l, -1).to_vec())),
                _ => None,
            };
            ffi::lua_settop(l, 0);
            (code, message)
        };
        let terminated = |text: &str| Answer::Terminated(format!("process_message() {text}"));
        let Some(code) = code else {
            return terminated("must return a numeric status code");
        };
        let Some(message) = message else {
            return terminated("must return a nil or string error message");
        };
        let code = code as i32;
        if code > 0 {
            return terminated("received a termination status code");
        }
        self.failures += u64::from(code == crate::status::FAIL);
        Answer::Status { code, message }
    }

    /// Calls `timer_event` with the time in nanoseconds; `shutdown` says that it is the last call.
    ///
    /// # Errors
    /// The text with which the plugin ends. A call that was interrupted ends without an error.
    pub fn timer_event(&mut self, ns: i64, shutdown: bool) -> Result<(), String> {
        if !self.push_global(slot::TIMER_EVENT) {
            return Err("timer_event() function was not found".into());
        }
        let shared = self.state.shared();
        shared.injects_left.set(match shared.kind {
            Kind::Analysis => shared.limits.timer_event_injects,
            _ => u32::MAX,
        });
        // SAFETY: the stack holds one value.
        unsafe {
            ffi::lua_pushnumber(self.state.raw(), ns as f64);
            ffi::lua_pushboolean(self.state.raw(), c_int::from(shutdown));
        }
        match self.state.call(2, 0) {
            Ok(()) => self.state.collect(),
            Err(Failure::Stopped) => {}
            Err(Failure::Error(text)) => {
                return Err(format!("timer_event() {}", String::from_utf8_lossy(&text)));
            }
        }
        Ok(())
    }

    /// Whether the plugin has a `timer_event`.
    pub fn has_timer_event(&self) -> bool {
        let found = self.push_global(slot::TIMER_EVENT);
        // SAFETY: the host's calls leave the stack empty.
        unsafe { ffi::lua_settop(self.state.raw(), 0) };
        found
    }

    /// Hands everything that the plugin has written to open files to the kernel.
    ///
    /// # Errors
    /// The first failure, with the system's words.
    pub fn flush_files(&mut self) -> Result<(), String> {
        self.with_call(environment::flush_files)
    }

    /// The plugin's globals as a state file, with a place in the queue that belongs to it.
    ///
    /// # Errors
    /// What cannot be preserved.
    pub fn preserve(&mut self, position: &str) -> Result<Vec<u8>, String> {
        self.unlimited(|l| {
            // SAFETY: the host has control of the state, and its limits are lifted.
            unsafe { preserve::save(l, position) }
        })
    }

    fn restore(&mut self, saved: &[u8]) -> Result<(), String> {
        self.unlimited(|l| {
            // SAFETY: the host has control of the state, and its limits are lifted.
            unsafe { preserve::restore(l, saved) }
        })
    }

    fn unlimited<T>(&mut self, work: impl FnOnce(*mut ffi::lua_State) -> T) -> T {
        self.state.lift_limits(true);
        let result = work(self.state.raw());
        self.state.lift_limits(false);
        result
    }

    /// Runs native code on the state, with the host in control.
    fn with_call<T>(
        &mut self,
        work: impl FnOnce(&mut Call<'_>) -> Result<T, Error>,
    ) -> Result<T, String> {
        self.state
            .with_call(work)
            .map_err(|text| String::from_utf8_lossy(&text).into_owned())
    }

    /// A hold on the sandbox for other threads.
    pub fn handle(&self) -> Handle {
        Handle {
            control: Arc::clone(&self.state.shared().control),
        }
    }

    /// What it has used so far.
    pub fn stats(&self) -> Stats {
        let shared = self.state.shared();
        Stats {
            memory: shared.memory.used(),
            memory_max: shared.memory.max(),
            output_max: shared.output_max.get(),
            instructions_max: shared.budget.max(),
            injects: shared.injects.get(),
            inject_bytes: shared.inject_bytes.get(),
            process_messages: self.process_messages,
            failures: self.failures.saturating_add(shared.failures.get()),
        }
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("name", &self.state.shared().name)
            .finish_non_exhaustive()
    }
}

/// Reads a Lua file; a first line that begins with `#` is made empty, as Lua's own loader does.
pub(crate) fn read_source(path: &Path) -> Result<Vec<u8>, CreateError> {
    let mut source = std::fs::read(path).map_err(|source| CreateError::Read {
        path: path.to_owned(),
        source,
    })?;
    if source.first() == Some(&b'#') {
        let end = memchr::memchr(b'\n', &source).unwrap_or(source.len());
        source.drain(..end);
    }
    Ok(source)
}
