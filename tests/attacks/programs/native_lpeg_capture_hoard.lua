-- attack: lpeg | output | contained: not enough memory / instruction_limit exceeded / too many captures
-- Captures of every byte of a long text, kept.
local l = require "lpeg"
local subject = (require "string").rep("ab", 200000)
local keep = {}
function process_message()
    while true do
        keep[#keep + 1] = l.match(l.Ct((l.Ct(l.Cp() * l.C(1) * l.Cc(#keep))) ^ 0), subject)
    end
end
