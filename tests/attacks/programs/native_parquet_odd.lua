-- attack: parquet | output | either
-- Schemas without end, objects of the wrong kind, odd sizes and paths, tables that change while they are read.
local parquet = require "parquet"
local string = require "string"
require "os"
local name = os.tmpname()
local odd = { 0, -1, 1e18, 0/0, 1/0, 2^31, "", "x", "a\0b", "\255", true, false, {}, print, parquet.null, parquet }
local schema = parquet.schema("s")
local group = schema:add_group("g", "repeated")
group:add_column("c", "optional", "int64")
schema:add_group("m", "optional", "map"):add_group("key_value", "repeated"):add_column("key", "required", "binary")
function process_message()
    for _, a in ipairs(odd) do
        pcall(parquet.schema, a, a) pcall(parquet.writer, a, a, a) pcall(parquet.writer, name, schema, a)
        pcall(parquet.from_json_schema, a, a)
        for _, b in ipairs(odd) do
            pcall(schema.add_group, a, b, "optional", b) pcall(schema.add_column, schema, "n", "optional", "int32", "decimal", a, b, a)
            pcall(schema.add_column, schema, "n", "optional", "fixed_len_byte_array", a, b)
        end
    end
    assert(not pcall(schema.finalize, schema), "HOLE: a map without values was finished")
    local good = parquet.schema("s")
    good:add_group("g", "repeated"):add_column("c", "repeated", "int64")
    good:finalize()
    for _, path in ipairs { "/", ".", "/proc/self/mem", "/dev/full", "/nowhere/x" } do
        local ok, writer = pcall(parquet.writer, path, good)
        if ok then
            pcall(writer.dissect_record, writer, { g = { { c = 1 } } })
            pcall(writer.close, writer) pcall(writer.close, writer)
        end
    end
    local writer = parquet.writer(name, good)
    local sly
    sly = setmetatable({}, { __index = function(t, key)
        pcall(writer.close, writer) pcall(writer.dissect_record, writer, sly) pcall(parquet.writer, name, good)
        return { { c = { 1, 2 } } }
    end })
    for _ = 1, 10 do pcall(writer.dissect_record, writer, sly) end
    for _, a in ipairs(odd) do pcall(writer.dissect_record, writer, { g = a }) pcall(writer.dissect_record, a, {}) end
    for _, text in ipairs { string.rep("[", 1e4), string.rep('{"properties":{"a":', 100), '{"$ref":"#"}',
                            '{"properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}}' } do
        assert(not pcall(parquet.from_json_schema, text), "HOLE: a schema without an end was derived")
    end
    pcall(writer.close, writer, true)
    os.remove(name)
    return 0
end
function timer_event() end
