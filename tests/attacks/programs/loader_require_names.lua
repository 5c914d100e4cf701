-- attack: loaders | analysis | harmless | modules
-- Module names that are paths, cut strings or worse.
require "string"
local names = {"../secret", "../x", "..", "/etc/passwd", "a/b", "a\\b", "./x", "x\0y", "", " ", "x;y", "?", "x?", "a-b", "\255", "file:///etc/passwd", "~", "x\n", "%", string.rep("a", 100000), string.rep("a.", 50000), "....", ".", "a..b", "..secret", "...etc.passwd"}
for _, name in ipairs(names) do
    local ok, e = pcall(require, name)
    assert(not ok, "HOLE: require of " .. string.sub(name, 1, 20))
    assert(type(e) == "string" and not string.find(e, "CANARY", 1, true), "HOLE: a file was read")
end
for _, v in ipairs({1, true, {}, print, 0/0}) do assert(not pcall(require, v), "HOLE: require of " .. type(v)) end
assert(not pcall(require))
function process_message() return 0 end
function timer_event() end
