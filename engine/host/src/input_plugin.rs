//! One input plugin on its thread: run once, polled by its ticker, or running for ever; what it injects is appended
//! to the input queue before its checkpoint moves.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use queue::AppendError;
use sandbox::{Answer, Checkpoint, InjectError, Intake, Place, Sandbox};

use crate::config::Plugin;
use crate::shared::{Shared, StopState};
use crate::statistics::{Counts, Statistics};

/// What other threads see of an input plugin.
pub struct InputPlugin {
    /// The plugin's configuration.
    pub config: Arc<Plugin>,
    /// Counters and times.
    pub statistics: Statistics,
    /// Guards the checkpoint of the newest message appended.
    checkpoint: Mutex<Checkpoint>,
    handle: Mutex<Option<sandbox::Handle>>,
    stop: AtomicBool,
    ended: AtomicBool,
    /// Counted here and not only in the sandbox, because a call of an input may run for ever.
    injected: AtomicU64,
    injected_bytes: AtomicU64,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl InputPlugin {
    /// The visible side of an input that starts from `checkpoint`.
    pub fn new(config: Arc<Plugin>, checkpoint: Checkpoint) -> Arc<Self> {
        Arc::new(InputPlugin {
            config,
            statistics: Statistics::default(),
            checkpoint: Mutex::new(checkpoint),
            handle: Mutex::new(None),
            stop: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            injected: AtomicU64::new(0),
            injected_bytes: AtomicU64::new(0),
            thread: Mutex::new(None),
        })
    }

    fn lock_checkpoint(&self) -> MutexGuard<'_, Checkpoint> {
        self.checkpoint
            .lock()
            .expect("nothing panics under this lock")
    }

    /// The checkpoint of the newest message appended; safe to record once the queue is flushed.
    pub fn checkpoint(&self) -> Checkpoint {
        self.lock_checkpoint().clone()
    }

    /// Messages injected so far.
    pub fn injected(&self) -> u64 {
        self.injected.load(Ordering::Relaxed)
    }

    /// Bytes of the messages injected so far, without frames.
    pub fn injected_bytes(&self) -> u64 {
        self.injected_bytes.load(Ordering::Relaxed)
    }

    /// The counts as they are now, in the middle of a call too.
    pub fn counts(&self) -> Counts {
        let injects = self.injected();
        Counts {
            injects,
            inject_bytes: self.injected_bytes(),
            ..self.statistics.snapshot()
        }
    }

    /// Counts what a native source of the plugin injected; from any thread.
    fn count_shared(&self, bytes: usize) {
        self.injected.fetch_add(1, Ordering::Relaxed);
        self.injected_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Only the plugin's own thread counts, so a load and a store are enough. A plugin with a native source injects
    /// nothing else meanwhile.
    fn count(&self, bytes: usize) {
        self.injected.store(self.injected() + 1, Ordering::Relaxed);
        self.injected_bytes
            .store(self.injected_bytes() + bytes as u64, Ordering::Relaxed);
    }

    /// The sandbox's handle, once it exists.
    pub fn handle(&self) -> Option<sandbox::Handle> {
        self.handle
            .lock()
            .expect("nothing panics under this lock")
            .clone()
    }

    /// Sets the sandbox's handle.
    pub fn set_handle(&self, handle: sandbox::Handle) {
        *self.handle.lock().expect("nothing panics under this lock") = Some(handle);
    }

    /// Asks the plugin to end.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Release);
        if let Some(handle) = self.handle() {
            handle.stop();
        }
        if let Some(thread) = &*self.thread.lock().expect("nothing panics under this lock") {
            thread.thread().unpark();
        }
    }

    /// Whether the plugin was asked to end.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Whether its thread has ended.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Marks the thread as ended.
    pub fn set_ended(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Keeps the thread, to be joined at the end.
    pub fn set_thread(&self, thread: std::thread::JoinHandle<()>) {
        *self.thread.lock().expect("nothing panics under this lock") = Some(thread);
    }

    /// Takes the thread for joining.
    pub fn take_thread(&self) -> Option<std::thread::JoinHandle<()>> {
        self.thread
            .lock()
            .expect("nothing panics under this lock")
            .take()
    }
}

/// What the sandbox of an input plugin may ask of the engine.
pub struct InputHost {
    /// What all stages share.
    pub shared: Arc<Shared>,
    /// The visible side of the plugin.
    pub plugin: Arc<InputPlugin>,
}

impl InputHost {
    fn stopping(&self) -> bool {
        self.plugin.is_stopping() || self.shared.stop.state() >= StopState::Stopping
    }

