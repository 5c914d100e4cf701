-- attack: json | output | either
-- Documents nested a million deep, and calls with paths as long as Lua allows.
require "rjson"
local string = require "string"
function process_message()
    for _, n in ipairs({1000, 9999, 10001, 1000000}) do
        local ok, doc = pcall(rjson.parse, string.rep("[", n) .. string.rep("]", n))
        if ok then
            local zeros = {}
            for i = 1, 7000 do zeros[i] = 0 end
            pcall(doc.find, doc, unpack(zeros))
            pcall(doc.remove, doc, unpack(zeros))
            pcall(function() inject_message({Fields = {a = doc:make_field()}}) end)
        end
        pcall(rjson.parse, string.rep('{"a":', n) .. "1" .. string.rep("}", n))
        pcall(rjson.parse_schema, string.rep('{"not":', n) .. "{}" .. string.rep("}", n))
        pcall(rjson.parse_schema, string.rep('{"items":[', n) .. "{}" .. string.rep("]}", n))
    end
    return 0
end
