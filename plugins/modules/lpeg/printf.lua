-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# printf: grammars from the format strings that wrote the messages

A message specification is an array: a format string of C's printf, then a name for each of its arguments.

```lua
printf_messages = {
    { "%s:%lu: invalid line", "path", "linenum" },
    { "%s from %s", "@{:action: 'Accept' / 'Deny' :}", "host" }, -- begins with @: an expression of the module re
    "lpeg.openssh_portable",                                     -- a module that exports `printf_messages`
}
```

An argument may also be an LPeg pattern. A width of `*` has a name of its own, which is not used.

| conversion | captured under the name |
|---|---|
| `%d %i %u %o %x %X %f %F %e %E %g %G %a %A` | a number |
| `%s` | the text up to the literal that follows; up to a space if another conversion follows; at the end all, without the spaces around |
| `%.Ns` | as `%s`, of at most N bytes (not checked if N is above 32); another conversion follows: N bytes, or up to a space |
| `%c`, `%p` | the text |
| `%n` | nothing is read |

Padding to a width is skipped. Escape sequences of C in the format stand for their characters, `%%` for a percent sign.
White space at the end of a message is skipped.

## Functions

`build_grammar(specification)` makes a grammar for a whole message; its capture is a table. Errors, without a place:
`printf format must be a string`, `could not parse the printf format string: FORMAT`,
`fmt: 'FORMAT' arg: N error: 'invalid type'` (or what `re` says).

`load_messages(specifications [, grammars, size, module])` makes the grammars of an array of specifications and
names of modules, and returns an array of `{ grammar, weight }`, in that order; given `grammars` are added to. The
weight is the length of the specification. Errors begin with `module: NAME item: N error: `; the array given itself is
`<root>`. Modules may name modules, at most 16 deep.

`match_sample(grammars, message)` returns the grammar of the greatest weight that matches, the first of several, or nil.
--]]

local l      = require "lpeg"
local string = require "string"
local es     = require "lpeg.escape_sequences"

local find, format, gmatch, match, sub = string.find, string.format, string.gmatch, string.match, string.sub
local P, R, S, C, Cc, Cg, Cs, Ct = l.P, l.R, l.S, l.C, l.Cc, l.Cg, l.Cs, l.Ct
local error, ipairs, pcall, require, tonumber, type = error, ipairs, pcall, require, tonumber, type

local M = {}
setfenv(1, M)

-- The greatest precision of a string that is checked: each byte of it makes a grammar longer.
local PRECISION_CHECKED = 32
-- The greatest width that counts bytes; a greater one skips spaces.
local WIDTH_MAX = 1024
local NESTED_MAX = 16

local digit, xdigit = R"09", R("09", "af", "AF")
local sp, white = P" ", S" \t\r\n\v\f"
local sign = S"+-"^-1

local specification = (function()
    local flags     = Cg(S"-+ #0"^0, "flags")
    local width     = Cg(digit^1 + "*", "width")
    local precision = P"." * Cg(digit^0 + "*", "precision")
    local length    = P"hh" + "h" + "ll" + "l" + S"jztL"
    local specifier = Cg(S"diuoxXfFeEgGaAcspn", "specifier")
    local conversion = Ct(P"%" * flags * width^-1 * precision^-1 * length^-1 * specifier)
    local literal = Cs((1 - S"%\\" + es.c + P"%%" / "%%")^1)
    return Ct((literal + conversion)^0) * -1
end)()

-- How each conversion looks, and what makes its value of the text.
local function based(base)
    return function(text) return tonumber(text, base) end
end

local special = S"nN" * S"aA" * S"nN" + S"iI" * S"nN" * S"fF" * (S"iI" * S"nN" * S"iI" * S"tT" * S"yY")^-1
local float   = sign * (digit^1 * (P"." * digit^0)^-1 * (S"eE" * sign * digit^1)^-1 + special)
local hfloat  = sign * (P"0" * S"xX" * xdigit^1 * (P"." * xdigit^0)^-1 * (S"pP" * sign * digit^1)^-1 + special)
local hex     = (P"0" * S"xX")^-1 * (xdigit^1 / based(16))

local NUMBERS = {
    d = sign * digit^1 / tonumber,
    u = digit^1 / tonumber,
    o = R"07"^1 / based(8),
    x = hex,
    f = float / tonumber,
    a = hfloat / tonumber,
}
for alias, of in gmatch("i=d X=x F=f e=f E=f g=f G=f A=a ", "(.)=(.) ") do NUMBERS[alias] = NUMBERS[of] end

-- As above, of a text with spaces behind it.
local CONVERT = {
    o = function(text) return tonumber(match(text, "%d+"), 8) end,
    x = function(text) return tonumber(match(text, "^0?[xX]?(%x+)"), 16) end,
}
CONVERT.X = CONVERT.x

local number_byte = R("09", "af", "AF") + S"+-.xXpP"

