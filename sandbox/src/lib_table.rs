//! Lua's table library, with sorting, joining and moving charged to the plugin's budget.
