-- attack: re | analysis | either | modules
-- Numbers of repetitions that nothing could hold.
local re = require "re"
local string = require "string"
function process_message()
    for _, n in ipairs({"100000", "99999999", "999999999999999999999", "-99999999", "+99999999", "-1", "0", "+0", "1e9"}) do
        pcall(re.match, "aaaa", "'a'^" .. n)
        pcall(re.match, "aaaa", "({'a'}^" .. n .. ")^" .. n)
    end
    local nested = "'a'"
    for _ = 1, 12 do nested = "(" .. nested .. ")^100" end
    assert(not pcall(re.match, "aaaa", nested), "HOLE: a pattern of 100^12 parts")
    return 0
end
function timer_event() end
