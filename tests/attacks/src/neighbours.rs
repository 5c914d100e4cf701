//! The innocent plugins beside an attack: they work before, during and after it, and must not feel it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use sandbox::Kind;
use sandbox::value::Table;
use schemas::frame::FrameBuf;

use crate::cage::{Cage, Plan, Step, message};
use crate::program::Options;

/// Rounds before and after the attack.
const ROUNDS: usize = 20;
/// Pause between two rounds during the attack, so that the neighbours do not take the processor from it.
const PAUSE: Duration = Duration::from_millis(1);

/// Two plugins, one of analysis and one of output, at work.
pub struct Neighbours {
    cages: Vec<Cage>,
    message: FrameBuf,
    slowest: Duration,
    n_rounds: usize,
}

/// What the neighbours saw.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Rounds they made during the attack.
    pub n_rounds: usize,
    /// The longest of them.
    pub slowest: Duration,
}

impl Neighbours {
    /// Loads the two plugins from `programs` (the folder of this crate); the output writes into `folder`.
    pub fn new(programs: &Path, folder: &Path) -> Result<Neighbours> {
        let file = folder.join("innocent.txt");
        let cages = vec![
            innocent(
                Kind::Analysis,
                programs.join("innocent_analysis.lua"),
                Table::new(),
            )?,
            innocent(
                Kind::Output,
                programs.join("innocent_output.lua"),
                config(&file),
            )?,
        ];
        Ok(Neighbours {
            cages,
            message: message(20),
            slowest: Duration::ZERO,
            n_rounds: 0,
        })
    }

    /// Some rounds on this thread.
    pub fn work(&mut self) -> Result<()> {
        (0..ROUNDS).try_for_each(|_| self.round())
    }

    fn round(&mut self) -> Result<()> {
        let start = Instant::now();
        for cage in &mut self.cages {
            if let Step::Ended(text) = cage.process(&mut self.message) {
                bail!("a neighbour felt it: {text}");
            }
        }
        self.slowest = self.slowest.max(start.elapsed());
        self.n_rounds += 1;
        Ok(())
    }

    /// Goes on working on a thread of its own until the returned [`AtWork`] is asked to stop.
    pub fn start(self) -> AtWork {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || self.until(&stopped));
        AtWork { stop, thread }
    }

    fn until(mut self, stopped: &Receiver<()>) -> Result<(Neighbours, Seen)> {
        (self.slowest, self.n_rounds) = (Duration::ZERO, 0);
        loop {
            self.round()?;
            if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                let seen = Seen {
                    n_rounds: self.n_rounds,
                    slowest: self.slowest,
                };
                return Ok((self, seen));
            }
        }
    }

    /// Some last rounds and a timer event; every fault of theirs is an error.
    pub fn finish(mut self) -> Result<()> {
        self.work()?;
        for cage in &mut self.cages {
            if let Step::Ended(text) = cage.timer(true) {
                bail!("a neighbour felt it at its timer: {text}");
            }
            cage.preserve()
                .map_err(|text| anyhow!("a neighbour lost its state: {text}"))?;
            if let Some(fault) = cage.record().faults().first() {
                bail!("a neighbour {fault}");
            }
        }
        Ok(())
    }
}

/// Neighbours that work on their own thread.
pub struct AtWork {
    stop: Sender<()>,
    thread: JoinHandle<Result<(Neighbours, Seen)>>,
}

impl AtWork {
    /// Ends the thread and says what the neighbours saw.
    pub fn stop(self) -> Result<(Neighbours, Seen)> {
        // A thread that has ended already has dropped the receiver, and its error is told below.
        let _ = self.stop.send(());
        self.thread
            .join()
            .map_err(|_| anyhow!("the thread of the neighbours panicked"))?
    }
}

fn innocent(kind: Kind, path: PathBuf, config: Table) -> Result<Cage> {
    let options = Options::default();
    let plan = Plan {
        kind,
        name: "innocent",
        path: &path,
        options: &options,
        jit: true,
        lua_path: None,
        config,
        state: None,
    };
    Cage::new(plan).with_context(|| format!("cannot load {}", path.display()))
}

fn config(file: &Path) -> Table {
    let mut config = Table::new();
    config.set(
        "innocent_file",
        file.to_string_lossy().into_owned().as_str(),
    );
    config
}
