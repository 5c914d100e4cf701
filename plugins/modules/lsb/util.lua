-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Table helpers: shorten an array, iterate in the order of the keys, add up two tables

## Functions

`behead_array(index, array)` removes the elements before `index`, in place: the element at `index` becomes the first.
An `index` behind the end empties the array, one below 2 changes nothing.

`pairs_by_key(hash [, before])` iterates over keys and values like `pairs`, in the order of the keys; `before` is a
comparison as `table.sort` takes it. The keys are those of the moment of the call.

`merge_objects(dest, src)` adds `src` to `dest` and returns the result:

| both are | result |
|---|---|
| numbers | their sum |
| strings, or booleans | that of `src` |
| tables | `dest`, changed, each key of `src` merged into it |
| of two types, or of another one | that of `dest` |

What one side lacks is taken from the other one, tables themselves and not copies of them. Tables nested deeper than
1000 levels are an error.
--]]

local table = require "table"

local sort = table.sort
local error, next, pairs, type = error, next, pairs, type

-- Far deeper than any record; what has no end ends here.
local DEPTH_MAX = 1000

local M = {}
setfenv(1, M)

function behead_array(index, array)
    if index <= 1 then return end
    local n = #array
    local kept = 0
    for i = index, n do
        kept = kept + 1
        array[kept] = array[i]
    end
    for i = n, kept + 1, -1 do array[i] = nil end
end

function pairs_by_key(hash, before)
    local keys, n = {}, 0
    for key in next, hash do
        n = n + 1
        keys[n] = key
    end
    sort(keys, before)
    local i = 0
    return function()
        i = i + 1
        local key = keys[i]
        if key ~= nil then return key, hash[key] end
    end
end

local function merge(dest, src, depth)
    if dest == nil then return src end
    local kind = type(dest)
    if src == nil or kind ~= type(src) then return dest end
    if kind == "number" then return dest + src end
    if kind == "string" or kind == "boolean" then return src end
    if kind ~= "table" then return dest end
    if depth > DEPTH_MAX then error("merge_objects() tables are nested too deeply", 0) end
    for key, value in pairs(src) do
        dest[key] = merge(dest[key], value, depth + 1)
    end
    return dest
end

function merge_objects(dest, src)
    return merge(dest, src, 1)
end

return M
