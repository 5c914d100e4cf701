//! What Lua programs alone cannot show: state round trips, limits, messages that modules make.

mod alert;
mod codecs;
mod plugin_monitor;
mod require;
mod security;
