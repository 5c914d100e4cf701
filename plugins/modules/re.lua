-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Re: patterns of lpeg written as text

    local re = require "re"
    assert(re.find("the number 423 is odd", "[0-9]+") == 12)
    local pair = re.compile("{| {:key: %a+ :} '=' {:value: [^,]* :} |}")
    assert(pair:match("size=12,").value == "12")

The syntax is that of the module `re` of LPeg 1.0. `p` is a pattern, `name` an identifier:

| syntax | meaning |
|---|---|
| `'text'`, `"text"` | just this text |
| `.` | any byte |
| `[a-z_]`, `[^...]` | a byte of the class, or one that is not; classes may hold `%name` |
| `%name` | the pattern `defs.name`, or one of those below |
| `name`, `<name>` | a rule of the grammar |
| `p1 p2`, `p1 / p2` | one after the other; the first that matches |
| `&p`, `!p` | looks ahead without taking anything |
| `p?`, `p*`, `p+` | once or not; any number; one at least |
| `p^3`, `p^+3`, `p^-3` | three times; at least; at most |
| `(p)` | grouping |
| `{p}`, `{}` | captures the match, or the position |
| `{:p:}`, `{:name: p :}` | group capture, without and with a name |
| `{~ p ~}`, `{\| p \|}` | substitution capture, table capture |
| `=name` | what the group of that name captured, once more |
| `p -> 'text'`, `p -> 1`, `p -> {}`, `p -> name` | `p / 'text'`, `p / 1`, `lpeg.Ct(p)`, `p / defs.name` |
| `p => name`, `p ~> name` | `lpeg.Cmt(p, defs.name)`, `lpeg.Cf(p, defs.name)` |
| `name <- p ...` | a grammar; the first rule is the initial one |
| `-- text` | a comment up to the end of the line |

Predefined are `%nl` (newline), the classes of `lpeg.locale` by their names, and by letters `%a` (alpha) `%c` (cntrl)
`%d` (digit) `%g` (graph) `%l` (lower) `%p` (punct) `%s` (space) `%u` (upper) `%w` (alnum) `%x` (xdigit); a capital
letter is the complement.

## Functions

### compile

Makes a pattern of a text; a pattern is returned as it is.

*Arguments*
- text (string or pattern)
- defs (table, optional) - what `%name`, `-> name`, `=> name` and `~> name` stand for

*Return*
- pattern, or an error is thrown: `pattern error near '...'`, `undefined name: ...`, `name '...' undefined`,
  `rule '...' used outside a grammar`, `'...' already defined as a rule`

### match

`re.match(subject, text, init)` compiles and matches; what it returns is what `lpeg.match` returns. Compiled texts are kept
until they are collected.

### find

`re.find(subject, text, init)` searches.

*Return*
- first, last (numbers) - where the first match begins and ends; nil if there is none

### gsub

`re.gsub(subject, text, replacement)` replaces every match. The replacement is a string, table or function as in
`p / replacement`.

*Return*
- string

### updatelocale

Makes the predefined classes anew and forgets the compiled texts.
--]]

local l = require "lpeg"
require "string" -- gives strings their methods

local error, ipairs, setmetatable, tonumber, type = error, ipairs, setmetatable, tonumber, type

local globals = _G
local M = {}
setfenv(1, M)

-- Bytes of the text that an error shows.
local SHOWN = 20

local LETTERS = {
    a = "alpha", c = "cntrl", d = "digit", g = "graph", l = "lower",
    p = "punct", s = "space", u = "upper", w = "alnum", x = "xdigit",
}

local predefined
local matchers, finders, replacers

function updatelocale()
    predefined = l.locale { nl = l.P "\n" }
    for letter, class in globals.pairs(LETTERS) do
        predefined[letter] = predefined[class]
        predefined[letter:upper()] = 1 - predefined[class]
    end
    local weak = { __mode = "v" }
    matchers, finders, replacers = setmetatable({}, weak), setmetatable({}, weak), setmetatable({}, weak)
