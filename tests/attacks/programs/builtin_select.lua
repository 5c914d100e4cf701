-- attack: library bombs | analysis | either
-- select with odd places, and as many arguments as the stack holds.
function process_message()
    for _, n in ipairs({0, -1, -2, 2^31, -2^31, 2^53, 1/0, -1/0, 0/0, "#", "1", "x"}) do
        pcall(select, n) pcall(select, n, 1) pcall(select, n, 1, 2)
    end
    local t = {}
    for i = 1, 7900 do t[i] = i end
    local function f(...)
        assert(select("#", ...) == 7900)
        return select(-1, ...)
    end
    pcall(function() assert(f(unpack(t)) == 7900) end)
    local function grow(...)
        return grow(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...)
    end
    pcall(grow)
    local function double(...)
        return double(..., ...)
    end
    local ok = pcall(double, unpack(t))
    return 0
end
