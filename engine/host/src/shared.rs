//! What the three stages share: the two queues, the stop state, the data's clock and the exit bits.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use queue::Queue;
use sandbox::Kind;

use crate::config::Main;

/// A disk that takes nothing for so long is waited for no further; what waits on it stays as it was recorded.
const FLUSH_WAIT: Duration = Duration::from_secs(5);

/// How the engine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Runs until it is told to stop.
    Run,
    /// Ends when the inputs end and everything is drained; timers follow the Timestamp of the messages.
    Replay,
}

/// How far a stop has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum StopState {
    /// Messages move.
    Running = 0,
    /// Inputs have ended (replay): the stages empty the queues, then end.
    Draining = 1,
    /// Told to stop: each plugin ends after the message it holds.
    Stopping = 2,
    /// Told twice: end now.
    Aborting = 3,
}

/// The stop state, which only ever moves forward.
#[derive(Debug)]
pub struct Stop {
    state: AtomicU8,
    /// Guards nothing but the wait for a change of `state`.
    changed: Mutex<()>,
    wake: Condvar,
}

impl Stop {
    fn new() -> Self {
        Stop {
            state: AtomicU8::new(0),
            changed: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    /// The state now.
    pub fn state(&self) -> StopState {
        match self.state.load(Ordering::Acquire) {
            0 => StopState::Running,
            1 => StopState::Draining,
            2 => StopState::Stopping,
            _ => StopState::Aborting,
        }
    }

    /// Moves on to `state`, never back.
    pub fn advance(&self, state: StopState) {
        let _guard = self.changed.lock().expect("nothing panics under this lock");
        self.state.fetch_max(state as u8, Ordering::AcqRel);
        self.wake.notify_all();
    }

    /// Whether plugins have to end now.
    pub fn is_stopping(&self) -> bool {
        self.state() >= StopState::Stopping
    }

    /// Sleeps up to `timeout`, less when the state reaches `until`.
    pub fn sleep(&self, timeout: Duration, until: StopState) {
        let deadline = Instant::now() + timeout;
        let mut guard = self.changed.lock().expect("nothing panics under this lock");
        while self.state() < until {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            guard = self
                .wake
                .wait_timeout(guard, left)
                .expect("nothing panics under this lock")
                .0;
        }
    }
}

/// Bits of the exit code of a replay, as Hindsight's command line sets them.
pub mod exit_bit {
    /// The engine itself failed.
    pub const SYSTEM: u8 = 1;
    /// An input plugin was terminated or could not be created.
    pub const INPUT: u8 = 2;
    /// An analysis plugin was terminated or could not be created.
    pub const ANALYSIS: u8 = 4;
    /// An output plugin was terminated or could not be created.
    pub const OUTPUT: u8 = 8;
}

/// Everything the stages share.
pub struct Shared {
    /// The main configuration, as used.
    pub config: Main,
    /// Run or replay.
    pub mode: Mode,
    /// What inputs and outputs inject.
    pub input_queue: Queue,
    /// What analysis plugins inject.
    pub analysis_queue: Queue,
    /// The stop state.
    pub stop: Stop,
    /// 0 to 7; plugins print at 7.
    pub log_level: u8,
    /// Native modules that plugins may require.
    pub modules: Arc<sandbox::native::Registry>,
    /// Greatest Timestamp seen so far, nanoseconds; the clock of a replay.
    pub data_time: AtomicI64,
    exit_bits: AtomicU8,
    /// Set when the analysis stage can add nothing more.
    analysis_done: AtomicBool,
    /// Set when a plugin with `shutdown_on_terminate` was terminated.
    shutdown_wanted: AtomicBool,
    /// Raised whenever a checkpoint may have moved.
    checkpoint_generation: AtomicU64,
}

impl Shared {
    /// Joins the parts.
    pub fn new(
        config: Main,
        mode: Mode,
        log_level: u8,
        input_queue: Queue,
        analysis_queue: Queue,
        modules: Arc<sandbox::native::Registry>,
    ) -> Arc<Shared> {
        Arc::new(Shared {
            config,
            mode,
            log_level,
            input_queue,
            analysis_queue,
            stop: Stop::new(),
            modules,
            data_time: AtomicI64::new(0),
            exit_bits: AtomicU8::new(0),
            analysis_done: AtomicBool::new(false),
            shutdown_wanted: AtomicBool::new(false),
            checkpoint_generation: AtomicU64::new(0),
        })
    }

    /// Remembers that a plugin of this kind failed.
    pub fn plugin_failed(&self, kind: Kind) {
        let bit = match kind {
            Kind::Input => exit_bit::INPUT,
            Kind::Analysis => exit_bit::ANALYSIS,
            Kind::Output => exit_bit::OUTPUT,
        };
        self.exit_bits.fetch_or(bit, Ordering::Relaxed);
    }

    /// Remembers that the engine itself failed.
    pub fn system_failed(&self) {
        self.exit_bits.fetch_or(exit_bit::SYSTEM, Ordering::Relaxed);
    }

    /// The exit bits gathered so far.
    pub fn exit_bits(&self) -> u8 {
        self.exit_bits.load(Ordering::Relaxed)
    }

    /// Asks for a clean stop of the engine, as a plugin with `shutdown_on_terminate` does.
    pub fn request_shutdown(&self) {
        self.shutdown_wanted.store(true, Ordering::Release);
    }

    /// Whether a clean stop was asked for.
    pub fn shutdown_requested(&self) -> bool {
        self.shutdown_wanted.load(Ordering::Acquire)
    }

    /// Waits until everything appended to `queue` so far is in the kernel, but not for ever.
    pub fn flush(&self, queue: &Queue) -> bool {
        queue.wait_written(queue.appended(), FLUSH_WAIT)
    }

    /// Marks the analysis stage as done for good.
    pub fn set_analysis_done(&self) {
        self.analysis_done.store(true, Ordering::Release);
    }

    /// Whether the analysis stage can add nothing more to its queue.
    pub fn analysis_done(&self) -> bool {
        self.analysis_done.load(Ordering::Acquire)
    }

    /// Tells the checkpoint writer that something moved.
    pub fn checkpoint_moved(&self) {
        self.checkpoint_generation.fetch_add(1, Ordering::Release);
    }

    /// Grows with every call of [`Shared::checkpoint_moved`].
    pub fn checkpoint_generation(&self) -> u64 {
        self.checkpoint_generation.load(Ordering::Acquire)
    }

    /// Notes the Timestamp of a message for the clock of a replay.
    pub fn saw_time(&self, timestamp: i64) {
        self.data_time.fetch_max(timestamp, Ordering::Relaxed);
    }

    /// The time for `timer_event`: in a replay the data's, otherwise the wall clock in whole seconds; nanoseconds.
    pub fn timer_ns(&self) -> i64 {
        match self.mode {
            Mode::Replay => self.data_time.load(Ordering::Relaxed),
            Mode::Run => wall_clock_s() * 1_000_000_000,
        }
    }
}

/// Unix time in seconds.
pub fn wall_clock_s() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_moves_forward_only() {
        let stop = Stop::new();
        assert_eq!(stop.state(), StopState::Running);
        stop.advance(StopState::Stopping);
        stop.advance(StopState::Draining);
        assert_eq!(stop.state(), StopState::Stopping);
    }

    #[test]
    fn sleep_ends_when_the_state_is_reached() {
        let stop = Arc::new(Stop::new());
        let sleeper = {
            let stop = stop.clone();
            std::thread::spawn(move || stop.sleep(Duration::from_secs(3600), StopState::Stopping))
        };
        stop.advance(StopState::Stopping);
        sleeper.join().expect("the sleeper ends");
    }
}
