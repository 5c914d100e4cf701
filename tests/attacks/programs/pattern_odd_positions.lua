-- attack: patterns | analysis | harmless
-- Start positions that are no positions.
require "string"
require "math"
function process_message()
    for _, i in ipairs({math.huge, -math.huge, 0/0, 2^31, -2^31, 2^53, -2^53, 2^63, -2^63, 2^64, 1e300, 0, -1, 100, 0.5}) do
        pcall(string.find, "abc", "b", i) pcall(string.find, "abc", "b", i, true) pcall(string.match, "abc", "()", i)
        pcall(string.sub, "abc", i, i) pcall(string.sub, "abc", -i, i) pcall(string.byte, "abc", i, i) pcall(string.byte, "abc", i)
        pcall(string.rep, "", i) pcall(string.gsub, "abc", ".", "x", i) pcall(string.char, i)
        assert(#string.sub("abc", i, i) <= 3)
    end
    return 0
end
