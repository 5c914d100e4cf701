-- attack: library bombs | analysis | harmless
-- The iterators of pairs and ipairs called by hand with odd arguments.
function process_message()
    local step, t = ipairs({1, 2, 3})
    for _, i in ipairs({-1, 0, 3, 2^31 - 1, -2^31, 2^53, 0/0, 1/0}) do pcall(step, t, i) pcall(step, "x", i) pcall(step, nil, i) end
    for _, k in ipairs({"missing", 4, 0/0, 2^53, {}, print}) do pcall(next, t, k) end
    pcall(next, nil) pcall(next, 1) pcall(next) pcall(pairs) pcall(ipairs)
    pcall(rawset, t, nil, 1) pcall(rawset, t, 0/0, 1) pcall(rawget, nil, 1) pcall(rawequal, 1)
    pcall(setmetatable, 1, {}) pcall(setmetatable, t, 1) pcall(setmetatable, "", {})
    return 0
end
