//! What the sandboxes of analysis and output plugins may ask of the engine.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use matcher::Matcher;
use queue::Position;
use sandbox::{Checkpoint, CompiledMatcher, DeadLetter, Host, InjectError, MessagePlace};
use schemas::view::View;

use crate::dead_letter;
use crate::delivery::Delivery;
use crate::input_plugin::append;
use crate::shared::Shared;

/// An output that injects while the input queue is held back waits so long for each message, then appends anyway:
/// it may itself be the reader the queue waits for.
const OUTPUT_INJECT_WAIT: Duration = Duration::from_millis(100);

/// Analysis plugins: what they inject goes to the analysis queue.
pub struct AnalysisHost {
    /// What all stages share.
    pub shared: Arc<Shared>,
    /// The plugin's name.
    pub name: String,
    /// While set, injected messages are dropped, because they were injected before a crash.
    pub muted: Arc<AtomicBool>,
}

impl Host for AnalysisHost {
    fn inject(
        &mut self,
        framed: &[u8],
        _: &[u8],
        _: Option<&Checkpoint>,
    ) -> Result<(), InjectError> {
        if self.muted.load(Ordering::Acquire) {
            return Ok(());
        }
        append(&self.shared.analysis_queue, framed, || {
            self.shared.stop.is_stopping()
        })
    }

    fn is_running(&mut self) -> bool {
        !self.shared.stop.is_stopping()
    }

    fn compile_matcher(&mut self, expression: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
        compile_matcher(expression)
    }

    fn log(&mut self, severity: u8, text: &str) {
        log(&self.name, severity, text);
    }
}

/// Where the message lies that an output was given last. Written and read by the output's own thread.
#[derive(Debug, Default)]
pub struct Here {
    in_analysis: AtomicBool,
    /// One more than the segment; 0 before the first message.
    segment: AtomicU64,
    offset: AtomicU64,
}

impl Here {
    /// The plugin is given the message at `position`.
    pub fn set(&self, in_analysis: bool, position: Position) {
        self.in_analysis.store(in_analysis, Ordering::Relaxed);
        self.segment
            .store(position.segment.saturating_add(1), Ordering::Relaxed);
        self.offset.store(position.offset, Ordering::Relaxed);
    }

    fn get(&self) -> Option<MessagePlace> {
        Some(MessagePlace {
            in_analysis: self.in_analysis.load(Ordering::Relaxed),
            segment: self.segment.load(Ordering::Relaxed).checked_sub(1)?,
            offset: self.offset.load(Ordering::Relaxed),
        })
    }
}

/// Output plugins: what they inject goes to the input queue, and they acknowledge what they deliver.
pub struct OutputHost {
    /// What all stages share.
    pub shared: Arc<Shared>,
    /// The plugin's name.
    pub name: String,
    /// What the plugin has delivered.
    pub delivery: Arc<Mutex<Delivery>>,
    /// Where its message lies.
    pub here: Arc<Here>,
    /// Whether what it gives up is kept.
    pub keeps_dead_letters: bool,
}

impl Host for OutputHost {
    fn place(&self) -> Option<MessagePlace> {
        self.here.get()
    }

    fn inject(
        &mut self,
        framed: &[u8],
        _: &[u8],
        _: Option<&Checkpoint>,
    ) -> Result<(), InjectError> {
        match self
            .shared
            .input_queue
            .append_past_readers(framed, OUTPUT_INJECT_WAIT)
        {
            Ok(_) => Ok(()),
            Err(queue::AppendError::Stopped) => Err(InjectError::Stopped),
            Err(_) => Err(InjectError::Rejected(1)),
        }
    }

    fn is_running(&mut self) -> bool {
        !self.shared.stop.is_stopping()
    }

    fn update_checkpoint(&mut self, sequence: Option<u64>, _failures: u64) -> Result<(), String> {
        let mut delivery = self
            .delivery
            .lock()
            .expect("nothing panics under this lock");
        match sequence {
            Some(sequence) => delivery.acknowledge(sequence),
            None => delivery.commit_batch(),
        }
        Ok(())
    }

    fn dead_letter(&mut self, letter: DeadLetter<'_>, reason: &str) {
        log(&self.name, 4, &format!("given up: {reason}"));
        if self.keeps_dead_letters {
            dead_letter::keep(&self.shared, &self.name, letter, reason);
        }
    }

    fn compile_matcher(&mut self, expression: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
        compile_matcher(expression)
    }

    fn log(&mut self, severity: u8, text: &str) {
        log(&self.name, severity, text);
    }
}

struct Compiled(Matcher);

impl CompiledMatcher for Compiled {
    fn matches(&self, view: &View<'_>) -> bool {
        self.0.matches(view)
    }
}

/// Compiles a matcher for `create_message_matcher`.
pub fn compile_matcher(expression: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
    match Matcher::parse(expression) {
        Ok(matcher) => Ok(Box::new(Compiled(matcher))),
        Err(error) => Err(error.to_string()),
    }
}

/// Logs a line of a plugin with its syslog severity.
pub fn log(plugin: &str, severity: u8, text: &str) {
    let exact = u64::from(severity);
    match severity {
        0..=3 => tracing::error!(target: "plugin", plugin, severity = exact, "{text}"),
        4 => tracing::warn!(target: "plugin", plugin, severity = exact, "{text}"),
        5 | 6 => tracing::info!(target: "plugin", plugin, severity = exact, "{text}"),
        _ => tracing::debug!(target: "plugin", plugin, severity = exact, "{text}"),
    }
}
