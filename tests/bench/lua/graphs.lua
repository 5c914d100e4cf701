-- Analysis: `graphs` circular buffers of a day in minutes with three columns; each is renewed and shown every tick.
require "circular_buffer"
require "string"

local ROWS, COLUMNS, SECONDS_PER_ROW = 1440, 3, 60
local ROW_NS = SECONDS_PER_ROW * 1e9
local graphs = {}
for i = 1, read_config("graphs") do
    local graph = circular_buffer.new(ROWS, COLUMNS, SECONDS_PER_ROW)
    for column, name in ipairs({ "requests", "errors", "median" }) do
        graph:set_header(column, name, "count")
    end
    graphs[i] = { name = string.format("graph %03d", i), buffer = graph }
end
local is_full = false

function process_message()
    return 0
end

local function renew(graph, ns, salt)
    for column = 1, COLUMNS do
        graph:set(ns, column, (ns / ROW_NS * column + salt) % 1000)
    end
end

function timer_event(ns, shutdown)
    if shutdown then return end
    for i, graph in ipairs(graphs) do
        -- A graph that was never full would be cheap to show.
        for row = is_full and 0 or ROWS - 1, 0, -1 do renew(graph.buffer, ns - row * ROW_NS, i) end
        inject_payload("cbuf", graph.name, graph.buffer)
    end
    is_full = true
end
