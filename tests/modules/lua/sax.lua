-- kind: analysis
-- Words and windows: letters, distances, NaN and infinity.
require "string"
require "math"
require "sax"
assert(sax.version() == "0.5.0")

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
local function near(a, b) assert(math.abs(a - b) < 1e-5, a) end
local word, window = sax.word.new, sax.window.new

local a = word({10.3, 7, 1, -5, -5, 7.2}, 2, 8)
assert(tostring(a) == "FC" and a == word("FC", 8) and a ~= word("FC", 9) and a ~= word("FD", 8))
local w = window(6, 2, 8)
assert(tostring(w) == "##")
for _, v in ipairs{-9, -8, -7, -5, -5, 7.2} do w:add(v) end
near(sax.mindist(a, w), 1.560325)
near(sax.mindist(w, a), 1.560325)

w = window(4, 2, 4)
w:add(23)
assert(tostring(w) == "#C")
for _, v in ipairs{1, 2, 3, 10.1} do w:add(v) end
a = word({1, 2, 3, 10.1}, 2, 4)
assert(tostring(w) == "AD" and a == w and w == a and w:get_word() == a)
w:add({-10, 1, 2, 3, 10.1})
assert(a == w)
w:add({})
w:add({"1", 2, 3, "10.1"})
assert(a == w)
w:clear()
assert(w == word("##", 4))
-- A window has the word of its values, however many came before.
for i = 1, 1000 do
    w:add(math.sin(i) * 10 ^ (i % 7))
    local values = {}
    for k = i - 3, i do values[#values + 1] = k > 0 and math.sin(k) * 10 ^ (k % 7) or 0/0 end
    assert(w == word(values, 2, 4), i)
end

local inf, nan = 1/0, 0/0
for text, values in pairs{
    EEA = {inf, inf, inf, inf, inf, inf, -inf, -inf, -inf},
    ECA = {inf, inf, 5, 0, 0, 0, -inf, -inf, -5},
    ["E#A"] = {inf, inf, 5, nan, nan, nan, -inf, -inf, -5},
    ["###"] = {nan, nan, nan, nan, nan, nan, nan, nan, nan},
    ["#CC"] = {inf, -inf, 1, 1, 1, 1, 1, 1, 1},
} do
    assert(tostring(word(values, 3, 5)) == text, text .. tostring(word(values, 3, 5)))
end
assert(tostring(word({nan, 5, 5, 0, 0, 0, nan, -5, -5}, 3, 5)) == "ECA")

-- A frame without values is as far away as possible.
assert(sax.mindist(word("####", 4), word("####", "4")) == 0)
assert(sax.mindist(word("ABCD", 4), word("####", 4)) == sax.mindist(word("ABCD", 4), word("DDAA", 4)))
assert(sax.mindist(word("####", 4), word("ABCD", 4)) == sax.mindist(word("DDAA", 4), word("ABCD", 4)))
local d, above, below = sax.mindist(word("CCCCC", 5), word("#####", 5))
assert(d == sax.mindist(word("CCCCC", 5), word("AAAAA", 5)) and above == d and below == 0)
d, above, below = sax.mindist(word("ABDD", 4), word("DBAA", 4))
near(d, 2.336536) near(above, 1.907774) near(below, 1.349)
assert(sax.mindist(word("AB", 4), word("AB", 5)) == nil and sax.mindist(word("AB", 4), word("ABC", 4)) == nil)
assert(sax.mindist(word({1, 2, 3, 4}, 2, 4), word({1, 2}, 2, 4)) == nil, "other numbers of values")

fails("incorrect number of args", window)
fails("number expected, got nil", window, nil, 2, 2)
for _, n in ipairs{1, 5000, 0, -1, nan} do fails("n is out of range", window, n, 2, 3) end
for _, bad in ipairs{1, 0, -1, nan} do fails("w is out of range", window, 9, bad, 3) end
for _, c in ipairs{1, 17, nan, 258} do fails("cardinality is out of range", window, 9, 3, c) end
fails("n must be evenly divisible by w", window, 10, 3, 3)
fails("incorrect number of arguments", word)
fails("incorrect number of arguments", word, {}, 1, 2, 3)
fails("string expected, got nil", word, nil, 5)
fails("array-like table expected", word, nil, 3, 5)
fails("length of SAX string should be > 1", word, "", 5)
for _, case in ipairs{{"AAABF", 5}, {"aaabc", 5}, {"AABBC", 1}, {"AABBC", 17}, {"AB\0", 4}, {"AB", 258}, {"AB", nan}} do
    fails("illegal symbols for given cardinality", word, case[1], case[2])
end
fails("n is out of range", word, {}, 1, 5)
fails("expected array of numbers as input", word, {1, 2, {}}, 3, 5)
fails("sax.window or sax.word expected expected, got number", sax.mindist, a, 1)
fails("incorrect number of args", sax.mindist)
w = window(9, 3, 5)
fails("number or array-like table expected", w.add, w, "a")
fails("expected array of numbers as input", w.add, w, {1, "a"})
fails("incorrect number of args", w.add, w)
fails("mozsvc.sax.window expected", w.add, a, 1)
fails("mozsvc.sax.window expected", w.get_word, a)
fails("mozsvc.sax.window expected", w.clear, a)
