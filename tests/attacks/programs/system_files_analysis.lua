-- attack: system | analysis | harmless
-- An analysis plugin has no way to files, programs or the environment.
local ok, e = pcall(require, "io")
assert(not ok, "HOLE: io")
assert(io == nil, "HOLE: io")
require "os"
for _, name in ipairs({"execute", "getenv", "remove", "rename", "tmpname", "exit"}) do assert(os[name] == nil, "HOLE: os." .. name) end
for _, name in ipairs({"lfs", "socket", "posix", "lsb.io", "unix", "ltn12"}) do assert(not pcall(require, name), "HOLE: " .. name) end
function process_message() return 0 end
function timer_event() end
