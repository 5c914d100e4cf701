-- attack: environments | analysis | either | injects=1000
-- Gives the host's functions and the thread other environments, in which they may look things up.
require "string"
-- The levels below hit this very chunk too, so everything it needs is local.
local pcall, setfenv, ipairs, setmetatable, assert, gsub = pcall, setfenv, ipairs, setmetatable, assert, string.gsub
local add_to_payload, read_message, inject_message, inject_payload, xpcall, require = add_to_payload, read_message, inject_message, inject_payload, xpcall, require
local globals = _G
local hostile = setmetatable({}, {__index = function() while true do end end, __newindex = function() while true do end end})
for _, f in ipairs({read_message, inject_message, inject_payload, add_to_payload, pcall, xpcall, error, require, module, print, setfenv, getfenv, next, tostring, string.gsub, read_config}) do
    pcall(setfenv, f, hostile)
    pcall(setfenv, f, {})
end
for level = 1, 10 do pcall(setfenv, level, {}) end
pcall(setfenv, 2^31, {})
pcall(setfenv, 1, nil)
pcall(setfenv, -1, {})
function globals.process_message()
    gsub("abc", ".", function() pcall(setfenv, 2, {}) pcall(setfenv, 3, {}) end)
    add_to_payload(read_message("Payload"))
    pcall(inject_message, {Payload = "x", Fields = {a = 1}})
    pcall(inject_message, setmetatable({}, hostile))
    pcall(inject_payload, "txt", "name", "x")
    for _, f in ipairs({read_message, inject_message, inject_payload, add_to_payload, pcall, xpcall, require}) do pcall(setfenv, f, hostile) pcall(setfenv, f, {}) end
    pcall(inject_message, {Payload = "x", Fields = {a = 1}})
    assert(read_message("Type") == "attack", "HOLE: a function of the host was changed")
    return 0
end
function globals.timer_event() end
