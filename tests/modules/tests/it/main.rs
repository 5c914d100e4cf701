//! What Lua programs alone cannot show: state round trips, limits, messages that modules make.

mod alert;
mod require;
