-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Parquet schemas: from the text that parquet-mr writes to one that `parquet.writer` takes

```
message Visit {
  required int64 Timestamp;
  optional binary page (UTF8);
  optional int32 price (DECIMAL(9,2));
  required fixed_len_byte_array(16) id;
  optional group tags (LIST) { repeated group list { optional binary element (UTF8); } }
  optional group counts (MAP) { repeated group key_value { required binary key (UTF8); required int64 value; } }
}
```

Each field is `required`, `optional` or `repeated`. Columns are `boolean int32 int64 int96 float double binary` or
`fixed_len_byte_array(N)`, and may say what they mean: `UTF8 ENUM DATE TIME_MILLIS TIME_MICROS TIMESTAMP_MILLIS
TIMESTAMP_MICROS INT_8 ... INT_64 UINT_8 ... UINT_64 JSON BSON INTERVAL DECIMAL(precision,scale)`. Groups may be a `MAP`, a
`LIST`, or a `TUPLE`: an array in which each item has its own column. A number of a field (`= 8`) is read and not used.
What goes on in a writer stands in the reference page of `parquet`.

## Functions

`load_parquet_schema(text, hive_compatible, metadata_group, metadata_prefix)` returns the finished schema. With a
metadata group or prefix it returns a function too: `load_metadata(record)` puts values of the current message into the
record. A column of the group called `metadata_group` gets the header of its name (`Timestamp`, `Type`, `Logger`,
`Hostname`, `EnvVersion`, `Pid`, `Severity`, `Payload`, `Uuid`) or the field of its name; a column of the message whose name
begins with `metadata_prefix` gets what is called like the rest of the name.

Errors: `failed parsing the spec`, `no metadata specification was found`, and those of `parquet`.
--]]

local l       = require "lpeg"
local parquet = require "parquet"
local string  = require "string"

local P, S, R, C, Cg, Ct, V = l.P, l.S, l.R, l.C, l.Cg, l.Ct, l.V
local error, ipairs, pcall, read_message = error, ipairs, pcall, read_message

local M = {}
setfenv(1, M)

local blank = S" \t\n\v\f\r"
local sp, osp = blank^1, blank^0
local digits = R"09"^1

-- The longest word first, since the first that matches is taken.
local function one_of(words)
    local grammar
    for word in string.gmatch(words, "%S+") do
        grammar = grammar and grammar + P(word) or P(word)
    end
    return grammar
end

local repetition = Cg(one_of "required optional repeated", "repetition")
local fixed      = Cg(P"fixed_len_byte_array", "data_type") * "(" * Cg(digits, "flba_len") * ")"
local data_type  = Cg(one_of "boolean int32 int64 int96 float double binary", "data_type") + fixed

local column_meaning = Cg(one_of [[NONE UTF8 ENUM DATE TIME_MILLIS TIME_MICROS TIMESTAMP_MILLIS TIMESTAMP_MICROS
    UINT_8 UINT_16 UINT_32 UINT_64 INT_8 INT_16 INT_32 INT_64 JSON BSON INTERVAL]] / string.lower, "logical_type")
local decimal = Cg(P"DECIMAL" / string.lower, "logical_type")
    * osp * "(" * osp * Cg(digits, "precision") * osp * "," * osp * Cg(digits, "scale") * osp * ")"
local group_meaning = Cg(one_of "MAP LIST TUPLE" / string.lower, "logical_type")

local group_name  = Cg((1 - (blank + "{"))^1, "name")
local column_name = Cg((1 - (blank + S";="))^1, "name")
local number      = osp * "=" * osp * digits
local column      = Ct(repetition * sp * data_type * sp * column_name * (sp * "(" * (decimal + column_meaning) * ")")^-1
    * number^-1 * osp * ";")

local grammar = P{"message",
    message = osp * Ct("message" * sp * group_name * osp * "{" * V"fields" * "}"),
    group   = Ct(repetition * sp * "group" * sp * group_name * (sp * "(" * group_meaning * ")")^-1 * number^-1
        * osp * "{" * Cg(Ct(V"fields"), "fields") * "}"),
    fields  = (osp * (V"group" + column))^1 * osp,
}

local function add_fields(parent, fields)
    for _, field in ipairs(fields) do
        if field.fields then
            local group = parent:add_group(field.name, field.repetition, field.logical_type)
            add_fields(group, field.fields)
        else
            parent:add_column(field.name, field.repetition, field.data_type, field.logical_type, field.flba_len,
                              field.precision, field.scale)
        end
    end
end

local headers = {}
for name in string.gmatch("Timestamp Type Logger Hostname EnvVersion Pid Severity Payload Uuid", "%a+") do
    headers[name] = true
end

-- The name under which read_message finds what the column is called after.
local function variable(name)
    if headers[name] then return name end
    return string.format("Fields[%s]", name)
end

-- Columns to fill: { column, variable } in the group, and at the top.
local function metadata_columns(fields, group, prefix)
    local inside, top
    for _, field in ipairs(fields) do
        if field.fields then
            if field.name == group then
                inside = {}
                for i, inner in ipairs(field.fields) do inside[i] = { inner.name, variable(inner.name) } end
            end
        elseif prefix and #field.name > #prefix and string.sub(field.name, 1, #prefix) == prefix then
            top = top or {}
            top[#top + 1] = { field.name, variable(string.sub(field.name, #prefix + 1)) }
        end
    end
    return inside, top
end

local function fill(record, columns)
    for _, column in ipairs(columns) do record[column[1]] = read_message(column[2]) end
end

function load_parquet_schema(text, hive_compatible, metadata_group, metadata_prefix)
    local parsed = grammar:match(text)
    if not parsed then error("failed parsing the spec", 2) end
    local schema = parquet.schema(parsed.name, hive_compatible)
    add_fields(schema, parsed)
    local ok, err = pcall(schema.finalize, schema)
    if not ok then error(err, 2) end
    if not metadata_group and not metadata_prefix then return schema end

    local inside, top = metadata_columns(parsed, metadata_group, metadata_prefix)
    if not inside and not top then error("no metadata specification was found", 2) end
    return schema, function(record)
        if inside then
            local group = {}
            fill(group, inside)
            record[metadata_group] = group
        end
        if top then fill(record, top) end
    end
end

return M
