-- Input: injects `messages` messages of about 220 bytes, payload and six fields, from one table that is used again and again.
-- With `kinds` set, the Type runs from t1 to t<kinds> and Fields[x] from 1 to <kinds>, so that each message is for one plugin.
-- With `begin` set it waits for a file of that name. The file `injected` says how many messages there were.
require "io"

local total = read_config("messages")
local kinds = read_config("kinds")
local begin = read_config("begin")
local is_over = false
local FIRST = 1.6e18 -- nanoseconds; a thousand between two messages, so that readers can order them

local fields = {
    host = "web-17.example",
    method = "GET",
    path = "/css/main.css",
    status = 200,
    duration = 0.0125,
    cached = true,
}
local msg = {
    Type = "access",
    Payload = "GET main.css, served in 12 ms",
    Fields = fields,
}

local function cycle_kinds()
    local names = {}
    for i = 1, kinds do names[i] = "t" .. i end
    msg.Fields = { host = fields.host, path = fields.path, cached = true, x = 0 }
    local kind = 0
    for i = 1, total do
        kind = kind < kinds and kind + 1 or 1
        msg.Timestamp = FIRST + i * 1000
        msg.Type = names[kind]
        msg.Fields.x = kind
        inject_message(msg)
    end
end

local function same_kind()
    for i = 1, total do
        msg.Timestamp = FIRST + i * 1000
        fields.status = i
        inject_message(msg)
    end
end

local function may_begin()
    local fh = io.open(begin)
    if fh then fh:close() end
    return fh ~= nil
end

function process_message()
    if is_over or begin and not may_begin() then return 0 end
    is_over = true
    assert(io.open("started", "w")):close()
    if kinds then cycle_kinds() else same_kind() end
    local fh = assert(io.open("injected", "w"))
    fh:write(total)
    fh:close()
    return 0
end
