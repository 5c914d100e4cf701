-- attack: library bombs | analysis | harmless
-- unpack of ranges whose length overflows: this was a crash of Lua 5.1.
function process_message()
    for _, r in ipairs({{0, 2^31 - 1}, {1, 1e7}, {1, 1e8}, {-2^31, 2^31 - 1}, {-1e9, 1e9}, {1, 2^53}, {-2^63, 2^63}, {-1/0, 1/0}, {1, 1/0}}) do
        local ok, n = pcall(function() return select("#", unpack({}, r[1], r[2])) end)
        assert(not ok or n < 10000, "HOLE: unpacked a range too large")
    end
    pcall(unpack, {}, 0/0, 0/0)
    pcall(unpack, {}, 2^31 - 1, 2^31 - 1)
    pcall(unpack, {}, 2^31 - 1, -2^31)
    pcall(unpack, {}, -2^31, -2^31 + 1)
    return 0
end
