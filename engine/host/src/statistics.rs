//! What is counted and timed of one plugin, as the TSV files and the terminal show it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use stdx::stats::Stats;

/// One message of this many is timed by itself; the others only by the block they lie in.
pub const SAMPLE_EVERY: u64 = 64;

/// Counters and times of one plugin since it was started.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    /// Messages injected.
    pub injects: u64,
    /// Bytes of the messages injected, without frames.
    pub inject_bytes: u64,
    /// Calls of process_message.
    pub messages: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Bytes the Lua state holds.
    pub memory: u64,
    /// The most bytes the Lua state ever held.
    pub memory_max: u64,
    /// The most bytes of output gathered in one call.
    pub output_max: u64,
    /// The most instructions counted in one call; only long calls are counted.
    pub instructions_max: u64,
    /// Nanoseconds per evaluation of the matcher.
    pub matching: Stats,
    /// Nanoseconds per call of process_message, sampled.
    pub processing: Stats,
    /// Nanoseconds per call of timer_event.
    pub timing: Stats,
    /// Time spent matching for this plugin.
    pub matching_total: Duration,
    /// Time spent in process_message.
    pub processing_total: Duration,
    /// Time spent in timer_event.
    pub timing_total: Duration,
    /// Messages the matcher looked at.
    pub seen: u64,
}

/// [`Counts`] that a plugin's thread writes and the supervisor reads.
#[derive(Debug, Default)]
pub struct Statistics {
    /// Guards the counts; taken once per block or call, never per message.
    counts: Mutex<Counts>,
}

impl Statistics {
    /// Changes the counts.
    pub fn update(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().expect("nothing panics under this lock"));
    }

    /// A copy of the counts.
    pub fn snapshot(&self) -> Counts {
        self.counts
            .lock()
            .expect("nothing panics under this lock")
            .clone()
    }

    /// Takes over what the sandbox itself has counted.
    pub fn take_over(&self, stats: &sandbox::Stats) {
        self.update(|counts| {
            counts.injects = stats.injects;
            counts.inject_bytes = stats.inject_bytes;
            counts.messages = stats.process_messages;
            counts.failures = stats.failures;
            counts.memory = stats.memory as u64;
            counts.memory_max = stats.memory_max as u64;
            counts.output_max = stats.output_max as u64;
            counts.instructions_max = stats.instructions_max;
        });
    }
}

/// Measures the calls of one block: the whole of it, and a sample of single calls.
pub struct BlockTimer {
    started: Instant,
    calls: u64,
    samples: Stats,
}

impl BlockTimer {
    /// Starts with a new block.
    pub fn start() -> Self {
        BlockTimer {
            started: Instant::now(),
            calls: 0,
            samples: Stats::default(),
        }
    }

    /// Makes one call, now and then with a clock around it.
    pub fn call<R>(&mut self, call: impl FnOnce() -> R) -> R {
        self.calls += 1;
        if self.calls % SAMPLE_EVERY != 1 {
            return call();
        }
        let before = Instant::now();
        let answer = call();
        self.samples.add(before.elapsed().as_nanos() as f64);
        answer
    }

    /// How many calls were made since the start.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Adds what was measured to the statistics.
    pub fn finish(self, statistics: &Statistics) {
        let total = self.started.elapsed();
        statistics.update(|counts| {
            counts.processing.merge(&self.samples);
            counts.processing_total += total;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_counts_every_call_and_times_some() {
        let statistics = Statistics::default();
        let mut timer = BlockTimer::start();
        for _ in 0..SAMPLE_EVERY + 1 {
            timer.call(|| ());
        }
        assert_eq!(timer.calls(), SAMPLE_EVERY + 1);
        timer.finish(&statistics);
        assert_eq!(statistics.snapshot().processing.count(), 2);
    }
}
