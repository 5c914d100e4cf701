-- attack: parquet | output | contained: not enough memory / instruction_limit exceeded
-- One record in which the same tables lie in each other many times; writers without end; rows without end.
local parquet = require "parquet"
local string = require "string"
require "os"
local name = os.tmpname()
local schema = parquet.schema("s")
local group = schema
for i = 1, 8 do group = group:add_group("g", "repeated") end
group:add_column("v", "repeated", "binary")
schema:finalize()
local inner = { v = {} }
for i = 1, 100 do inner.v[i] = string.rep("x", 1000) end
for i = 1, 8 do
    local same = inner
    inner = { g = {} }
    for k = 1, 100 do inner.g[k] = same end
end
local flat = parquet.schema("f")
for i = 1, 1000 do flat:add_column("c" .. i, "optional", "binary") end
flat:finalize()
function process_message()
    local writer = parquet.writer(name, schema)
    pcall(writer.dissect_record, writer, inner)
    local hoard = {}
    for i = 1, 1e9 do hoard[i] = parquet.writer(name, flat) end
    return 0
end
function timer_event() end
