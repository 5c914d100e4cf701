//! Many analysis plugins with a matcher each, and messages that one of them wants.
//!
//! Measures what a message costs when most loaded plugins do not want it. Does not show matchers that many plugins share,
//! patterns, or plugins that do work; the plugins only count.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::engine::Engine;
use crate::rundir::{RunDir, Stage};
use crate::throughput::Workload;

/// So many matchers are tried in all by an engine that tries every one for every message.
const MATCHES_ASKED: u64 = 200_000_000;

/// Messages for each plugin, and in all, when matchers are indexed.
const MESSAGES_PER_PLUGIN: u64 = 2_000;
const MESSAGES_MIN: u64 = 2_000_000;

/// So many plugins with matchers `Type == 'tN' && Fields[x] == N`.
pub struct Route {
    /// How many.
    pub plugins: u64,
}

impl Route {
    /// The plugins that say at the end how many messages they had: all of them would measure the reports.
    fn reports(&self, plugin: u64) -> bool {
        plugin == 1 || plugin == self.plugins
    }

    /// How many of `messages`, dealt out in turn, are for `plugin`.
    fn share(&self, plugin: u64, messages: u64) -> u64 {
        (messages + self.plugins - plugin) / self.plugins
    }
}

impl Workload for Route {
    fn name(&self) -> String {
        format!("route-{}", self.plugins)
    }

    fn about(&self) -> &'static str {
        "analysis plugins with matchers Type == 'tN' && Fields[x] == N, each message is for one of them; \
         not: plugins that share messages, patterns, work in the plugin"
    }

    fn messages(&self, engine: &Engine) -> u64 {
        match engine.asks_every_matcher {
            // Waiting minutes for it would be no information.
            true => MATCHES_ASKED / self.plugins,
            // Enough for each plugin that starting it does not count beside them.
            false => (MESSAGES_PER_PLUGIN * self.plugins).max(MESSAGES_MIN),
        }
    }

    fn messages_small(&self) -> u64 {
        5_000
    }

    fn prepare(&self, dir: &RunDir, _scratch: &Path, messages: u64) -> Result<()> {
        let config = format!("messages = {messages}\nkinds = {}", self.plugins);
        dir.plugin(Stage::Input, "gen", "generate.lua", &config)?;
        for n in 1..=self.plugins {
            let matcher = format!("message_matcher = \"Type == 't{n}' && Fields[x] == {n}\"");
            let config = format!("{matcher}\nreport = {}", self.reports(n));
            dir.plugin(Stage::Analysis, &format!("p{n}"), "count.lua", &config)?;
        }
        dir.report()
    }

    fn check(&self, dir: &RunDir, messages: u64) -> Result<()> {
        dir.expect("injected", &messages.to_string())?;
        let reporters = (1..=self.plugins).filter(|n| self.reports(*n));
        let expected = reporters.fold((0, 0), |(sum, count), n| {
            (sum + self.share(n, messages), count + 1)
        });
        let found = dir.counts()?;
        ensure!(
            found == expected,
            "counts (sum, plugins) are {found:?}, expected {expected:?}"
        );
        Ok(())
    }
}
