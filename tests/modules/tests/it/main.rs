//! What Lua programs alone cannot show: state round trips, limits, messages that modules make.

mod json;
mod require;
