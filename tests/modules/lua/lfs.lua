-- The module sees folders.
local lfs = require "lfs"
assert(lfs.attributes("/", "mode") == "directory")
