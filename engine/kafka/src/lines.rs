//! What librdkafka says, kept until the plugin's thread brings it to the engine's log.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use sandbox::native::Call;

/// Most lines that wait; a client that has much to say while nobody listens is cut short.
const LINES_MAX: usize = 200;
/// Longest line in bytes: statistics are some KiB for each broker.
const LINE_MAX: usize = 64 * 1024;

/// The same error of a client as a whole is said again after this time.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// Lines that wait for the log.
#[derive(Default)]
pub struct Lines {
    /// Guards the lines, with their syslog severities.
    waiting: Mutex<Waiting>,
    /// Guards the newest error of the client as a whole, and when it was said.
    said: Mutex<Option<(Option<RDKafkaErrorCode>, Instant)>>,
    /// Whether there are any; looked at for every message.
    some: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<(u8, String)>,
    n_lost: u64,
}

impl Lines {
    /// Adds a line; the oldest goes when there are too many.
    pub fn add(&self, severity: u8, mut line: String) {
        if line.len() > LINE_MAX {
            let end = (0..=LINE_MAX).rev().find(|&i| line.is_char_boundary(i));
            line.truncate(end.unwrap_or(0));
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.lines.len() == LINES_MAX {
            waiting.lines.pop_front();
            waiting.n_lost += 1;
        }
        waiting.lines.push_back((severity, line));
        self.some.store(true, Ordering::Release);
    }

    /// Adds what librdkafka logs.
    pub fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.add(level as u8, format!("kafka: {facility}\t{text}"));
    }

    /// Adds an error of a client as a whole, such as that no broker can be reached; the same error again only after a
    /// while. What befell a single connection was logged before.
    pub fn error(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        if matches!(
            code,
            Some(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::Resolve)
        ) {
            return;
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |&(known, when): &(_, Instant)| known != code || when.elapsed() >= SAY_AGAIN;
        if said.as_ref().is_none_or(is_new) {
            *said = Some((code, Instant::now()));
            self.add(3, format!("kafka: {error}: {reason}"));
        }
    }

    /// Brings all lines to the log.
    pub fn drain(&self, call: &Call<'_>) {
        if !self.some.swap(false, Ordering::Acquire) {
            return;
        }
        let waiting =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.n_lost > 0 {
            call.log(
                4,
                &format!("kafka: {} older lines were lost", waiting.n_lost),
            );
        }
        for (severity, line) in waiting.lines {
            call.log(severity, &line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_said_once() {
        let lines = Lines::default();
        let n_waiting = || lines.waiting.lock().expect("no panic").lines.len();
        let down = KafkaError::Global(RDKafkaErrorCode::AllBrokersDown);
        lines.error(&down, "1/1 brokers are down");
        lines.error(&down, "1/1 brokers are down");
        let transport = KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure);
        lines.error(&transport, "said by the connection");
        assert_eq!(n_waiting(), 1);
        lines.error(&KafkaError::Global(RDKafkaErrorCode::Fatal), "other");
        assert_eq!(n_waiting(), 2);
    }

    #[test]
    fn the_oldest_lines_go_first_and_long_ones_are_cut() {
        let lines = Lines::default();
        lines.add(6, "é".repeat(LINE_MAX));
        for i in 0..LINES_MAX {
            lines.add(6, i.to_string());
        }
        let waiting = lines.waiting.lock().expect("no panic");
        assert_eq!(waiting.n_lost, 1);
        assert_eq!(waiting.lines.front(), Some(&(6, "0".to_string())));
        drop(waiting);
        lines.add(6, format!("a{}", "é".repeat(LINE_MAX)));
        let waiting = lines.waiting.lock().expect("no panic");
        assert_eq!(
            waiting.lines.back().map(|line| line.1.len()),
            Some(LINE_MAX - 1)
        );
    }
}
