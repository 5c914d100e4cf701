-- attack: loaders | analysis | harmless | modules
-- A file that looks like a shared library lies on the search path: nobody may even try to load it.
require "string"
for _, name in ipairs({"evil", "native", "native.sub", "libevil"}) do
    local ok, e = pcall(require, name)
    assert(not ok, "HOLE: a native module was loaded")
    assert(string.find(e, "not found", 1, true), "HOLE: a native module was tried: " .. e)
end
function process_message() return 0 end
function timer_event() end
