-- attack: re | analysis | either | modules
-- Expressions of a hundred thousand brackets, predicates and arrows.
local re = require "re"
local string = require "string"
function process_message()
    for _, pair in ipairs({{"(", ")"}, {"{", "}"}, {"{|", "|}"}, {"{~", "~}"}, {"{:", ":}"}, {"[", "]"}, {"!", ""}, {"&", ""}, {"", "?"}, {"", "*"}, {"", " -> {}"}, {"'", "'"}, {"a / ", ""}, {"a ", ""}, {"<", ">"}, {"%", ""}}) do
        pcall(re.compile, string.rep(pair[1], 50000) .. "a" .. string.rep(pair[2], 50000))
        pcall(re.compile, string.rep(pair[1], 50000))
        pcall(re.compile, "a" .. string.rep(pair[2], 50000))
    end
    return 0
end
function timer_event() end
