-- kind: analysis
-- The module anomaly: configurations, and the buffers of Heka's own tests with their answers.
require "circular_buffer"
require "string"
local anomaly = require "anomaly"

local function fails(text, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end

-- Configurations.
assert(anomaly.parse_config(nil) == nil)
local cfg = anomaly.parse_config('roc("a ""b""", 1, 15, 0, 1.5, true, false)mww("c",2,20,10,0.0001,any)\n mww_nonparametric("c", 1, 20, 10, 0.6) ')
assert(#cfg['a "b"'] == 1 and #cfg.c == 2 and cfg.c[1].trend == "any" and cfg.c[2].pstat == 0.6)
assert(cfg['a "b"'][1].loss_of_data == true and cfg['a "b"'][1].start_of_data == false and cfg['a "b"'][1].sd == 1.5)
for _, bad in ipairs { "", "bogus", 'roc("a", 1)', 'roc("a", 1, 15, 0, 1.5, true, maybe)', 'mww("c",2,20,10,0.0001,up)',
    'roc("", 1, 15, 0, 1.5, true, false)', 'roc("a", -1, 15, 0, 1.5, true, false)', 'mww("c",2,20,10,0.0001,any) x' } do
    fails("could not parse the anomaly_config", anomaly.parse_config, bad)
end

local function buffer(rows, from, to, value)
    local cb = circular_buffer.new(rows, 1, 1)
    for x = from, to do cb:set(x * 1e9, 1, value(x)) end
    return cb
end
local function check(text, config, cb, ns, expected)
    local found, annotations = anomaly.detect(ns * 1e9, "Out", cb, anomaly.parse_config(config))
    if expected then expected = "Out - algorithm: " .. expected end
    assert(found == expected, text .. ": " .. tostring(found))
    assert((annotations ~= nil) == (expected ~= nil))
    return annotations
end

local cb = buffer(100, 100, 150, function() return 2 end)
cb:set(171e9, 1, 0/0)
check("loss", 'roc("Out", 1, 15, 0, 1.5, true, false)', cb, 170, "roc col: 1 msg: no new data")
check("no loss wanted", 'roc("Out", 1, 15, 0, 1.5, false, false)', cb, 170, nil)
cb = buffer(100, 170, 170, function() return 2 end)
check("start", 'roc("Out", 1, 15, 0, 1.5, false, true)', cb, 171, "roc col: 1 msg: unexpected data")

cb = buffer(100, 100, 199, function(x)
    return x <= 150 and x - 99 or x <= 184 and x % 4 + 9 or 23
end)
check("long history", 'roc("Out", 1, 15, 0, 1.5, true, false)', cb, 200, nil)
local annotations = check("short history", 'roc("Out", 1, 15, 15, 1.5, true, false)', cb, 200,
    "roc col: 1 msg: detected anomaly, standard deviation exceeds 1.5")
assert(#annotations == 1 and annotations[1].x == 200e3 and annotations[1].col == 1)
assert(annotations[1].shortText == "A" and annotations[1].text == "detected anomaly, standard deviation exceeds 1.5")

local function detect(config, cb, ns) return anomaly.detect(ns, "Out", cb, anomaly.parse_config(config)) end
fails("arguments out of range", detect, 'roc("Out", 1, 15, 0, 1.5, true, false)', circular_buffer.new(45, 1, 1), 44e9)
fails("arguments out of range", detect, 'roc("Out", 1, 10, 5, 1.5, true, false)', circular_buffer.new(45, 1, 1), 44e9)
fails("arguments out of range", detect, 'mww("Out", 1, 20, 10, 0.0001, any)', circular_buffer.new(200, 1, 1), 200e9)
fails("column", detect, 'roc("Out", 2, 5, 0, 1.5, true, false)', circular_buffer.new(45, 1, 1), 44e9)

local falling = function() return buffer(220, 300, 520, function(x) return 1300 - x end) end
local rising = function() return buffer(220, 300, 520, function(x) return 700 + x end) end
check("falling", 'mww("Out", 1, 20, 10, 0.0001, decreasing)', falling(), 521, "mww col: 1 msg: detected anomaly, decreasing values")
check("rising", 'mww("Out", 1, 20, 10, 0.0001, increasing)', rising(), 520, "mww col: 1 msg: detected anomaly, increasing values")
check("any", 'mww("Out", 1, 20, 10, 0.0001, any)', falling(), 521, "mww col: 1 msg: detected anomaly")
check("other way", 'mww("Out", 1, 20, 10, 0.0001, increasing)', falling(), 521, nil)
check("share", 'mww_nonparametric("Out", 1, 20, 10, 0.6)', rising(), 520,
    "mww_nonparametric col: 1 msg: detected anomaly, pstat: 0.944444")
check("share below", 'mww_nonparametric("Out", 1, 20, 10, 0.4)', falling(), 520,
    "mww_nonparametric col: 1 msg: detected anomaly, pstat: 0.0555556")
for _, config in ipairs { 'mww("Out", 1, 20, 10, 0.0001, decreasing)', 'roc("Out", 1, 15, 0, 1.5, true, false)' } do
    check("nothing", config, circular_buffer.new(220, 1, 1), 219, nil)
end

-- Once for each row; other names are not looked at.
cfg = anomaly.parse_config('mww("Out", 1, 20, 10, 0.0001, any)')
cb = rising()
assert(anomaly.detect(521e9, "Out", cb, cfg) and not anomaly.detect(521.5e9, "Out", cb, cfg))
assert(anomaly.detect(522e9, "Out", cb, cfg) and not anomaly.detect(523e9, "Other", cb, cfg))
