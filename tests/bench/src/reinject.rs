//! One input reads framed messages from a file with a stream reader and injects each as it is.
//!
//! Measures finding frames, checking that they hold messages, and the queue: Lua has one small loop per message. Does not
//! show consumers or damaged streams. The file is in the kernel's cache.

use std::path::Path;

use anyhow::Result;

use crate::engine::Engine;
use crate::generate;
use crate::rundir::{RunDir, Stage};
use crate::throughput::Workload;

/// Framed messages through a stream reader.
pub struct Reinject;

impl Workload for Reinject {
    fn name(&self) -> String {
        "reinject".to_owned()
    }

    fn about(&self) -> &'static str {
        "framed messages of 220 bytes from a file through a stream reader into the queue; not: consumers, damaged streams"
    }

    fn messages(&self, _engine: &Engine) -> u64 {
        4_000_000
    }

    fn messages_small(&self) -> u64 {
        20_000
    }

    fn prepare(&self, dir: &RunDir, scratch: &Path, messages: u64) -> Result<()> {
        let frames = generate::frames(scratch, messages)?;
        let config = format!("frames = {:?}", frames.display().to_string());
        dir.plugin(Stage::Input, "frames", "frames.lua", &config)
    }

    fn check(&self, dir: &RunDir, messages: u64) -> Result<()> {
        dir.expect("injected", &messages.to_string())
    }
}
