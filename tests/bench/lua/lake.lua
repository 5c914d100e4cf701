-- Writes rows into a Parquet file and records into a spool of the Heka lake, and how long the processor took.
require "io"
require "os"
require "string"
local object_store = require "object_store"
local parquet      = require "parquet"

local folder, n_rows, n_group = read_config("folder"), read_config("rows"), read_config("group")

local schema = parquet.schema("row")
schema:add_column("id", "required", "int64")
schema:add_column("time", "required", "int64")
schema:add_column("client", "required", "binary", "utf8")
schema:add_column("channel", "optional", "binary", "utf8")
schema:add_column("country", "optional", "binary", "utf8")
schema:add_column("value", "optional", "double")
schema:add_column("ok", "required", "boolean")
local tags = schema:add_group("tags", "optional", "list"):add_group("list", "repeated")
tags:add_column("element", "optional", "binary", "utf8")
schema:finalize()

local CHANNELS, COUNTRIES = { "release", "beta", "nightly", "esr" }, { "DE", "US", "FR", "BR", "IN", "CN", "JP" }
-- The same as in lake.py.
local function row(i)
    return {
        id = i, time = 1700000000000000 + i * 1000, client = string.format("client-%08d", i * 7919 % 1000003),
        channel = CHANNELS[i % 4 + 1], country = i % 10 ~= 0 and COUNTRIES[i % 7 + 1] or nil, value = i * 0.25,
        ok = i % 3 == 0, tags = { "a" .. i % 5, "b" .. i % 11 },
    }
end

local function parquet_ns()
    local rows = {}
    for i = 1, n_group do rows[i] = row(i) end
    local writer = parquet.writer(folder .. "/ours.parquet", schema, { compression = "zstd" })
    local start = os.clock()
    for _ = 1, n_rows / n_group do
        for i = 1, n_group do writer:dissect_record(rows[i]) end
        writer:write_rowgroup()
    end
    writer:close()
    return (os.clock() - start) / n_rows * 1e9
end

local function heka_ns()
    local spool = object_store.spool { dir = folder .. "/heka", roll_size = 1e12, sync = false }
    local record = string.rep("x", 1000)
    local start = os.clock()
    for i = 1, n_rows do
        spool:write("group" .. i % 20, record)
        if i % 1000 == 0 then spool:commit() end
    end
    spool:tick(true)
    return (os.clock() - start) / n_rows * 1e9
end

function process_message()
    local file = assert(io.open("figures", "w"))
    file:write(string.format("parquet=%.17g\nheka=%.17g\n", parquet_ns(), heka_ns()))
    file:close()
    return 0
end
