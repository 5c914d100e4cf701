-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# LTN12: filters, sources, sinks and pumps

A *source* is a function that gives one chunk of data at each call, nil at the end, and nil and a reason when it fails.
A *sink* is a function that takes one chunk, and nil at the end (with a reason when the source failed); it gives a true
value, or nil and a reason. A *pump* moves chunks from a source to a sink. A *filter* takes a chunk and gives it changed;
"" asks for what it still holds back, nil says that nothing more comes, and it answers nil when it has nothing left.

The names are those of LuaSocket's `ltn12`.

## Functions

| function | gives |
|---|---|
| `filter.chain(f, ...)` | a filter that applies all in turn |
| `filter.cycle(low[, context[, extra] ])` | a filter of a function `low(context, chunk, extra)` that gives a chunk and the next context |
| `source.cat(s, ...)` | one source after the other |
| `source.chain(s, f, ...)` | a source whose chunks go through filters |
| `source.empty()` | a source without data |
| `source.error(reason)` | a source that fails |
| `source.file(handle[, reason])` | the content of an open file, which is closed at the end; fails with the reason without one |
| `source.rewind(s)` | a source that takes chunks back: what it is called with comes out next |
| `source.simplify(s)` | a source of one whose second result is the next source |
| `source.string(text)` | a text in blocks |
| `source.table(array)` | the texts of an array |
| `sink.chain(f, ..., s)` | a sink behind filters |
| `sink.error(reason)` | a sink that fails |
| `sink.file(handle[, reason])` | writes to an open file, which is closed at the end |
| `sink.null()` | takes everything, keeps nothing |
| `sink.simplify(s)` | a sink of one whose second result is the next sink |
| `sink.table([array])` | gathers chunks in an array, which is the second result |
| `pump.step(source, sink)` | moves one chunk: a true value, or nil and a reason |
| `pump.all(source, sink[, step])` | moves all: 1, or nil and a reason |

`BLOCKSIZE` is the size of the blocks that `source.file` and `source.string` give.
--]]

local string = require "string"
local table  = require "table"

local assert, ipairs, select, type = assert, ipairs, select, type
local sub, concat, remove = string.sub, table.concat, table.remove

local M = { _VERSION = "LTN12 1.0.3", BLOCKSIZE = 2048, filter = {}, source = {}, sink = {}, pump = {} }
local filter, source, sink, pump = M.filter, M.source, M.sink, M.pump

function filter.cycle(low, context, extra)
    assert(low, "no function to cycle")
    return function(chunk)
        local result
        result, context = low(context, chunk, extra)
        return result
    end
end

-- All that a filter says to one chunk, as an array of chunks; the last call of all is that with nil.
local function answers(f, chunk)
    local found = {}
    local polled = chunk and ""
    local result = f(chunk)
    while result ~= nil and result ~= polled do
        if result ~= "" then found[#found + 1] = result end
        result = f(polled)
    end
    return found
end

function filter.chain(...)
    local filters = { ... }
    local ended = false
    return function(chunk)
        if chunk == nil and ended then
            ended = false
            return nil
        end
        local chunks = { chunk }
        for _, f in ipairs(filters) do
            local found = {}
            for _, piece in ipairs(chunks) do
                for _, answer in ipairs(answers(f, piece)) do found[#found + 1] = answer end
            end
            if chunk == nil then
                for _, answer in ipairs(answers(f, nil)) do found[#found + 1] = answer end
            end
            chunks = found
        end
        local result = concat(chunks)
        if chunk ~= nil then return result end
        if result == "" then return nil end
        ended = true -- the next call asks whether there is more
        return result
    end
end

local function nothing()
    return nil
end

function source.empty()
    return nothing
end

function source.error(reason)
    return function() return nil, reason end
end

function source.file(handle, reason)
    if not handle then return source.error(reason or "unable to open file") end
    return function()
        local chunk = handle:read(M.BLOCKSIZE)
        if not chunk then handle:close() end
        return chunk
    end
end

function source.string(text)
    if not text then return source.empty() end
    local at = 1
    return function()
        local chunk = sub(text, at, at + M.BLOCKSIZE - 1)
        at = at + M.BLOCKSIZE
        if chunk ~= "" then return chunk end
    end
end

function source.table(array)
    assert(type(array) == "table", "no array of texts")
    local at = 0
    return function()
        at = at + 1
        return array[at]
    end
end

function source.simplify(s)
    assert(s, "no source")
    return function()
        local chunk, other = s()
        if not chunk then return nil, other end
        s = other or s
        return chunk
    end
end

function source.rewind(s)
    assert(s, "no source")
    local taken_back = {}
    return function(chunk)
        if chunk then
            taken_back[#taken_back + 1] = chunk
            return nil
        end
        if #taken_back > 0 then return remove(taken_back) end
        return s()
    end
end

function source.chain(s, f, ...)
    assert(s and f, "no source or no filter")
    if select("#", ...) > 0 then f = filter.chain(f, ...) end
    local polled -- what the filter is asked with while it still has something to say
    local ended = false
    return function()
        while not ended do
            local chunk
            if polled == nil then
                local reason
                chunk, reason = s()
                if reason and not chunk then return nil, reason end
                if chunk == nil then
                    polled = false -- the end
                elseif chunk ~= "" then
                    polled = ""
                end
            elseif polled == "" then
                chunk = ""
            end
            local result = f(chunk)
            if polled == false then
                ended = result == nil
                return result
            end
            if result ~= nil and result ~= "" then return result end
            polled = nil
        end
        return nil
    end
end

function source.cat(...)
    local sources = { ... }
    local at = 1
    return function()
        while sources[at] do
            local chunk, reason = sources[at]()
            if chunk then return chunk end
            if reason then return nil, reason end
            at = at + 1
        end
        return nil
    end
end

function sink.table(array)
    array = array or {}
    return function(chunk)
        if chunk then array[#array + 1] = chunk end
        return 1
    end, array
end

function sink.simplify(s)
    assert(s, "no sink")
    return function(chunk, reason)
        local ok, other = s(chunk, reason)
        if not ok then return nil, other end
        s = other or s
        return 1
    end
end

function sink.file(handle, reason)
    if not handle then return sink.error(reason or "unable to open file") end
    return function(chunk)
        if chunk then return handle:write(chunk) end
        handle:close()
        return 1
    end
end

local function take()
    return 1
end

function sink.null()
    return take
end

function sink.error(reason)
    return function() return nil, reason end
end

function sink.chain(...)
    local parts = { ... }
    local s = remove(parts)
    assert(s and parts[1], "no sink or no filter")
    local f = #parts == 1 and parts[1] or filter.chain(unpack(parts))
    return function(chunk, reason)
        for _, answer in ipairs(answers(f, chunk)) do
            local ok, why = s(answer, reason)
            if not ok then return nil, why end
        end
        if chunk == nil then
            local ok, why = s(nil, reason)
            if not ok then return nil, why end
        end
        return 1
    end
end

function pump.step(s, to)
    local chunk, failure = s()
    local ok, refusal = to(chunk, failure)
    if chunk and ok then return 1 end
    return nil, failure or refusal
end

function pump.all(s, to, step)
    assert(s and to, "no source or no sink")
    -- The array that a table sink gives as its second result is no step.
    if type(step) ~= "function" then step = pump.step end
    while true do
        local ok, reason = step(s, to)
        if not ok then
            if reason then return nil, reason end
            return 1
        end
    end
end

return M
