-- attack: preserved state | analysis | harmless
-- Cycles and shared tables, of which a walk that does not look would never end.
generation = (generation or 0)
a = {}
a.self = a
a.b = {a = a}
a.b.b = a.b
shared = {}
left, right = {shared, shared}, {shared, a}
local function grid(n)
    local t = {}
    for i = 1, n do t = {t, t} end
    return t
end
lattice = grid(60)
function process_message()
    assert(a.self == a and a.b.a == a and a.b.b == a.b, "HOLE: a cycle was lost")
    assert(left[1] == left[2] and left[1] == right[1], "HOLE: a shared table was doubled")
    return 0
end
