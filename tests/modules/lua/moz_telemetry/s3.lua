-- Dimensions: moz_telemetry.s3 reads files of them, and says what is wrong with one.
require "io"
require "os"
require "string"
require "table"
local mts3 = require "moz_telemetry.s3"

local file = os.tmpname()
local function dimensions(text)
    local handle = assert(io.open(file, "w"))
    handle:write('{"version": 1, "dimensions": [', text, "]}")
    handle:close()
    return mts3.validate_dimensions(file)
end

local function refused(words, text)
    local ok, err = pcall(dimensions, text)
    assert(not ok and string.find(err, words, 1, true), tostring(err))
end

refused("invalid header name Nothing", '{"header_name": "Nothing", "allowed_values": "*"}')
refused("is_variable flag cannot be set on headers", '{"header_name": "Type", "allowed_values": "*", "is_variable": true}')
refused("must contain only strings", '{"field_name": "a", "allowed_values": ["x", 1]}')
refused("range must have a 'min' or 'max'", '{"field_name": "a", "allowed_values": {}}')
refused("range min/max must be a string", '{"field_name": "a", "allowed_values": {"min": 1}}')
refused("allowed_values invalid type: nil", '{"field_name": "a"}')
refused("must have a field_name or a header_name", '{"allowed_values": "*"}')
assert(not pcall(mts3.validate_dimensions, "/no/such/file"))

local all = dimensions [[
    {"header_name": "Type", "allowed_values": "a b"},
    {"field_name": "x", "allowed_values": "*"},
    {"field_name": "x", "allowed_values": ["c/d", "e"]},
    {"field_name": "x", "allowed_values": {"min": "2", "max": "3"}},
    {"field_name": "v", "allowed_values": "*", "is_variable": true}]]
os.remove(file)
local kinds = {}
for i, dimension in ipairs(all) do kinds[i] = dimension.matcher_type .. " " .. dimension.field_name end
assert(table.concat(kinds, ",") == "string Type,wildcard Fields[x],list Fields[x],minmax Fields[x],wildcard v")
assert(all[1].matcher("a_b") and not all[1].matcher("a b"))
assert(all[3].matcher("c_d") and all[3].matcher("e") and not all[3].matcher("f"))
assert(all[4].matcher("2") and all[4].matcher("20") and not all[4].matcher("31") and not all[4].matcher("1"))
assert(mts3.read_dimension(all[5], { v = "x:1" }) == "x_1" and mts3.read_dimension(all[5]) == "UNKNOWN")
assert(mts3.sanitize_dimension("ä/b.C_9-") == "___b.C_9_" and mts3.sanitize_dimension(1.5) == "1.5")
assert(mts3.sanitize_dimension(true) == "true" and mts3.sanitize_dimension(nil) == nil)
