-- attack: loaders | analysis | harmless | modules
-- Modules that require each other, one that requires itself, one that raises, one that is a directory, one that is bytecode.
require "string"
local function fails(name, text)
    local ok, e = pcall(require, name)
    assert(not ok, "HOLE: " .. name .. " was loaded")
    assert(not text or string.find(tostring(e), text, 1, true), tostring(e))
end
fails("cycle_a", "loop or previous error")
fails("itself", "loop or previous error")
fails("raises")
fails("raises")
fails("bytecode")
fails("binary")
fails("folder")
function process_message() return 0 end
function timer_event() end
