-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Escape sequences: reading and writing of C, JSON, HTML and URL escapes

## Grammars

Each matches one escape sequence and captures what it stands for.

| grammar | sequences |
|---|---|
| `c` | `\a \b \e \f \n \r \t \v \\ \' \" \?`, `\uXXXX`, `\UXXXXXXXX`, `\xX`, `\xXX`, `\0` to `\377` |
| `json` | `\b \f \n \r \t \/ \\ \"`, `\uXXXX`; two of them that are a surrogate pair are one character |
| `percent` | `%XX` |
| `url` | `%XX`, and `+` for a space |

## Functions

| function | result |
|---|---|
| `hex_to_utf8("20AC")` | the character in UTF-8; U+FFFD if there is no such character |
| `hex_to_char("28")` | the byte |
| `octal_to_char("50")` | the byte |
| `escape_html(s)` | control characters and those that mean something in HTML as entities |
| `escape_json(s)` | the inside of a JSON string |
| `escape_url(s)` | all but letters, digits and `-_.~` as `%xx` |

The `escape_` functions take any value and use its text.
--]]

local l      = require "lpeg"
local math   = require "math"
local string = require "string"

local char, format, gsub, sub = string.char, string.format, string.gsub, string.sub
local floor = math.floor
local P, R, S = l.P, l.R, l.S
local pairs, rawset, setmetatable, tonumber, tostring = pairs, rawset, setmetatable, tonumber, tostring

local M = {}
setfenv(1, M)

local REPLACEMENT = "\239\191\189" -- U+FFFD
-- How many characters the memory of \uXXXX holds before it starts anew.
local REMEMBERED_MAX = 1024

-- The UTF-8 of a code point.
local function utf8(code)
    if code < 0x80 then return char(code) end
    if code < 0x800 then return char(0xC0 + floor(code / 0x40), 0x80 + code % 0x40) end
    if code >= 0xD800 and code < 0xE000 or code > 0x10FFFF then return REPLACEMENT end
    local last, middle = 0x80 + code % 0x40, 0x80 + floor(code / 0x40) % 0x40
    if code < 0x10000 then return char(0xE0 + floor(code / 0x1000), middle, last) end
    return char(0xF0 + floor(code / 0x40000), 0x80 + floor(code / 0x1000) % 0x40, middle, last)
end

function hex_to_utf8(s)
    return utf8(tonumber(s, 16))
end

function hex_to_char(s)
    return char(tonumber(s, 16))
end

function octal_to_char(s)
    return char(tonumber(s, 8))
end

-- A table that computes the values of its keys once.
local function remembering(compute)
    local count = 0
    return setmetatable({}, { __index = function(memory, key)
        if count >= REMEMBERED_MAX then
            for k in pairs(memory) do memory[k] = nil end
            count = 0
        end
        count = count + 1
        local value = compute(key)
        rawset(memory, key, value)
        return value
    end })
end

-- The captures take a whole sequence, so that they replace all of it inside a substitution capture.
local function surrogates(s)
    local high, low = tonumber(sub(s, 3, 6), 16), tonumber(sub(s, 9, 12), 16)
    return utf8(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)
end

local function behind(prefix, convert)
    return remembering(function(s) return convert(sub(s, prefix + 1)) end)
end

local function escapes(letters)
    local set, meaning = "", {}
    for letter, means in pairs(letters) do
        set = set .. letter
        meaning["\\" .. letter] = means
    end
    return P"\\" * S(set) / meaning
end

local octal, xdigit = R"07", R("09", "af", "AF")
local hex2 = xdigit * xdigit
local hex4 = hex2 * hex2
local unicode4 = P"\\u" * hex4 / behind(2, hex_to_utf8)

c = escapes{ a = "\a", b = "\b", e = "\27", f = "\f", n = "\n", r = "\r", t = "\t", v = "\v",
             ["\\"] = "\\", ["'"] = "'", ['"'] = '"', ["?"] = "?" }
  + unicode4
  + P"\\U" * hex4 * hex4 / behind(2, hex_to_utf8)
  + P"\\x" * xdigit * xdigit^-1 / behind(2, hex_to_char)
  + P"\\" * (R"03" * octal * octal + octal * octal^-1) / behind(1, octal_to_char)

local pair = P"\\u" * S"Dd" * S"89ABab" * hex2 * "\\u" * S"Dd" * R("CF", "cf") * hex2

json = escapes{ b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ["/"] = "/", ["\\"] = "\\", ['"'] = '"' }
     + pair / remembering(surrogates)
     + unicode4

percent = P"%" * hex2 / behind(1, hex_to_char)
url     = P"+" / " " + percent

-- What the control characters are written as, beside those that have a name of their own.
local function with_controls(names, pattern)
    local all = {}
    for i = 0, 31 do all[char(i)] = format(pattern, i) end
    for k, v in pairs(names) do all[k] = v end
    return all
end

local JSON = with_controls({ ["\\"] = "\\\\", ['"'] = '\\"', ["/"] = "\\/", ["\b"] = "\\b", ["\t"] = "\\t",
                             ["\n"] = "\\n", ["\f"] = "\\f", ["\r"] = "\\r" }, "\\u%04X")

local HTML = with_controls({
    ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&apos;", ["`"] = "&grave;",
    ["!"] = "&excl;", ["@"] = "&copy;", ["$"] = "&dollar;", ["%"] = "&percnt;", ["("] = "&lpar;", [")"] = "&rpar;",
    ["="] = "&equals;", ["+"] = "&plus;", ["{"] = "&lcub;", ["}"] = "&rcub;", ["["] = "&lsqb;", ["]"] = "&rsqb;",
}, "&#%d;")

local function escaped(s, pattern, by)
    local text = gsub(tostring(s), pattern, by)
    return text
end

function escape_json(s)
    return escaped(s, '[%z\1-\31\\"/]', JSON)
end

function escape_html(s)
    return escaped(s, "[%z\1-\31&<>\"'`!@$%%()=+{}[%]]", HTML)
end

local percent_of = remembering(function(byte_text) return format("%%%02x", string.byte(byte_text)) end)

function escape_url(s)
    return escaped(s, "[^-_.~a-zA-Z0-9]", function(byte_text) return percent_of[byte_text] end)
end

return M
