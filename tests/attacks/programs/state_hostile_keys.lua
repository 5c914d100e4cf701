-- attack: preserved state | analysis | harmless
-- Keys and values that would be code if they were written carelessly; they must come back as they were.
require "string"
local hostile = {"\"] = 1 pwned = true --", "]] pwned = true --", "\"", "\\", "\\\"", "\n", "\r", "\r\n", "\0", "a\0b", "\255", "]=]", "end", "x\ny", "\\n", "%", "--", "", " ", "\26", "\27LJ", "'", "\"..pwned..\"", "\226\128\168"}
local fresh = {}
for i, k in ipairs(hostile) do fresh[k] = hostile[#hostile + 1 - i] end
kept = kept or fresh
for _, k in ipairs(hostile) do if k ~= "" then rawset(_G, "g" .. k, k) end end
function process_message()
    assert(pwned == nil, "HOLE: state was run as code")
    for i, k in ipairs(hostile) do assert(kept[k] == hostile[#hostile + 1 - i], "HOLE: changed " .. string.format("%q", k)) end
    for _, k in ipairs(hostile) do if k ~= "" then assert(_G["g" .. k] == k) end end
    return 0
end
