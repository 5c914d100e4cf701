//! What Lua programs alone cannot show: state round trips, limits, messages that modules make.

mod alert;
mod alert_output;
mod analysis;
mod codecs;
mod json;
mod kafka;
mod library;
mod loader;
mod lpeg;
mod monitor;
mod net;
mod parquet;
mod plugin_monitor;
mod postgres;
mod require;
mod security;
