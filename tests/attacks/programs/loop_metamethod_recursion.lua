-- attack: loops | analysis | contained: instruction_limit exceeded / stack overflow
-- Every operator's metamethod calls the same operator again.
local mt = {}
local t = setmetatable({}, mt)
mt.__add = function(a, b) return a + b + a end
mt.__concat = function(a, b) return a .. b end
mt.__unm = function(a) return -a end
mt.__lt = function(a, b) return a < b end
mt.__le = function(a, b) return a <= b end
mt.__call = function(self, ...) return self(...) end
mt.__index = function(self, k) return self[k] end
mt.__newindex = function(self, k, v) self[k] = v end
local tries = {
    function() return t + 1 end, function() return t .. "x" end, function() return -t end,
    function() return t < setmetatable({}, mt) end, function() return t <= setmetatable({}, mt) end,
    function() return t(1) end, function() return t.x end, function() t.x = 1 end,
}
function process_message()
    while true do
        for _, try in ipairs(tries) do pcall(try) end
    end
end
