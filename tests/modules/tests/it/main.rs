//! What Lua programs alone cannot show: state round trips, limits, messages that modules make.

mod library;
mod analysis;
mod lpeg;
mod json;
mod net;
mod postgres;
mod alert;
mod codecs;
mod plugin_monitor;
mod require;
mod security;
