-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Anomaly: Heka's tests of circular buffers, configured as one text

For plugins that were written for Heka, and for those who like to name tests in a configuration. New plugins are better
served by the module `detector`, which keeps its own state.

A configuration is any number of tests, one behind the other:

    roc("name", col, win, hwin, sd, loss_of_data, start_of_data)
    mww("name", col, win, nwin, pvalue, decreasing|increasing|any)
    mww_nonparametric("name", col, win, nwin, pstat)

`"name"` is that of the payload (a quote in it is written twice), `col` the column, `win` the rows of a window. The newest row
is left out, because it is not complete.

| test | what is an anomaly |
|---|---|
| roc | the average of the newest window is more than `sd` deviations away from that of the window before; the deviation is that of the `hwin` rows before both, of all of them for 0. `loss_of_data`: nothing in the newest window after something in the one before; `start_of_data`: the other way round |
| mww | the newest window differs, by the test of Mann and Whitney, from more than a quarter of `nwin` windows before with a probability below `pvalue`, in the direction that is named |
| mww_nonparametric | the mean share of pairs in which the newest window has the larger value is above `pstat` (if that is above 0.5) or below it |

## Functions

`parse_config(text)` returns the configuration, nil for nil; it raises `could not parse the anomaly_config`.

`detect(ns, name, cbuf, config)` runs the tests of that name, once for each new row, and first advances the buffer to `ns`. It
returns nil, or a text such as `name - algorithm: roc col: 1 msg: no new data` (several lines for several tests) and an array of
annotations `{x = milliseconds, col =, shortText = "A", text =}`. A window that does not fit into the buffer is an error.

```lua
local anomaly = require "anomaly"
local config  = anomaly.parse_config(read_config("anomaly_config"))

function timer_event(ns)
    local text, annotations = anomaly.detect(ns, "Requests", cb, config)
    if text then
        for _, a in ipairs(annotations) do cb:annotate(ns, a.col, "alert", a.text) end
        alert.send("Requests", text, text)
    end
    inject_payload("cbuf", "Requests", cb)
end
```
--]]

local detector = require "detector"
local l        = require "lpeg"
local math     = require "math"
local stats    = require "lsb.stats"
local string   = require "string"
local table    = require "table"

local abs, max = math.abs, math.max
local format, concat = string.format, table.concat
local mann_whitney_u = detector.mann_whitney_u
local error, ipairs, pairs, tonumber = error, ipairs, pairs, tonumber

local M = {}
setfenv(1, M)

-- The middle of the share of pairs: no difference.
local EVEN = 0.5

local grammar = (function()
    local space, comma = l.S" \t\r\n"^0, l.P"," * l.S" \t\r\n"^0
    local digits = l.R"09"^1
    local function named(name, value) return comma * l.Cg(value, name) end
    local function whole(name) return named(name, digits / tonumber) end
    local function real(name) return named(name, digits * (l.P"." * digits)^-1 / tonumber) end
    local function truth(name) return named(name, l.P"true" * l.Cc(true) + l.P"false" * l.Cc(false)) end
    local function test(algorithm, arguments)
        local title = l.P'"' * l.Cg(l.Cs((l.P'""' / '"' + (1 - l.P'"'))^1), "name") * '"'
        return space * algorithm * "(" * l.Ct(title * arguments * l.Cg(l.Cc(algorithm), "algorithm")) * ")"
    end
    local trend = l.C(l.P"decreasing" + "increasing" + "any")
    local roc = test("roc", whole"col" * whole"win" * whole"hwin" * real"sd" * truth"loss_of_data" * truth"start_of_data")
    local mww = test("mww", whole"col" * whole"win" * whole"nwin" * real"pvalue" * named("trend", trend))
    local nonparametric = test("mww_nonparametric", whole"col" * whole"win" * whole"nwin" * real"pstat")
    return l.Ct((roc + nonparametric + mww)^1) * space * -1
end)()

