//! The engine itself: configuration, the three stages, checkpoints and the command line.
//!
//! `run` is the program's main job, `engine` the three stages joined: `input_plugin`, `analysis_stage` with its
//! `router` and `analysis_plugin`s, and `output_plugin` with its `cursor`s.

pub mod run;
pub mod demo;
pub mod engine;
pub mod shared;
pub mod create;
pub mod input_plugin;
pub mod router;
pub mod analysis_plugin;
pub mod analysis_stage;
pub mod cursor;
pub mod delivery;
pub mod dead_letter;
pub mod output_plugin;
pub mod hosts;
pub mod checkpoints;
pub mod state_file;
pub mod ticker;
pub mod fault;
pub mod statistics;
pub mod snapshot;
pub mod progress;
pub mod config;
pub mod checkpoint_file;
pub mod rtc;
pub mod tsv;
mod number;
pub mod calendar;
pub mod load;
pub mod follow;
pub mod log;
pub mod cat;
pub mod check;
pub mod cli;