end

updatelocale()

local function fail(text, at)
    local rest = text:sub(at, at + SHOWN)
    if #text >= at + SHOWN then rest = rest .. "..." end
    error("pattern error near '" .. rest .. "'", 0)
end

--[[ From a text to a tree: each node is a table with its kind, which is a key of `build`, at 1. ]]

local function node(kind, patt)
    return l.Ct(l.Cc(kind) * patt)
end

local blank    = predefined.space
local S        = (blank + "--" * (1 - l.P "\n") ^ 0) ^ 0
local letter   = l.R("az", "AZ") + "_"
local bare     = letter * (letter + l.R "09") ^ 0
local name     = l.C(bare)
local arrow    = S * "<-"
local digits   = l.R "09" ^ 1
local number   = digits / tonumber
local quoted   = "'" * l.C((1 - l.P "'") ^ 0) * "'" + '"' * l.C((1 - l.P '"') ^ 0) * '"'
local defined  = node("defined", "%" * name)
local range    = node("range", l.C(1 * l.P "-" * (1 - l.P "]")))
local one      = node("text", l.C(1))
local item     = defined + range + one
local class    = node("class", "[" * l.C(l.P "^" ^ -1) * item * (item - "]") ^ 0 * "]")
-- What may stand behind a sequence; anything else is an error.
local behind   = l.P "/" + ")" + "}" + ":}" + "~}" + "|}" + bare * arrow + -1

local suffix = node("at_least", "+" * l.Cc(1))
    + node("at_least", "*" * l.Cc(0))
    + node("at_least", "?" * l.Cc(-1))
    + node("times", "^" * number)
    + node("at_least", "^" * (l.S "+-" * digits / tonumber))
    + node("value", "->" * S * (quoted + number))
    + node("table", "->" * S * "{}")
    + node("value_of", "->" * S * name)
    + node("runtime", "=>" * S * name)
    + node("fold", "~>" * S * name)

local function ends(patt)
    return l.V "exp" * patt
end

