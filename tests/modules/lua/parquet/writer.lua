-- Writers of `parquet`: rows that fit, and rows that do not and leave the writer whole.
require "io"
require "math"
require "os"
require "string"
local parquet = require "parquet"
local parser  = require "lpeg.parquet"

local path = os.tmpname()
local function load(fields) return parser.load_parquet_schema("message t { " .. fields .. " }") end

local function fails(words, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, words, 1, true), string.format("expected '%s', got '%s'", words, tostring(err)))
end

local function bytes()
    local file = assert(io.open(path, "rb"))
    local all = file:read("*a")
    file:close()
    return all
end

-- The example of the Dremel paper, and a row in the middle that does not fit.
local document = load [[
    required int64 DocId;
    optional group Links { repeated int64 Backward; repeated int64 Forward; }
    repeated group Name {
        repeated group Language { required binary Code; optional binary Country; }
        optional binary Url;
    }]]
local first = {
    DocId = 10, Links = { Forward = { 20, 40, 60 } },
    Name = { { Language = { { Code = "en-us", Country = "us" }, { Code = "en" } }, Url = "http://A" }, { Url = "http://B" },
             { Language = { Code = "en-gb", Country = "gb" } } },
}
local second = { DocId = 20, Links = { Backward = { 10, 30 }, Forward = 80 }, Name = { Url = "http://C" } }

local function write(with_failure)
    local writer = parquet.writer(path, document)
    writer:dissect_record(first)
    if with_failure then
        local broken = { DocId = 99, Links = { Backward = { 11, 33 }, Forward = { 1, true } }, Name = { Url = "http://D" } }
        fails("column 'Forward' data type mismatch (boolean)", writer.dissect_record, writer, broken)
    end
    writer:write_rowgroup()
    writer:dissect_record(second)
    writer:close()
    return bytes()
end
local good = write(false)
assert(string.sub(good, 1, 4) == "PAR1" and string.sub(good, -4) == "PAR1")
assert(write(true) == good, "a row that does not fit leaves nothing behind")