function parse_config(text)
    if not text then return nil end
    local tests = grammar:match(text) or error("could not parse the anomaly_config", 2)
    local config = {}
    for _, test in ipairs(tests) do
        local of_name = config[test.name] or {}
        of_name[#of_name + 1] = test
        config[test.name] = of_name
    end
    return config
end

-- What the tests look at: values of the column without the newest row, by rows counted back from it.
local function view(cbuf, col)
    local rows, _, seconds = cbuf:get_configuration()
    local row_ns, newest = seconds * 1e9, cbuf:current_time()
    local v = { rows = rows }
    -- The values of `n` rows of which the last is `back` rows before the newest; without those that are unset.
    function v.values(back, n)
        n = back + n - 1 < rows and n or rows - back
        if n < 1 then return {} end
        local set = {}
        for _, value in ipairs(cbuf:get_range(col, newest - (back + n - 1) * row_ns, newest - back * row_ns)) do
            if value == value then set[#set + 1] = value end
        end
        return set
    end
    return v
end

local function check_range(fits, name, test)
    if fits then return end
    error(format("%s - algorithm: %s col: %d msg: arguments out of range", name, test.algorithm, test.col), 0)
end

local tests = {}

function tests.roc(v, test, name)
    local win, hwin = test.win, test.hwin
    check_range(3 * win < v.rows and (hwin == 0 or hwin >= win), name, test)
    local newest, before = v.values(1, win), v.values(win + 1, win)
    local history = v.values(2 * win + 1, hwin == 0 and v.rows or hwin)
    if test.loss_of_data and #before > 0 and #newest == 0 then return "no new data" end
    if test.start_of_data and #before == 0 and #newest > 0 then return "unexpected data" end
    if #newest == 0 or #before == 0 or #history == 0 then return nil end
    local change = abs((stats.avg(newest)) - (stats.avg(before)))
    if change > (stats.sd(history)) * test.sd then
        return format("detected anomaly, standard deviation exceeds %G", test.sd)
    end
end

-- Calls `visit` for each of the earlier windows; as Heka, from the second on and without the last.
local function each_window(v, test, name, visit)
    check_range(test.win * test.nwin < v.rows, name, test)
    local newest = v.values(1, test.win)
    if #newest == 0 then return end
    for i = 1, test.nwin - 2 do
        local earlier = v.values(i * test.win + 1, test.win)
        if #earlier > 0 then visit(newest, earlier) end
    end
end

function tests.mww(v, test, name)
    local count = 0
    each_window(v, test, name, function(newest, earlier)
        local change = (stats.avg(newest)) - (stats.avg(earlier))
        local fits = test.trend == "any" or (test.trend == "increasing" and change > 0)
            or (test.trend == "decreasing" and change < 0)
        local u, p = mann_whitney_u(newest, earlier)
        if fits and u and p < test.pvalue then count = count + 1 end
    end)
    if count > test.nwin / 4 then
        return test.trend == "any" and "detected anomaly" or format("detected anomaly, %s values", test.trend)
    end
end

function tests.mww_nonparametric(v, test, name)
    local sum = 0
    each_window(v, test, name, function(newest, earlier)
        local u = mann_whitney_u(newest, earlier)
        if u then sum = sum + u / (test.win * test.win) - EVEN end
    end)
    local share = sum / max(test.nwin - 1, 1) + EVEN
    if (test.pstat < EVEN and share < test.pstat) or (test.pstat > EVEN and share > test.pstat) then
        return format("detected anomaly, pstat: %G", share)
    end
end

function detect(ns, name, cbuf, config)
    if not cbuf:get(ns, 1) then cbuf:add(ns, 1, 0 / 0) end
    local of_name = config and config[name]
    if not of_name then return nil end
    local _, _, seconds = cbuf:get_configuration()
    if ns - (of_name.last_run or -1 / 0) < seconds * 1e9 then return nil end
    of_name.last_run = ns
    local lines, annotations = {}, {}
    for _, test in ipairs(of_name) do
        local text = tests[test.algorithm](view(cbuf, test.col), test, name)
        if text then
            lines[#lines + 1] = format("%s - algorithm: %s col: %d msg: %s", name, test.algorithm, test.col, text)
            annotations[#annotations + 1] = { x = cbuf:current_time() / 1e6, col = test.col, shortText = "A", text = text }
        end
    end
    if #lines > 0 then return concat(lines, "\n"), annotations end
end

return M
