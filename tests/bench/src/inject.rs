//! One input injects small messages from a Lua loop: alone, read by an analysis plugin, and written by an output.
//!
//! Measures the way of a message from a Lua table through the encoder and the queue to a plugin, with plugins that do
//! next to nothing. Does not show parsing, many plugins, large messages, a slow destination or a disk that is full of
//! other work: the queue goes to the kernel's cache, and nobody waits for the disk.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::engine::Engine;
use crate::rundir::{RunDir, Stage};
use crate::throughput::Workload;

/// Who takes the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inject {
    /// Nobody.
    Alone,
    /// An analysis plugin that reads three fields of each.
    Read,
    /// The same, and an output that writes a line for each.
    Write,
}

/// The analysis plugin of `Read` and `Write`, with the output that says how many messages it had.
fn prepare_analysis(dir: &RunDir) -> Result<()> {
    dir.plugin(
        Stage::Analysis,
        "read",
        "read_fields.lua",
        "message_matcher = \"TRUE\"",
    )?;
    dir.report()
}

impl Workload for Inject {
    fn name(&self) -> String {
        match self {
            Inject::Alone => "inject",
            Inject::Read => "inject-read",
            Inject::Write => "inject-write",
        }
        .to_owned()
    }

    fn about(&self) -> &'static str {
        match self {
            Inject::Alone => {
                "messages of 220 bytes with payload and six fields from one Lua table into the queue, no consumer; \
                 not: parsing, checkpoints, other plugins"
            }
            Inject::Read => {
                "plus one analysis plugin that reads three fields of each; not: what real analysis computes"
            }
            Inject::Write => {
                "plus one output that writes a line of four values for each; not: a slow or remote destination"
            }
        }
    }

    fn messages(&self, _engine: &Engine) -> u64 {
        4_000_000
    }

    fn messages_small(&self) -> u64 {
        20_000
    }

    fn prepare(&self, dir: &RunDir, _scratch: &Path, messages: u64) -> Result<()> {
        dir.plugin(
            Stage::Input,
            "gen",
            "generate.lua",
            &format!("messages = {messages}"),
        )?;
        if *self != Inject::Alone {
            prepare_analysis(dir)?;
        }
        if *self == Inject::Write {
            let config = "message_matcher = \"Type == 'access'\"\nread_queue = \"input\"";
            dir.plugin(Stage::Output, "lines", "lines.lua", config)?;
        }
        Ok(())
    }

    fn check(&self, dir: &RunDir, messages: u64) -> Result<()> {
        dir.expect("injected", &messages.to_string())?;
        if *self != Inject::Alone {
            let (count, _) = dir.counts()?;
            ensure!(
                count == messages,
                "the analysis plugin had {count} messages of {messages}"
            );
        }
        if *self == Inject::Write {
            let bytes = std::fs::read(dir.root.join("lines"))?;
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            ensure!(
                lines == messages,
                "the output wrote {lines} lines of {messages}"
            );
        }
        Ok(())
    }
}
