//! The host of an attacked sandbox: takes what the plugin gives it and notes what no plugin may give.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use matcher::Matcher;
use sandbox::{Checkpoint, CompiledMatcher, Host, InjectError};
use schemas::frame::{Scan, scan};
use schemas::view::View;

/// Longest message the sandboxes of a trial may inject, in bytes.
pub const MAX_MESSAGE: usize = 65536;

/// Longest text checkpoint the engine takes, in bytes.
const CHECKPOINT_MAX: usize = 8191;

/// How many faults are kept; a loop that makes them must not fill the memory.
const FAULTS_MAX: usize = 20;

/// What a plugin did, shared between its host and the trial.
#[derive(Default)]
pub struct Record {
    faults: Mutex<Vec<String>>,
    n_injected: AtomicU64,
}

impl Record {
    /// Notes something that no plugin may do.
    pub fn fault(&self, text: String) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() < FAULTS_MAX {
            faults.push(text);
        }
    }

    /// What has been noted so far.
    pub fn faults(&self) -> Vec<String> {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Number of messages injected.
    pub fn n_injected(&self) -> u64 {
        self.n_injected.load(Ordering::Relaxed)
    }
}

/// A host that sends messages nowhere.
pub struct Recorder(pub Arc<Record>);

impl Recorder {
    fn check_message(&self, framed: &[u8], message: &[u8]) {
        if let Err(error) = schemas::validate(message) {
            self.0
                .fault(format!("injected what is no message: {error}"));
        }
        if message.len() > MAX_MESSAGE {
            self.0
                .fault(format!("injected a message of {} bytes", message.len()));
        }
        match scan(framed, MAX_MESSAGE) {
            Scan::Frame {
                header,
                message: len,
            } if framed[header..header + len] == *message => {}
            _ => self
                .0
                .fault("injected a frame that does not hold the message".to_owned()),
        }
    }

    fn check_checkpoint(&self, checkpoint: &Checkpoint) {
        match checkpoint {
            Checkpoint::Text(text) if text.len() > CHECKPOINT_MAX => {
                self.0
                    .fault(format!("gave a checkpoint of {} bytes", text.len()));
            }
            Checkpoint::Text(text) if text.contains(&0) => {
                self.0.fault("gave a checkpoint with NUL".to_owned());
            }
            Checkpoint::Number(number) if number.is_nan() => {
                self.0
                    .fault("gave a checkpoint that is no number".to_owned());
            }
            _ => {}
        }
    }
}

impl Host for Recorder {
    fn inject(
        &mut self,
        framed: &[u8],
        message: &[u8],
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), InjectError> {
        self.0.n_injected.fetch_add(1, Ordering::Relaxed);
        self.check_message(framed, message);
        checkpoint
            .into_iter()
            .for_each(|checkpoint| self.check_checkpoint(checkpoint));
        Ok(())
    }

    fn checkpoint_only(&mut self, checkpoint: &Checkpoint) -> Result<(), InjectError> {
        self.check_checkpoint(checkpoint);
        Ok(())
    }

    fn is_running(&mut self) -> bool {
        true
    }

    fn update_checkpoint(&mut self, _sequence: Option<u64>, _failures: u64) -> Result<(), String> {
        Ok(())
    }

    fn compile_matcher(&mut self, expression: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
        match Matcher::parse(expression) {
            Ok(matcher) => Ok(Box::new(Compiled(matcher))),
            Err(error) => Err(error.to_string()),
        }
    }

    fn log(&mut self, _severity: u8, text: &str) {
        if text.contains(|c: char| c.is_control() && c != '\t') {
            self.0.fault(format!(
                "logged control characters: {}",
                text.escape_debug()
            ));
        }
        if has_address(text) {
            self.0.fault(format!("logged an address: {text}"));
        }
    }
}

struct Compiled(Matcher);

impl CompiledMatcher for Compiled {
    fn matches(&self, view: &View) -> bool {
        self.0.matches(view)
    }
}

/// Whether the text holds an address: `0x` and a number far larger than those that objects are numbered with.
fn has_address(text: &str) -> bool {
    const OBJECTS_MAX: u64 = 0xff_ffff;
    text.match_indices("0x").any(|(at, _)| {
        let rest = &text[at + 2..];
        let end = rest
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        u64::from_str_radix(&rest[..end], 16).is_ok_and(|number| number > OBJECTS_MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_an_address() {
        assert!(has_address("table: 0x7f3a12345678"));
        assert!(!has_address("table: 0x00000012 and 0x and 0xfffg"));
    }

    #[test]
    fn keeps_only_so_many_faults() {
        let record = Record::default();
        (0..100).for_each(|i| record.fault(i.to_string()));
        assert_eq!(record.faults().len(), FAULTS_MAX);
    }
}
