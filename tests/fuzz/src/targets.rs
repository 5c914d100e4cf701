//! The list of fuzz targets.

mod analysis;
mod cbuf;
mod checkpoints;
mod config;
mod derive;
mod frame;
mod json;
mod library;
mod matcher;
mod message;
mod pattern;
mod queue;
mod spool;
mod state;

/// One reader of bytes from outside.
pub struct Target {
    /// Its name, also that of its folder in the corpus.
    pub name: &'static str,
    /// What it reads.
    pub about: &'static str,
    /// Gives it the bytes; panics if it does what it must not.
    pub run: fn(&[u8]),
    /// Small good and nearly good inputs, made by code.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Pieces that mean something to it.
    pub words: &'static [&'static [u8]],
    /// How many inputs the smoke test tries; about a second's worth.
    pub n_smoke: u64,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    frame::TARGET,
    message::TARGET,
    matcher::TARGET,
    pattern::TARGET,
    config::TARGET,
    state::TARGET,
    queue::TARGET,
    checkpoints::TARGET,
    library::TARGET,
    analysis::TARGET,
    cbuf::TARGET,
    json::TARGET,
    spool::TARGET,
    derive::TARGET,
];

/// The target of this name.
pub fn by_name(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
