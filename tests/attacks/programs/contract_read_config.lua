-- attack: contract | analysis | either
-- Changes what read_config serves, in the hope that the host looks there too.
function process_message()
    for _, key in ipairs({"memory_limit", "instruction_limit", "output_limit", "Logger", "path", "cpath", "table"}) do
        local v = read_config(key)
        if type(v) == "table" then
            v.v = v
            setmetatable(v, {__index = function() while true do end end, __newindex = error})
        end
    end
    for _, k in ipairs({1, 0, -1, 0 / 0, true, {}, "", "\0", print}) do pcall(read_config, k) end
    pcall(read_config) pcall(read_config, "a", "b")
    memory_limit = 1e12
    instruction_limit = 0
    return 0
end
