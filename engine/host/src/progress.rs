//! Live rates on the terminal: how much comes in, how far the readers are behind, and in a replay how much is left.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::shared::Mode;

/// A new line of progress appears this often; on a terminal it replaces the last one.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// Remembers what was shown last.
pub struct Progress {
    on: bool,
    on_terminal: bool,
    started: Instant,
    shown: Instant,
    bytes_in: u64,
    messages_in: u64,
    line_open: bool,
}

impl Progress {
    /// Shows something only when `on`.
    pub fn new(on: bool) -> Progress {
        let now = Instant::now();
        Progress {
            on,
            on_terminal: std::io::stderr().is_terminal(),
            started: now,
            shown: now,
            bytes_in: 0,
            messages_in: 0,
            line_open: false,
        }
    }

    /// Shows the rates since the last time, if it is long enough ago.
    pub fn show(&mut self, engine: &Engine) {
        let since = self.shown.elapsed();
        if !self.on || since < SHOW_EVERY {
            return;
        }
        let messages: u64 = engine.inputs.values().map(|i| i.injected()).sum();
        let bytes: u64 = engine.inputs.values().map(|i| i.injected_bytes()).sum();
        let per_s = |now: u64, before: u64| now.saturating_sub(before) as f64 / since.as_secs_f64();
        let rate = per_s(messages, self.messages_in);
        let mib = per_s(bytes, self.bytes_in) / f64::from(1 << 20);
        let lag = lag(engine);
        let mut line = format!(
            "{:>5} s  in {messages} messages ({rate:.0}/s, {mib:.1} MiB/s)  slowest reader {} behind",
            self.started.elapsed().as_secs(),
            stdx::size::Size(lag),
        );
        if engine.shared.mode == Mode::Replay && bytes > self.bytes_in {
            let left = lag as f64 / (bytes - self.bytes_in) as f64 * since.as_secs_f64();
            line.push_str(&format!("  about {left:.0} s to drain"));
        }
        self.print(&line);
        (self.messages_in, self.bytes_in) = (messages, bytes);
        self.shown = Instant::now();
    }

    fn print(&mut self, line: &str) {
        let mut err = std::io::stderr().lock();
        // A terminal that is gone must not stop the engine.
        let _ = if self.on_terminal {
            self.line_open = true;
            write!(err, "\r\x1b[K{line}").and_then(|()| err.flush())
        } else {
            writeln!(err, "{line}")
        };
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.line_open {
            let _ = writeln!(std::io::stderr());
        }
    }
}

/// Bytes between the writer of a queue and its slowest reader, the worse of both queues.
fn lag(engine: &Engine) -> u64 {
    let queues = [&engine.shared.input_queue, &engine.shared.analysis_queue];
    let readers = queues.iter().flat_map(|queue| queue.state().readers);
    readers.map(|reader| reader.lag_bytes).max().unwrap_or(0)
}
