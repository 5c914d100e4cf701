-- attack: contract | output | either
-- Keeps the function that is only there while the plugin is loaded.
local kept = output
if kept then pcall(kept, "x") end
function process_message()
    if kept then for _ = 1, 100 do pcall(kept, "0123456789") end end
    return 0
end
