-- kind: analysis, called
-- The module monitor.key: keys of the message that is called with (see plugins/reference/host.md).
require "string"
local key = require "monitor.key"

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end

local all       = key.new(nil)
local one       = key.new("Type")
local two       = key.new({ "Type", "Fields[user]" })
local absent    = key.new({ "Type", "Fields[none]" })
local with_dash = key.new({ "Type", "Fields[none]", "Fields[bytes]" }, "-")
local path      = key.path({ "Type", "Fields[user]", "Pid" }, "-")

-- Outside of a message nothing is there.
assert(all() == "all" and one() == nil and with_dash() == "-/-/-")
fails("must be a text", key.new, { 5 })
fails("must be a text", key.new, { {} })

function process_message()
    assert(all() == "all" and one() == "login" and two() == "login/ann" and absent() == nil, two())
    assert(with_dash() == "login/-/512", with_dash())
    local keys = path()
    assert(#keys == 3 and keys[1] == "login" and keys[2] == "login/ann" and keys[3] == "login/ann/42", keys[3])
    assert(path() == keys, "the same array again")

    -- Whatever values are: short, without control characters and slashes, and the memory of them is bounded.
    local odd = key.new("Payload")
    assert(string.find(odd(), "ann logged in", 1, true))
    return 0
end

function timer_event()
end
