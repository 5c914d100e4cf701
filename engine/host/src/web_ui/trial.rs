//! Runs a plugin on some messages in a sandbox of its own, apart from the engine: nothing it injects goes anywhere.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use admin::engine::TrialReport;
use sandbox::{Answer, Checkpoint, CompiledMatcher, Host, InjectError, Sandbox};
use schemas::frame;
use schemas::view::Index;

use crate::config::Plugin;
use crate::create;
use crate::hosts::compile_matcher;
use crate::shared::{Shared, wall_clock_s};

/// Messages of the plugin that the report shows, and their bytes.
const SHOWN_MAX: usize = 50;
const SHOWN_BYTES_MAX: usize = 1 << 20;

/// Lines of its log, and their bytes.
const LINES_MAX: usize = 200;
const LINE_MAX: usize = 1 << 10;

/// A trial ends after this, however many messages are left.
const TIME: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Seen {
    injected: u64,
    messages: Vec<Vec<u8>>,
    bytes: usize,
    log: Vec<String>,
}

/// Takes what the plugin does, and does nothing.
struct TrialHost {
    /// Guards what was seen; the plugin runs on one thread.
    seen: Arc<Mutex<Seen>>,
}

impl TrialHost {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("nothing panics under this lock")
    }
}

impl Host for TrialHost {
    fn inject(
        &mut self,
        _: &[u8],
        message: &[u8],
        _: Option<&Checkpoint>,
    ) -> Result<(), InjectError> {
        let mut seen = self.seen();
        seen.injected += 1;
        if seen.messages.len() < SHOWN_MAX && seen.bytes + message.len() <= SHOWN_BYTES_MAX {
            seen.bytes += message.len();
            seen.messages.push(message.to_vec());
        }
        Ok(())
    }

    fn compile_matcher(&mut self, expression: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
        compile_matcher(expression)
    }

    fn log(&mut self, _: u8, text: &str) {
        let mut seen = self.seen();
        if seen.log.len() < LINES_MAX {
            seen.log.push(text.chars().take(LINE_MAX).collect());
        }
    }
}

/// Runs an analysis plugin on those of the messages that it wants, then its timer for the last time.
pub fn run(shared: &Shared, plugin: &Plugin, messages: &[Vec<u8>]) -> TrialReport {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let host = || -> Box<dyn Host> { Box::new(TrialHost { seen: seen.clone() }) };
    let mut report = TrialReport::default();
    match create::trial_sandbox(shared, plugin, host) {
        Ok(mut sandbox) => {
            if let Err(reason) = run_in(&mut sandbox, plugin, messages, &mut report) {
                report.error = Some(reason);
            }
            let stats = sandbox.stats();
            report.memory_max = stats.memory_max as u64;
            report.instructions_max = stats.instructions_max;
        }
        Err(reason) => report.error = Some(reason),
    }
    report.passed = report.error.is_none() && report.failures == 0;
    let mut seen = seen.lock().expect("nothing panics under this lock");
    report.injected = seen.injected;
    report.messages = std::mem::take(&mut seen.messages);
    report.log = std::mem::take(&mut seen.log);
    report
}

fn run_in(
    sandbox: &mut Sandbox,
    plugin: &Plugin,
    messages: &[Vec<u8>],
    report: &mut TrialReport,
) -> Result<(), String> {
    let matcher = create::matcher(plugin)?;
    let begun = Instant::now();
    let mut index = Index::default();
    let mut spent = Duration::ZERO;
    for message in messages {
        if index.parse(message).is_err() || !matcher.matches(&index.view(message)) {
            continue;
        }
        if begun.elapsed() > TIME {
            return Err(format!("the trial took longer than {} s", TIME.as_secs()));
        }
        let (header, len) = frame::header(message.len());
        let framed = [&header[..len], message].concat();
        let before = Instant::now();
        let answer = sandbox.process_message(message, &framed, None);
        spent += before.elapsed();
        report.processed += 1;
        match answer {
            Answer::Terminated(reason) => return Err(reason),
            Answer::Stopped => return Err("the plugin was stopped".into()),
            Answer::Status { code, message } if code < 0 => {
                report.failures += u64::from(code == sandbox::status::FAIL);
                let text = message.map(|text| String::from_utf8_lossy(&text).into_owned());
                report.first_failure = report.first_failure.take().or(text);
            }
            Answer::Status { .. } => {}
        }
    }
    let n_processed = report.processed.max(1) as f64;
    report.mean_ns = spent.as_nanos() as f64 / n_processed;
    match sandbox.has_timer_event() {
        true => sandbox.timer_event(wall_clock_s() * 1_000_000_000, true),
        false => Ok(()),
    }
}
