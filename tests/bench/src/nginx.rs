//! One input parses an access log of nginx and injects a message with up to ten fields per line.
//!
//! Measures reading lines, parsing in Lua, with its own string functions or with a grammar, and encoding the result. Does
//! not show consumers, or decoders that are given their lines by a socket. The log is in the kernel's cache.

use std::path::Path;

use anyhow::Result;

use crate::engine::Engine;
use crate::generate;
use crate::rundir::{RunDir, Stage};
use crate::throughput::Workload;

/// How the lines are parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nginx {
    /// `string.match`.
    Strings,
    /// An LPeg grammar.
    Grammar,
}

impl Workload for Nginx {
    fn name(&self) -> String {
        match self {
            Nginx::Strings => "nginx-strings",
            Nginx::Grammar => "nginx-grammar",
        }
        .to_owned()
    }

    fn about(&self) -> &'static str {
        match self {
            Nginx::Strings => {
                "lines of an nginx log parsed with Lua's string functions into up to ten fields and a timestamp, injected; \
                 not: consumers"
            }
            Nginx::Grammar => {
                "the same with an LPeg grammar, by engines that have the library; not: consumers"
            }
        }
    }

    fn messages(&self, _engine: &Engine) -> u64 {
        1_000_000
    }

    fn messages_small(&self) -> u64 {
        5_000
    }

    fn suits(&self, engine: &Engine) -> bool {
        *self == Nginx::Strings || engine.grammar_library
    }

    fn prepare(&self, dir: &RunDir, scratch: &Path, messages: u64) -> Result<()> {
        let log = generate::access_log(scratch, messages)?;
        let lua = match self {
            Nginx::Strings => "nginx_strings.lua",
            Nginx::Grammar => "nginx_grammar.lua",
        };
        dir.plugin(
            Stage::Input,
            "nginx",
            lua,
            &format!("log = {:?}", log.display().to_string()),
        )
    }

    fn check(&self, dir: &RunDir, messages: u64) -> Result<()> {
        dir.expect("parsed", &format!("{messages} 0"))
    }
}
