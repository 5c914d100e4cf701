-- attack: coroutines | output | harmless
-- Native objects made in one coroutine and used in others, in callbacks, and after the coroutine has died with an error.
local coroutine = require "coroutine"
local lpeg, cjson = require "lpeg", require "cjson"
local string = require "string"
require "rjson" require "circular_buffer"
local kept = {}
function process_message()
    for i = 1, 50 do
        local co = coroutine.create(function()
            local doc = rjson.parse('{"a":[1,2,3]}')
            local cb = circular_buffer.new(4, 1, 1)
            kept[i] = {doc, doc:iter(doc:find("a")), cb, lpeg.Cmt(lpeg.C(1) ^ 1, function(_, at, ...) coroutine.yield(at, ...) return at end)}
            lpeg.match(lpeg.Cmt(1, function() return coroutine.yield("from a match") end), "abc")
            error("dead")
        end)
        for _ = 1, 4 do coroutine.resume(co, true) end
        local doc, iterate, cb, patt = unpack(kept[i])
        while iterate() do end
        cb:add(0, 1, 1)
        pcall(patt.match, patt, "abc")
        pcall(coroutine.wrap(function() return patt:match("abc") end))
        pcall(coroutine.wrap(function() return cjson.encode(cjson.decode("[1]")) end))
        assert(doc:size() == 1 and cb:get(0, 1) == 1, "HOLE: an object has changed")
    end
    return 0
end
