-- attack: preserved state | analysis | harmless
-- Global structures under odd names and in cycles, with values that are no numbers: all must come back.
local string = require "string"
require "circular_buffer" require "hyperloglog" require "bloom_filter" require "cuckoo_filter" require "sax"
local first = kept == nil
kept = kept or {}
if first then
    kept["\"] = 1 --"] = circular_buffer.new(3, 2, 1)
    kept["\"] = 1 --"]:set(0, 1, 0/0) kept["\"] = 1 --"]:set(0, 2, -1/0)
    kept["\"] = 1 --"]:annotate(0, 1, "alert", "\\\" ) os.exit() --")
    kept[0.5], kept[-1], kept[true] = hyperloglog.new(), bloom_filter.new(3, 0.999), cuckoo_filter.new(5)
    kept.again, kept.cycle = kept[0.5], kept
    kept.window = sax.window.new(4, 2, 4)
    kept.window:add({0/0, 1e308, -1e308, 5e-324})
    kept[0.5]:add("x") kept[-1]:add("\0\"\\\n") kept[true]:add("x")
end
function process_message()
    assert(kept.cycle == kept and kept.again == kept[0.5], "HOLE: a reference was lost")
    assert(kept[0.5]:count() == 1 and kept[-1]:query("\0\"\\\n") and kept[true]:query("x"), "HOLE: a structure was lost")
    assert(kept["\"] = 1 --"]:get(0, 2) == -1/0 and #tostring(kept.window) == 2, "HOLE: values were lost")
    return 0
end
function timer_event() end