-- Arguments and the end of a writer
fails("filenamename cannot be empty", parquet.writer, "", document)
fails("mozsvc.parquet_schema expected, got no value", parquet.writer, path)
fails("properties must be a table", parquet.writer, path, document, 1)
fails("No such file", parquet.writer, "/nowhere/at/all", document)
local writer = parquet.writer(path, document)
fails("table expected, got nil", writer.dissect_record, writer, nil)
fails("mozsvc.parquet_writer expected, got table", writer.dissect_record, {}, {})
fails("dissect_message() no active message", writer.dissect_message, writer)
fails("invalid number of arguments", writer.dissect_message, writer, 1)
assert(writer:size() == 0 and writer:memory() > 0)
writer:close()
writer:close(true)
assert(#bytes() > 12 and writer:size() == #bytes())
fails("writer closed", writer.dissect_record, writer, first)
fails("writer closed", writer.write_rowgroup, writer)
fails("writer closed", writer.dissect_message, writer)

-- Properties
local function with(properties) return parquet.writer(path, document, properties) end
fails("non string key in the properties table", with, { 1 })
fails("invalid version:3.0", with, { version = "3.0" })
fails("invalid encoding:morse", with, { encoding = "morse" })
fails("invalid compression:lzo", with, { compression = "lzo" })
fails("invalid compression:zip column:DocId", with, { columns = { DocId = { compression = "zip" } } })
fails("invalid encoding:morse column:Name.Url", with, { columns = { ["Name.Url"] = { encoding = "morse" } } })
fails("columns must be a table", with, { columns = 1 })
for _, size in ipairs { 0, -1, 1e300, 0/0, {} } do fails("sizes must be numbers", with, { data_pagesize = size }) end
for _, codec in ipairs { "uncompressed", "snappy", "gzip", "brotli", "lz4", "zstd" } do
    for _, version in ipairs { "1.0", "2.0" } do
        local w = with { compression = codec, version = version, created_by = "me", enable_dictionary = version == "1.0",
                         enable_statistics = false, data_pagesize = 100, write_batch_size = 10,
                         dictionary_pagesize_limit = 1000, unknown = 1,
                         columns = { ["Name.Url"] = { compression = "gzip", enable_dictionary = true, encoding = "plain" } } }
        for _ = 1, 100 do w:dissect_record(first) end
        w:close()
        assert(string.find(bytes(), "me", 1, true))
    end
end
-- An encoding that does not go with the type of a column is an error.
fails("does not go with the type of column:", with, { encoding = "delta_byte_array" })
fails("does not go with the type of column:", with, { columns = { DocId = { encoding = "rle" } } })
local delta = with { enable_dictionary = false, columns = { DocId = { encoding = "delta_binary_packed" },
                     ["Name.Url"] = { encoding = "delta_byte_array" }, ["Name.Language.Code"] = { encoding = "plain" } } }
delta:dissect_record(first)
delta:close()

-- Rows that do not fit
local rich = {
    string = "s1", strings = { "s2" }, bool = true, int = 1, number = 1.5, numbers = { 1.2, 1.3 }, empty = {},
    fn = string.format, odd = "\255", big = 2^31, huge = 2^63, nan = 0/0, small = -1, groups = { { a = 1 }, 2 },
}
local errors = {
    { "required int64 missing;", "column 'missing' is required" },
    { "required int64 string;", "column 'string' data type mismatch (string)" },
    { "required int64 bool;", "column 'bool' data type mismatch (boolean)" },
    { "required boolean int;", "column 'int' data type mismatch (integer)" },
    { "required binary number;", "column 'number' data type mismatch (integer)" },
    { "required double string;", "column 'string' data type mismatch (string)" },
    { "required group missing { required int32 int; }", "group 'missing' is required" },
    { "required binary fn;", "column 'fn' unsupported data type: function" },
    { "required group number { required int32 int; }", "group 'number' expected, found data" },
    { "required int32 numbers;", "column 'numbers' should not be repeated" },
    { "required fixed_len_byte_array(3) string;",
      "column 'string' expected FIXED_LEN_BYTE_ARRAY(3) but received 2 bytes" },
    { "required int96 string;", "column 'string' expected INT96 but received 2 bytes" },
    { "repeated group empty { required binary foo; }", "column 'foo' is required" },
    { "repeated group groups { optional int32 a; }", "column 'groups' expected an array of groups" },
    { "required binary odd (UTF8);", "column 'odd' is not valid UTF-8" },
    { "required int32 big;", "column 'big' number out of range" },
    { "required int64 huge;", "column 'huge' number out of range" },
    { "required int64 nan;", "column 'nan' number out of range" },
    { "required int32 small (UINT_32);", "column 'small' number out of range" },
    { "required int32 big (INT_8);", "column 'big' number out of range" },
}
for _, case in ipairs(errors) do
    local w = parquet.writer(path, load(case[1]))
    local ok, err = pcall(w.dissect_record, w, rich)
    assert(err == case[2], string.format("%s: %s", case[1], tostring(err)))
    w:close()
end

-- Maps, lists and tuples
local shapes = load [[
    required group map (MAP) { repeated group key_value { required binary key (UTF8); optional int32 value; } }
    optional group list (LIST) { repeated group list { optional int32 element; } }
    optional group tuple (TUPLE) {
        required int64 time; optional binary word;
        optional group extra (MAP) { repeated group key_value { required binary key; required binary value; } }
    }]]
local w = parquet.writer(path, shapes)
for _, record in ipairs {
    { map = {} }, { map = { a = 1, b = parquet.null } }, { map = { a = 1 }, list = {} },
    { map = { a = 1 }, list = { 1, parquet.null, 3 } }, { map = {}, tuple = { 1 } },
    { map = {}, tuple = { 1, nil, { x = "y" } } }, { map = {}, tuple = parquet.null },
} do w:dissect_record(record) end
for words, record in pairs {
    ["group 'map' is required"] = {},
    ["group 'map' expected, found data"] = { map = "x" },
    ["column 'value' data type mismatch (string)"] = { map = { a = "x" } },
    ["column 'key' data type mismatch (integer)"] = { map = { [9] = 1 } },
    ["column 'value' should not be repeated"] = { map = { { a = 1 } } },
    ["column 'element' data type mismatch (string)"] = { map = {}, list = { "x" } },
    ["column 'time' is required"] = { map = {}, tuple = {} },
} do
    local ok, err = pcall(w.dissect_record, w, record)
    assert(err == words, tostring(err))
end
w:close()

-- A record may answer by a metatable; one that reaches for the writer while it is written finds it in use.
local sly = parquet.writer(path, load "required int64 a;")
sly:dissect_record(setmetatable({}, { __index = function(_, key) return #key end }))
fails("object is in use", sly.dissect_record, sly, setmetatable({}, { __index = function() sly:close() end }))
sly:close()
os.remove(path)
