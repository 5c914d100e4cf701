-- attack: environments | analysis | harmless
-- Environments of callers and of the host's functions must not be more than the plugin's own globals.
local function check(env)
    assert(type(env) ~= "table" or env == _G or rawget(env, "read_config") == nil or env.read_config == read_config, "HOLE: another environment")
    if type(env) == "table" then
        for _, name in ipairs({"debug", "ffi", "jit", "load", "loadfile", "dofile"}) do assert(rawget(env, name) == nil, "HOLE: " .. name) end
    end
end
function process_message()
    for _, level in ipairs({0, 1, 2, 3, 4, 5, 10, 100, 2^31 - 1, -1, -2^31, 2^53, 0/0, 1/0}) do
        local ok, env = pcall(getfenv, level)
        if ok then check(env) end
    end
    for _, f in ipairs({read_message, inject_message, pcall, error, require, print, add_to_payload, setfenv, next, tostring}) do
        local ok, env = pcall(getfenv, f)
        if ok then check(env) end
    end
    return 0
end
function timer_event() end
