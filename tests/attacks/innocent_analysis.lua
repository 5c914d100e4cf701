-- The neighbour of an attack: does honest work with each message, and looks whether its own world is still whole.
require "string"
require "table"
require "math"
require "os"
local lpeg, cjson = require "lpeg", require "cjson"

local sort, concat = table.sort, table.concat
local sums = {}
count = 0

local function global_names()
    local names = {}
    for name in pairs(_G) do names[#names + 1] = name end
    sort(names)
    return concat(names, " ")
end
local world

local word = lpeg.Ct(lpeg.Cg(lpeg.R "az" ^ 1, "word") * -1)

local function modules_are_whole()
    assert(word:match("attack").word == "attack" and word:match("at tack") == nil, "patterns have changed")
    assert(cjson.encode(cjson.decode('{"a":[1,null,2]}')) == '{"a":[1,null,2]}', "JSON has changed")
end

local function world_is_whole()
    world = world or global_names()
    assert(global_names() == world, "the globals have changed")
    assert(type("x") == "string" and ("x"):upper() == "X" and ("a,b"):find(",", 1, true) == 2, "strings have changed")
    assert(not pcall(function() return "x" + {} end), "strings can be added")
    assert(getmetatable(1) == nil and getmetatable(print) == nil and getmetatable(true) == nil, "numbers or functions have a metatable")
    assert(math.huge == 1 / 0 and math.floor(1.5) == 1 and tostring(1.5) == "1.5" and tonumber("10") == 10, "numbers have changed")
    assert(string.format("%5.2f", 1.5) == " 1.50", "string.format has changed")
    assert(os.date("!%Y-%m-%d", 0) == "1970-01-01", "os.date has changed")
    assert(pwned == nil, "somebody set a global here")
end

function process_message()
    count = count + 1
    local number = read_message("Fields[number]")
    sums[#sums % 100 + 1] = number * 2
    assert(read_message("Payload") ~= nil and read_message("Type") == "attack")
    world_is_whole()
    modules_are_whole()
    return 0
end

function timer_event()
    world_is_whole()
    inject_payload("txt", "count", count)
end
