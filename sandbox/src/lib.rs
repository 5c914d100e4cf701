//! One plugin's Lua state with its limits, the functions the host offers it, and its preserved state.
