-- attack: patterns | analysis | harmless
-- Patterns that are cut off everywhere, with bytes of every value; reading past their end would be a hole.
require "string"
function process_message()
    local bad = {"%", "[", "[^", "[]", "[^]", "[a", "[a-", "[%", "(", ")", "(()", "%b", "%bx", "%f", "%fx", "%1", "%0", "(%1)", "(a%2)",
        "a**", "*", "+", "-", "?", "^*", "[%a-z]", "[a-%%]", "\0", "[\0-\255]", "%\0", "[^\0", "%z*", "$", "^$", "^^", "$$", "(^a)", "[[]]", "[]]", "%f[", "%b\0\1"}
    for _, p in ipairs(bad) do
        for _, s in ipairs({"", "a", "a\0b", "]", "((a))", "%"}) do
            pcall(string.find, s, p) pcall(string.match, s, p) pcall(string.gsub, s, p, "%0%1")
            pcall(string.gsub, s, p, "%") pcall(string.gsub, s, p, "%9") pcall(string.gsub, s, p, {}) pcall(string.gsub, s, p, 1)
            pcall(function() for a in string.gmatch(s, p) do if a == nil then break end end end)
        end
    end
    return 0
end
