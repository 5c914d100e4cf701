//! Small helpers that several crates need: clock, files, backoff, sizes, statistics, patterns, secrets, threads.
pub mod backoff;
pub mod clock;
pub mod faulty;
pub mod files;
pub mod pattern;
pub mod secret;
pub mod seed;
pub mod size;
pub mod stats;
pub mod thread;
