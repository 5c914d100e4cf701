//! Lua's string library over byte strings, with every step that can run long charged to the plugin's budget.
