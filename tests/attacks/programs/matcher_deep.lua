-- attack: matchers | output | either
-- Expressions nested a hundred thousand deep, or of a hundred thousand tests.
require "string"
function process_message()
    for _, e in ipairs({string.rep("(", 100000), string.rep("(", 100000) .. "TRUE" .. string.rep(")", 100000), string.rep("(", 1000) .. "TRUE" .. string.rep(")", 1000), "TRUE" .. string.rep(" && TRUE", 100000), "TRUE" .. string.rep(" || (TRUE", 10000) .. string.rep(")", 10000), string.rep("!", 100000), string.rep(" ", 1000000), "Type == '" .. string.rep("x", 1000000) .. "'", "Fields[" .. string.rep("x", 1000000) .. "] == 1", "Severity == " .. string.rep("9", 100000), "Timestamp == '" .. string.rep("9", 1000) .. "'"}) do
        local ok, m = pcall(create_message_matcher, e)
        if ok then pcall(m.eval, m) end
    end
    return 0
end