    fn keep(&self, checkpoint: &Checkpoint) {
        let mut kept = self.plugin.lock_checkpoint();
        match (&mut *kept, checkpoint) {
            // The text's memory is used again: this runs for every message.
            (Checkpoint::Text(kept), Checkpoint::Text(new)) => kept.clone_from(new),
            (kept, new) => *kept = new.clone(),
        }
    }
}

/// Appends without ever hanging: while the queue takes nothing, a stop is noticed.
pub fn append(
    queue: &queue::Queue,
    framed: &[u8],
    stopping: impl Fn() -> bool,
) -> Result<(), InjectError> {
    loop {
        match queue.append_within(framed, Duration::from_millis(100)) {
            Ok(_) => return Ok(()),
            Err(AppendError::TimedOut) if !stopping() => {}
            Err(AppendError::TimedOut | AppendError::Stopped) => return Err(InjectError::Stopped),
            Err(AppendError::TooLong { .. } | AppendError::Empty) => {
                return Err(InjectError::Rejected(1));
            }
        }
    }
}

impl sandbox::Host for InputHost {
    fn inject(
        &mut self,
        framed: &[u8],
        message: &[u8],
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), InjectError> {
        self.plugin.count(message.len());
        append(&self.shared.input_queue, framed, || self.stopping())?;
        if let Some(checkpoint) = checkpoint {
            self.keep(checkpoint);
        }
        Ok(())
    }

    fn checkpoint_only(&mut self, checkpoint: &Checkpoint) -> Result<(), InjectError> {
        self.keep(checkpoint);
        self.shared.checkpoint_moved();
        if self.stopping() {
            Err(InjectError::Stopped)
        } else {
            Ok(())
        }
    }

    fn intake(&self) -> Option<Arc<dyn Intake>> {
        Some(Arc::new(InputIntake {
            shared: self.shared.clone(),
            plugin: self.plugin.clone(),
        }))
    }

    fn is_running(&mut self) -> bool {
        !self.stopping()
    }

    fn compile_matcher(
        &mut self,
        expression: &[u8],
    ) -> Result<Box<dyn sandbox::CompiledMatcher>, String> {
        crate::hosts::compile_matcher(expression)
    }

    fn log(&mut self, severity: u8, text: &str) {
        crate::hosts::log(&self.plugin.config.name, severity, text);
    }
}

/// The way into the input queue for the threads of a native source.
struct InputIntake {
    shared: Arc<Shared>,
    plugin: Arc<InputPlugin>,
}

impl Intake for InputIntake {
    fn append(&self, framed: &[u8]) -> Result<Option<Place>, InjectError> {
        match self
            .shared
            .input_queue
            .append_within(framed, Duration::ZERO)
        {
            Ok(position) => {
                self.plugin.count_shared(framed.len());
                Ok(Some(Place {
                    segment: position.segment,
                    offset: position.offset,
                }))
            }
            Err(AppendError::TimedOut) => Ok(None),
            Err(AppendError::Stopped) => Err(InjectError::Stopped),
            Err(AppendError::TooLong { .. } | AppendError::Empty) => Err(InjectError::Rejected(1)),
        }
    }

    fn appended(&self) -> Place {
        let position = self.shared.input_queue.appended();
        Place {
            segment: position.segment,
            offset: position.offset,
        }
    }

    fn commit(&self, place: Place, timeout: Duration) -> bool {
        let position = queue::Position::new(place.segment, place.offset);
        self.shared.input_queue.commit(position, timeout)
    }
}

/// How an input's thread ended.
#[derive(Debug, PartialEq, Eq)]
pub enum InputEnd {
    /// It has nothing more to read, or was told to stop.
    Done,
    /// By an error of the plugin.
    Terminated(String),
}

/// Runs the plugin until it ends.
pub fn run(shared: &Shared, plugin: &InputPlugin, sandbox: &mut Sandbox) -> InputEnd {
    let every = Duration::from_secs(plugin.config.settings.ticker_interval_s);
    loop {
        let started = Instant::now();
        let checkpoint = plugin.checkpoint();
        let answer = sandbox.process_input(&checkpoint);
        note(plugin, sandbox, started.elapsed());
        match answer {
            Answer::Stopped => return InputEnd::Done,
            Answer::Terminated(reason) => return InputEnd::Terminated(reason),
            Answer::Status { code, message } => {
                let text = message.map(|text| String::from_utf8_lossy(&text).into_owned());
                if every.is_zero() {
                    let text = text.unwrap_or_default();
                    let name = &plugin.config.name;
                    tracing::info!(target: "plugin", plugin = %name, "detaching received: {code} msg: {text}");
                    return InputEnd::Done;
                }
                if let Some(text) = text.filter(|_| code < 0) {
                    let name = &plugin.config.name;
                    tracing::warn!(target: "plugin", plugin = %name, "process_message returned: {code} {text}");
                }
            }
        }
        if !wait_until(shared, plugin, started + every) {
            return InputEnd::Done;
        }
    }
}

fn note(plugin: &InputPlugin, sandbox: &mut Sandbox, took: Duration) {
    plugin.statistics.take_over(&sandbox.stats());
    plugin.statistics.update(|counts| {
        counts.processing.add(took.as_nanos() as f64);
        counts.processing_total += took;
    });
}

/// Waits for the next poll; false when the plugin has to end instead.
fn wait_until(shared: &Shared, plugin: &InputPlugin, due: Instant) -> bool {
    loop {
        if plugin.is_stopping() || shared.stop.is_stopping() {
            return false;
        }
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::park_timeout(left.min(Duration::from_millis(500)));
    }
}
