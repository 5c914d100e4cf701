-- What store_reader knows of times, checkpoints and names.
local object_store = require "object_store"
local store_reader = require "store_reader"

assert(store_reader.seconds("1970-01-01", "from") == 0 and store_reader.seconds("2026-11-01T12:00:01Z", "to") == 1793534401)
assert(store_reader.seconds(nil, "from") == nil and not pcall(store_reader.seconds, "2026-11-01 12:00", "from"))
local key, place = store_reader.split("a:b/c:12")
assert(key == "a:b/c" and place == 12 and store_reader.split(nil) == nil and store_reader.split("x") == nil)

local reader = store_reader.new(object_store.open("/no/such/folder"))
for name, has_lines in pairs { ["a/b.ndjson"] = true, ["b.json.gz"] = true, ["c.log"] = true, ["a.json/b"] = false, ["d.zst"] = false, e = false } do
    assert(reader:has_lines(name) == has_lines, name)
end
local ok, err = pcall(reader.read, reader, "missing", 0)
assert(not ok and err:find("missing", 1, true), err)
