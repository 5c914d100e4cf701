-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# TP: conversations of lines with answers that have numbers

What SMTP and its like have in common: a command is a line, an answer begins with three digits and may have several
lines. The names are those of LuaSocket's `socket.tp`.

## Functions

`connect(host, port[, timeout[, create] ])` gives a conversation, or nil and the reason. `create` makes the socket that is
used. `TIMEOUT` is the timeout in seconds if none is given.

| method | |
|---|---|
| `command(verb[, argument])` | sends a line |
| `check(wanted)` | reads an answer: its number and text when it is as wanted, otherwise nil and its text. `wanted` is a pattern for the number such as "2..", an array of them, or a function of number and text |
| `send(data)`, `receive(pattern)` | what the socket does |
| `sink(sink, pattern)`, `source(source[, step])` | receives into a sink; sends what a source gives |
| `getfd()`, `dirty()`, `getcontrol()`, `close()` | of the socket |
--]]

local ltn12  = require "ltn12"
local socket = require "socket"
local string = require "string"
local table  = require "table"

local ipairs, setmetatable, tonumber, type = ipairs, setmetatable, tonumber, type
local find, match, upper = string.find, string.match, string.upper
local concat = table.concat

-- The longest line of an answer in bytes, and the most lines.
local LINE_MAX  = "*l 8192"
local LINES_MAX = 1000

local M = { TIMEOUT = 60 }

local function read_answer(c)
    local line, err = c:receive(LINE_MAX)
    if err then return nil, err end
    local code, more = match(line, "^(%d%d%d)(.?)")
    if not code then return nil, "invalid server reply" end
    local lines = { line }
    while more == "-" do
        if #lines == LINES_MAX then return nil, "server reply too long" end
        line, err = c:receive(LINE_MAX)
        if err then return nil, err end
        lines[#lines + 1] = line
        local other, sign = match(line, "^(%d%d%d)(.?)")
        if other == code and sign ~= "-" then more = sign end
    end
    return code, concat(lines, "\n")
end

local methods = {}

function methods:getcontrol()
    return self.c
end

function methods:check(wanted)
    local code, text = read_answer(self.c)
    if not code then return nil, text end
    if type(wanted) == "function" then return wanted(tonumber(code), text) end
    if type(wanted) ~= "table" then wanted = { wanted } end
    for _, pattern in ipairs(wanted) do
        if find(code, pattern) then return tonumber(code), text end
    end
    return nil, text
end

function methods:command(verb, argument)
    local line = upper(verb)
    if argument then line = line .. " " .. argument end
    if find(line, "[\r\n]") then return nil, "line break in a command" end
    return self.c:send(line .. "\r\n")
end

function methods:sink(sink, pattern)
    local chunk, err = self.c:receive(pattern)
    return sink(chunk, err)
end

function methods:send(data)
    return self.c:send(data)
end

function methods:receive(pattern)
    return self.c:receive(pattern)
end

function methods:getfd()
    return self.c:getfd()
end

function methods:dirty()
    return self.c:dirty()
end

function methods:source(source, step)
    local sink = socket.sink("keep-open", self.c)
    return ltn12.pump.all(source, sink, step or ltn12.pump.step)
end

function methods:close()
    self.c:close()
    return 1
end

function M.connect(host, port, timeout, create)
    local c, err = (create or socket.tcp)()
    if not c then return nil, err end
    c:settimeout(timeout or M.TIMEOUT)
    local ok
    ok, err = c:connect(host, port)
    if not ok then
        c:close()
        return nil, err
    end
    return setmetatable({ c = c }, { __index = methods })
end

-- Plugins reach it by either name.
socket.tp = M

return M