local trimmed = sp^0 * C((sp^0 * (1 - sp)^1)^0) * sp^0

local function trim(text)
    return trimmed:match(text)
end

-- A value that is padded on the right to `width`: what is shorter is cut out together with its padding, and a text may
-- have read it.
local function pad_right(value, byte, width, convert)
    local count = tonumber(width)
    if not count or count > WIDTH_MAX then return value * sp^0 end
    if convert == trim then value = value / trim end
    return #byte^count * value + #value * (P(count) / convert) + value * sp^0 * -1
end

local function padded(conversion, value, byte, convert)
    if find(conversion.flags, " ", 1, true) then value = sp^-1 * value end
    if not conversion.width then return value end
    if find(conversion.flags, "-", 1, true) then return pad_right(value, byte, conversion.width, convert) end
    return sp^0 * value
end

-- A string with a precision and a width holds its padding.
local function in_width(conversion, precision)
    local width = tonumber(conversion.width)
    local widest = width > precision and width <= WIDTH_MAX and width or precision
    return P(1)^-widest / trim
end

local function text_pattern(conversion, stop, is_last)
    local precision = tonumber(conversion.precision)
    if precision and precision > PRECISION_CHECKED then precision = nil end
    if precision and tonumber(conversion.width) then return in_width(conversion, precision) end
    if not precision and is_last then return trimmed end
    local byte = is_last and P(1) or 1 - (stop or sp)
    local value = C(precision and byte^-precision or byte^0)
    return padded(conversion, value, byte, trim)
end

local function conversion_pattern(conversion, stop, is_last)
    local specifier = conversion.specifier
    if specifier == "s" then return text_pattern(conversion, stop, is_last) end
    if specifier == "c" then return padded(conversion, C(P(1)), P(1), trim) end
    if specifier == "p" then return padded(conversion, C(P"0x" * xdigit^1 + "(nil)"), xdigit + S"x(nil)", trim) end
    local value = NUMBERS[specifier]
    -- Zero with a precision of zero is no digit at all.
    if match(conversion.precision or "1", "^0*$") then value = value + Cc(nil) end
    return padded(conversion, value, number_byte, CONVERT[specifier] or tonumber)
end

-- What an argument captures: its own pattern, that of an expression, or that of the conversion under its name.
local function argument_pattern(argument, conversion, stop, is_last)
    if l.type(argument) == "pattern" then return argument end
    if type(argument) ~= "string" then return nil, "invalid type" end
    if sub(argument, 1, 1) == "@" and #argument > 1 then
        -- Loaded where it is needed: most specifications have no expressions.
        local ok, compiled = pcall(require "re".compile, sub(argument, 2))
        if not ok then return nil, compiled end
        return compiled
    end
    if conversion.specifier == "n" then return P(true) end
    return Cg(conversion_pattern(conversion, stop, is_last), argument)
end

-- The last literal is the end of the message: it may occur before.
local function literal_pattern(parts, i)
    local literal = parts[i]
    if type(literal) ~= "string" then return nil end
    if i == #parts then return P(literal) * white^0 * -1 end
    return P(literal)
end

function build_grammar(fmt_table)
    local fmt = fmt_table[1]
    if type(fmt) ~= "string" then error("printf format must be a string", 0) end
    local parts = fmt ~= "" and specification:match(fmt)
    if not parts then error("could not parse the printf format string: " .. fmt, 0) end
    local pattern, argument = P(true), 1
    for i, part in ipairs(parts) do
        local piece = literal_pattern(parts, i)
        if not piece then
            argument = argument + (part.width == "*" and 2 or 1)
            local err
            piece, err = argument_pattern(fmt_table[argument], part, literal_pattern(parts, i + 1), i == #parts)
            if not piece then error(format("fmt: '%s' arg: %d error: '%s'", fmt, argument - 1, err), 0) end
        end
        pattern = pattern * piece
    end
    return Ct(pattern * white^0 * -1)
end

local function load(messages, grammars, module, depth)
    if depth > NESTED_MAX then error(format("module: %s is nested too deeply", module), 0) end
    for i, message in ipairs(messages) do
        if type(message) == "table" then
            local ok, grammar = pcall(build_grammar, message)
            if not ok then error(format("module: %s item: %d error: %s", module, i, grammar), 0) end
            grammars[#grammars + 1] = { grammar, #message }
        else
            local nested = require(message).printf_messages
            if type(nested) ~= "table" then
                error(format("module: %s does not contain a 'printf_messages' array", message), 0)
            end
            load(nested, grammars, message, depth + 1)
        end
    end
    return grammars
end

function load_messages(messages, grammars, size, module)
    return load(messages, grammars or {}, module or "<root>", 1)
end

function match_sample(grammars, sample)
    local best, weight = nil, 0
    for _, grammar in ipairs(grammars) do
        if grammar[2] > weight and grammar[1]:match(sample) then
            best, weight = grammar[1], grammar[2]
        end
    end
    return best
end

return M
