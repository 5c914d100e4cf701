-- attack: coroutines | output | contained: instruction_limit exceeded
-- pcall inside coroutine inside pcall inside coroutine, each layer of which goes on.
require "coroutine"
local function layer(depth)
    while true do
        if depth == 0 then while true do end end
        pcall(function()
            local co = coroutine.create(function() pcall(layer, depth - 1) end)
            while coroutine.status(co) ~= "dead" do coroutine.resume(co) end
        end)
    end
end
function process_message() layer(12) end
