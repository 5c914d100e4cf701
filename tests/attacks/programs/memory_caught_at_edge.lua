-- attack: memory | analysis | contained: not enough memory / instruction_limit exceeded
-- Goes to the edge of memory in small steps, then calls everything that may need an allocation that fails.
require "string"
require "table"
local keep = {}
function process_message()
    pcall(function() while true do keep[#keep + 1] = {} end end)
    pcall(function() local i = 0 while true do i = i + 1 keep["x" .. i] = i end end)
    for _ = 1, 1000 do
        pcall(string.rep, "x", 1000) pcall(string.format, "%d%s", 1, "x") pcall(table.concat, {"a", "b"}) pcall(error, {}) pcall(error, "new text " .. 1)
        pcall(read_message, "Payload") pcall(add_to_payload, "x") pcall(inject_message, {Payload = "x", Fields = {a = 1}}) pcall(string.gsub, "abc", "%w", "%0%0")
        pcall(setmetatable, {}, {}) pcall(tostring, 1.5) pcall(decode_message, "x") pcall(xpcall, error, function() return {} end) pcall(require, "math")
    end
    return 0
end
