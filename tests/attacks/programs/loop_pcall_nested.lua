-- attack: loops | analysis | contained: instruction_limit exceeded
-- A hundred protected calls inside one another, each of which starts again when the inner one is ended.
local function nest(depth)
    while true do
        if depth == 0 then while true do end end
        pcall(nest, depth - 1)
    end
end
function process_message() nest(100) end
