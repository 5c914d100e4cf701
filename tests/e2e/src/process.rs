//! The engine as a process: started, waited for, signalled, killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Nothing takes this long but a hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(3);

/// How much of a log a failure shows.
const SHOWN_LINES: usize = 60;

/// Waits until a condition holds.
///
/// # Panics
/// When only a hang can be the reason that it does not.
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    assert!(wait(condition), "waited in vain: {what}");
}

fn wait(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    true
}

/// A running engine. It is killed with the value, if it still runs.
pub struct Engine {
    child: Child,
    log: PathBuf,
}

/// How an engine ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// All lines of the log, those of earlier starts too.
    pub log: String,
}

impl Finished {
    /// The exit code must be this one.
    pub fn expect(self, code: i32) -> Finished {
        let log = tail(&self.log);
        assert_eq!(
            self.code,
            Some(code),
            "the engine ended with another code; its log ends with\n{log}"
        );
        self
    }
}

impl Engine {
    /// Starts a command of [`Site::command`](crate::Site::command), whose log is this file.
    pub fn start(log: PathBuf, mut command: Command) -> Engine {
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Engine { child, log }
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a condition holds.
    ///
    /// # Panics
    /// When it does not for so long that only a hang can be the reason, or when the engine ends before.
    pub fn until(&mut self, what: &str, mut condition: impl FnMut() -> bool) {
        let mut ended = None;
        let reached = wait(|| {
            // Looked at first, so that what an engine did before its end counts.
            ended = self.child.try_wait().expect("a child can be waited for");
            condition() || ended.is_some()
        });
        let happy = reached && (ended.is_none() || condition());
        assert!(
            happy,
            "waited in vain: {what} (ended: {ended:?}); the log ends with\n{}",
            tail(&self.log())
        );
    }

    /// Waits until a line of the log contains this.
    pub fn until_log(&mut self, text: &str) {
        let log = self.log.clone();
        self.until(&format!("a log line with {text:?}"), || {
            read(&log).contains(text)
        });
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a child that was not waited for can be signalled");
    }

    /// Stops it cleanly, as an operator would; it must end with 0.
    pub fn stop(self) -> Finished {
        self.signal(Signal::TERM);
        self.wait().expect(0)
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("a killed child can be waited for");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn wait(mut self) -> Finished {
        let mut code = None;
        let ended = wait(|| {
            code = self.child.try_wait().expect("a child can be waited for");
            code.is_some()
        });
        assert!(
            ended,
            "the engine does not end; its log ends with\n{}",
            tail(&self.log())
        );
        Finished {
            code: code.and_then(|code| code.code()),
            stdout: read(&self.log.with_file_name("stdout")),
            log: self.log(),
        }
    }

    /// Its standard input, if it was piped.
    pub fn take_stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        read(&self.log)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Fails only when it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
