//! The engine itself: configuration, the three stages, checkpoints and the command line.
//!
//! `run` is the program's main job, `engine` the three stages joined: `input_plugin`, `analysis_stage` with its
//! `router` and `analysis_plugin`s, and `output_plugin` with its `cursor`s.

pub mod analysis_plugin;
pub mod analysis_stage;
pub mod calendar;
pub mod cat;
pub mod check;
pub mod checkpoint_file;
pub mod checkpoints;
pub mod cli;
pub mod compact;
pub mod config;
pub mod create;
pub mod cursor;
pub mod dead_letter;
pub mod delivery;
pub mod demo;
pub mod engine;
pub mod fault;
pub mod follow;
pub mod hosts;
pub mod input_plugin;
pub mod load;
pub mod log;
mod number;
pub mod output_plugin;
mod parallel;
pub mod progress;
pub mod router;
pub mod rtc;
pub mod run;
pub mod shared;
pub mod snapshot;
pub mod state_file;
pub mod statistics;
pub mod ticker;
pub mod tsv;
pub mod web_ui;
