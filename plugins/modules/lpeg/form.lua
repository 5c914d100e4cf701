-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Form: grammars from samples of messages

The messages of a program are best shown as they look. A form is the text of a message with holes in braces:

```lua
form = "DHCPREQUEST for {dhcp_client_addr:ip4}{? ({dhcp_server_addr})} from {dhcp_client_hw_addr:word} via {*}"
```

| hole | reads | captures under its name |
|---|---|---|
| `{name}` | up to the text that follows, or all that is left (then at least one byte) | the text |
| `{name:type}` | what the type says | the type's value, or the text |
| `{name=one\|two}` | one of these texts | the text |
| `{name:=value}` | nothing | the value; `true` is the boolean |
| `{:type}`, `{=one\|two}` | as above | nothing of its own; the named captures of the type |
| `{?...}` | the form inside, if it is there | what is inside |
| `{*}` | up to the text that follows, or all that is left | nothing |

| type | reads | value |
|---|---|---|
| `int` | an integer | a number |
| `float` | digits, perhaps with a fraction | a number |
| `ip`, `ip4`, `ip6` | an address | a field with its representation: see `lpeg.ip_address` |
| `word` | all up to a space, perhaps nothing | the text |
| `spaces` | spaces, at least one | the text |

## Functions

`build(form [, types])` is a pattern with named captures, not bound to the end of the text. `types` adds patterns to
the table above. Errors: `form: unknown type 'x'`, `form: no text between two open holes`, `form: cannot be parsed`.

`any(forms [, types])` takes an array of forms and tries them in their order; each must reach the end of the text.

`grammar(forms [, types])` makes one whose capture is a table.
--]]

local l  = require "lpeg"
local ip = require "lpeg.ip_address"

local P, R, S, C, Cc, Cg, Ct, V = l.P, l.R, l.S, l.C, l.Cc, l.Cg, l.Ct, l.V
local error, ipairs, tonumber = error, ipairs, tonumber

local M = {}
setfenv(1, M)

local digits = R"09"^1

local TYPES = {
    int    = P"-"^-1 * digits / tonumber,
    float  = P"-"^-1 * digits * ("." * digits)^-1 / tonumber,
    ip     = ip.v4_field + ip.v6_field,
    ip4    = ip.v4_field,
    ip6    = ip.v6_field,
    word   = (1 - P" ")^0,
    spaces = P" "^1,
}

local function node(kind)
    return function(a, b) return { kind = kind, a = a, b = b } end
end

local name  = R("az", "AZ", "09", "__")^0
local texts = Ct(C((1 - S"|}")^1) * ("|" * C((1 - S"|}")^1))^0)

local parser = P{
    "all",
    all      = V"form" * -1,
    form     = Ct((V"optional" + V"skip" + V"constant" + V"one_of" + V"typed" + V"open" + V"text")^0),
    text     = C((1 - S"{}")^1) / node"text",
    optional = P"{?" * V"form" * "}" / node"optional",
    skip     = P"{*}" * Cc"" / node"open",
    constant = P"{" * C(name) * ":=" * C((1 - P"}")^1) * "}" / node"constant",
    one_of   = P"{" * C(name) * "=" * texts * "}" / node"one_of",
    typed    = P"{" * C(name) * ":" * C(name) * "}" / node"typed",
    open     = P"{" * C(name) * "}" / node"open",
}

local function named(pattern, as)
    return as == "" and pattern or Cg(pattern, as)
end

-- All bytes before `text`: runs of bytes that cannot begin it are taken at once.
local function before_text(text)
    local first = P(text:sub(1, 1))
    if #text == 1 then return (1 - first)^0 end
    return ((1 - first)^1 + (first - P(text)))^0
end

local make = {}

-- `stop` is what follows: a text, a pattern, or nil at the end.
function make.open(hole, stop)
    if stop == false then error("form: no text between two open holes", 0) end
    if not stop then return named(P(1)^(hole.a == "" and 0 or 1), hole.a), false end
    local read = l.type(stop) and (1 - stop)^0 or before_text(stop)
    return named(read, hole.a), false
end

function make.text(hole)
    return P(hole.a), hole.a
end

function make.typed(hole, _, types)
    local pattern = types and types[hole.b] or TYPES[hole.b]
    if not pattern then error("form: unknown type '" .. hole.b .. "'", 0) end
    return named(pattern, hole.a), P(pattern)
end

function make.one_of(hole)
    local choice = P(false)
    for _, text in ipairs(hole.b) do choice = choice + text end
    return named(choice, hole.a), choice
end

function make.constant(hole, stop)
    local value = hole.b
    if value == "true" then value = true end
    return Cg(Cc(value), hole.a), stop
end

local function compile(nodes, stop, types)
    local pattern = P(true)
    for i = #nodes, 1, -1 do
        local part
        part, stop = make[nodes[i].kind](nodes[i], stop, types)
        pattern = part * pattern
    end
    return pattern, stop
end

function make.optional(hole, stop, types)
    local pattern, first = compile(hole.a, stop, types)
    if not first then error("form: an optional part must begin with a text", 0) end
    return pattern^-1, P(first) + (stop or -1)
end

function build(form, types)
    local nodes = parser:match(form)
    if not nodes then error("form: cannot be parsed: " .. form, 0) end
    local pattern = compile(nodes, nil, types)
    return pattern
end

function any(forms, types)
    local choice = P(false)
    for _, form in ipairs(forms) do choice = choice + build(form, types) * -1 end
    return choice
end

function grammar(forms, types)
    return Ct(any(forms, types))
end

return M