local syntax = l.P {
    "all",
    all = l.V "exp" * (-l.P(1) + l.P(fail)),
    exp = S * (l.V "grammar" + node("choice", l.V "sequence" * ("/" * S * l.V "sequence") ^ 0)),
    sequence = node("sequence", l.V "prefix" ^ 0) * (#behind + l.P(fail)),
    prefix = node("and", "&" * S * l.V "prefix") + node("not", "!" * S * l.V "prefix") + l.V "suffixed",
    suffixed = node("suffixed", l.V "primary" * S * (suffix * S) ^ 0),
    primary = "(" * ends ")"
        + node("text", quoted)
        + class
        + defined
        + node("group", "{:" * (name * ":" + l.Cc(false)) * ends ":}")
        + node("same", "=" * name)
        + node("position", "{}")
        + node("substitution", "{~" * ends "~}")
        + node("fields", "{|" * ends "|}")
        + node("capture", "{" * ends "}")
        + node("any", ".")
        + node("rule", name * -arrow + "<" * name * ">"),
    grammar = node("grammar", (node("definition", name * arrow * l.V "exp")) ^ 1),
}

--[[ From a tree to a pattern. ]]

local build = {}

local function make(tree, scope)
    return build[tree[1]](tree, scope)
end

local function definition_of(id, scope)
    local value = scope.defs and scope.defs[id]
    if not value then error("undefined name: " .. id, 0) end
    return value
end

function build.text(tree) return l.P(tree[2]) end

function build.range(tree) return l.R(tree[2]:sub(1, 1) .. tree[2]:sub(3, 3)) end

function build.any() return l.P(1) end

function build.position() return l.Cp() end

function build.defined(tree, scope)
    local id = tree[2]
    local value = scope.defs and scope.defs[id] or predefined[id]
    if not value then error("name '" .. id .. "' undefined", 0) end
    return l.P(value)
end

function build.class(tree, scope)
    local set = make(tree[3], scope)
    for i = 4, #tree do set = set + make(tree[i], scope) end
    if tree[2] == "^" then return 1 - set end
    return set
end

function build.choice(tree, scope)
    local patt = make(tree[2], scope)
    for i = 3, #tree do patt = patt + make(tree[i], scope) end
    return patt
end

function build.sequence(tree, scope)
    local patt = l.P(true)
    for i = 2, #tree do patt = patt * make(tree[i], scope) end
    return patt
end

build["and"] = function(tree, scope) return #make(tree[2], scope) end

build["not"] = function(tree, scope) return -make(tree[2], scope) end

function build.suffixed(tree, scope)
    local patt = make(tree[2], scope)
    for i = 3, #tree do
        local step = tree[i]
        patt = build[step[1]](step, scope, patt)
    end
    return patt
end

function build.at_least(step, _, patt) return patt ^ step[2] end

-- By doubling, so that large numbers take few steps.
function build.times(step, _, patt)
    local all, n = l.P(true), step[2]
    while n > 0 do
        if n % 2 == 1 then all = all * patt end
        n = (n - n % 2) / 2
        if n > 0 then patt = patt * patt end
    end
    return all
end

function build.value(step, _, patt) return patt / step[2] end

function build.table(_, _, patt) return l.Ct(patt) end

function build.value_of(step, scope, patt) return patt / definition_of(step[2], scope) end

function build.runtime(step, scope, patt) return l.Cmt(patt, definition_of(step[2], scope)) end

function build.fold(step, scope, patt) return l.Cf(patt, definition_of(step[2], scope)) end

function build.group(tree, scope)
    if not tree[2] then return l.Cg(make(tree[3], scope)) end
    return l.Cg(make(tree[3], scope), tree[2])
end

local function same_text(subject, at, captured)
    if type(captured) ~= "string" then return nil end
    local after = at + #captured
    if subject:sub(at, after - 1) == captured then return after end
    return nil
end

function build.same(tree) return l.Cmt(l.Cb(tree[2]), same_text) end

function build.substitution(tree, scope) return l.Cs(make(tree[2], scope)) end

function build.fields(tree, scope) return l.Ct(make(tree[2], scope)) end

function build.capture(tree, scope) return l.C(make(tree[2], scope)) end

function build.rule(tree, scope)
    if not scope.in_grammar then error("rule '" .. tree[2] .. "' used outside a grammar", 0) end
    return l.V(tree[2])
end

function build.grammar(tree, scope)
    local within = { defs = scope.defs, in_grammar = true }
    local rules = { tree[2][2] }
    for i = 2, #tree do
        local id, body = tree[i][2], tree[i][3]
        if rules[id] then error("'" .. id .. "' already defined as a rule", 0) end
        rules[id] = make(body, within)
    end
    return l.P(rules)
end

function compile(text, defs)
    if l.type(text) == "pattern" then return text end
    return make(syntax:match(text), { defs = defs })
end

function match(subject, text, init)
    local patt = matchers[text]
    if not patt then
        patt = compile(text)
        matchers[text] = patt
    end
    return patt:match(subject, init or 1)
end

function find(subject, text, init)
    local patt = finders[text]
    if not patt then
        patt = l.P { l.Cp() * (compile(text) / 0) * l.Cp() + 1 * l.V(1) }
        finders[text] = patt
    end
    local first, after = patt:match(subject, init or 1)
    return first, first and after - 1
end

function gsub(subject, text, replacement)
    -- Held here while it is used: the table of tables is weak.
    local by_replacement = replacers[text] or {}
    replacers[text] = by_replacement
    local patt = by_replacement[replacement]
    if not patt then
        patt = l.Cs((compile(text) / replacement + 1) ^ 0)
        by_replacement[replacement] = patt
    end
    return patt:match(subject)
end

globals.re = globals.re or M

return M
