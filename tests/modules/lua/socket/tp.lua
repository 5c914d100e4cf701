-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- socket.tp: answers and what is wanted of them.

require "string"
require "table"
local tp     = require "socket.tp"
local ltn12  = require "ltn12"
local socket = require "socket"

-- A conversation whose other side is a list of lines.
local function conversation(...)
    local lines, sent = { ... }, {}
    local fake = {
        settimeout = function() return 1 end,
        connect = function() return 1 end,
        receive = function() return table.remove(lines, 1), #lines < 0 and "x" or nil end,
        send = function(_, data) sent[#sent + 1] = data; return #data end,
        close = function() return 1 end,
        getfd = function() return 7 end,
        dirty = function() return false end,
    }
    return assert(tp.connect("host", 1, 1, function() return fake end)), sent, fake
end

local t, sent, fake = conversation("250 ok", "354-one", "354-two", "354 three", "599 no", "200 yes", "junk", "250-x", "250")
assert(t:getcontrol() == fake and t:getfd() == 7 and t:dirty() == false)
local code, text = t:check("2..")
assert(code == 250 and text == "250 ok")
code, text = t:check { "1..", "3.." }
assert(code == 354 and text == "354-one\n354-two\n354 three")
code, text = t:check("2..")
assert(code == nil and text == "599 no")
assert(t:check(function(number, words) return number .. words end) == "200200 yes")
code, text = t:check("2..")
assert(code == nil and text == "invalid server reply")
code, text = t:check("2..")
assert(code == 250 and text == "250-x\n250")
assert(t:command("helo", "there") and t:command("quit"))
assert(table.concat(sent) == "HELO there\r\nQUIT\r\n")
local ok, err = t:command("mail", "x\nRCPT")
assert(ok == nil and err == "line break in a command")
assert(t:source(ltn12.source.string("text")) and sent[#sent] == "text")
assert(t:send("raw") == 3 and t:close() == 1)
ok, err = tp.connect("127.0.0.1", 1, 1)
assert(ok == nil and err == "connection refused", err)
