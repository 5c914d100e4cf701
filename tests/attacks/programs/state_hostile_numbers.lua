-- attack: preserved state | analysis | harmless
-- Numbers that are hard to write exactly, as keys and as values.
numbers = {0.1, 1 / 3, 2 ^ 53, -2 ^ 53, 2 ^ 63, 1e308, 5e-324, 1 / 0, -1 / 0, 0 / 0, -0}
keyed = {[0.1] = 1, [-1] = 2, [2 ^ 53] = 3, [1e308] = 4, [1 / 0] = 5, [-1 / 0] = 6, [1.5] = 7, [true] = 8, [false] = 9}
function process_message()
    local expected = {0.1, 1 / 3, 2 ^ 53, -2 ^ 53, 2 ^ 63, 1e308, 5e-324, 1 / 0, -1 / 0}
    for i, n in ipairs(expected) do assert(numbers[i] == n, "HOLE: number changed: " .. i) end
    assert(numbers[10] ~= numbers[10])
    assert(keyed[0.1] == 1 and keyed[-1] == 2 and keyed[2 ^ 53] == 3 and keyed[1e308] == 4 and keyed[1 / 0] == 5 and keyed[true] == 8 and keyed[false] == 9)
    return 0
end
