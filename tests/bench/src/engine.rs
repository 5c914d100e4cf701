//! A program under test: which file it is, how it wants its arguments, and what of its configuration differs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// An engine that understands Hindsight's run directories.
#[derive(Clone, Debug)]
pub struct Engine {
    /// Its place in the table: "engine" or "peer".
    pub label: &'static str,
    replay: Vec<PathBuf>,
    run: Vec<PathBuf>,
    /// `output_size` in bytes, when it shall not be the engine's own default.
    pub segment_size: Option<u64>,
    /// `analysis_lua_cpath` and `io_lua_cpath`, for engines whose grammar library is a C module.
    pub lua_cpath: Option<String>,
    /// It can `require "lpeg"`.
    pub grammar_library: bool,
    /// It tries every matcher on every message, so with many plugins it gets fewer messages.
    pub asks_every_matcher: bool,
}

impl Engine {
    /// The program at `path`. One that is called `hindsight_cli` takes the configuration as its only argument, and its
    /// neighbour `hindsight` is the one for long runs; every other takes the subcommands `replay` and `run`.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn new(label: &'static str, path: &Path) -> Result<Engine> {
        let path = path
            .canonicalize()
            .with_context(|| format!("no program at {}, build it first", path.display()))?;
        let asks_every_matcher = path.file_name().is_some_and(|name| name == "hindsight_cli");
        let (replay, run) = if asks_every_matcher {
            let live = path.with_file_name("hindsight");
            if !live.exists() {
                bail!("{} has no neighbour `hindsight`", path.display());
            }
            (vec![path], vec![live])
        } else {
            (
                vec![path.clone(), "replay".into()],
                vec![path, "run".into()],
            )
        };
        Ok(Engine {
            label,
            replay,
            run,
            segment_size: None,
            lua_cpath: None,
            grammar_library: false,
            asks_every_matcher,
        })
    }

    /// The command that works off the inputs of a run directory and ends.
    pub fn replay(&self, directory: &Path) -> Command {
        command(&self.replay, directory)
    }

    /// The command that runs until it is told to stop.
    pub fn run(&self, directory: &Path) -> Command {
        command(&self.run, directory)
    }
}

fn command(words: &[PathBuf], directory: &Path) -> Command {
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .arg(crate::rundir::CONFIG)
        .current_dir(directory);
    command
}
