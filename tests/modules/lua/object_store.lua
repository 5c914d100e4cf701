-- The module against a folder: deliveries, listings, objects, and what is refused.
require "io"
require "os"
require "string"
local object_store = require "object_store"

local folder = os.tmpname()
os.remove(folder)
local store = object_store.open(folder, { retry_ms = 1, attempts = 2 })

local function refused(words, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, words, 1, true), tostring(err))
end

refused("bad argument #1 to '?' (string expected, got no value)", object_store.open)
refused("a store is a folder or s3://bucket/prefix", object_store.open, "ftp://x")
refused("a store in S3 is written s3://bucket/prefix", object_store.open, "s3://")
refused("unknown option 'x'", object_store.open, folder, { x = 1 })
refused("concurrency must be a number from 1 to 256", object_store.open, folder, { concurrency = 0 / 0 })
refused("path_style must be a boolean", object_store.open, "s3://a", { path_style = 1 })
refused("credentials must be", object_store.open, "s3://a", { credentials = "AKIA" })
refused("table expected, got number", object_store.open, folder, 1)
refused("the key \"../x\" must have", store.put, store, "../x", "y")
refused("invalid UTF-8", store.put, store, "\255", "y")
refused("string expected, got no value", store.put, store, "a")

-- Personal and public outputs.
for _, bad in ipairs { "", "/x", "x/", "../x", "x/../y", "x//y", "./x", "{user}", "x}" } do
    refused("prefix m", object_store.open, folder, { prefix = bad })
    refused("prefix m", object_store.open, "s3://a", { prefix = bad })
end
refused("prefix has {owner}, but the plugin's configuration has no owner", object_store.open, folder, { prefix = "{owner}/x" })
refused("file_mode must be three or four octal digits", object_store.open, folder, { file_mode = "rw" })
refused("there is no group \"no such group\"", object_store.open, folder, { group = "no such group" })
refused("unknown option 'acl'", object_store.open, folder, { acl = "private" })
refused("unknown option 'file_mode'", object_store.open, "s3://a", { file_mode = "0640" })
refused("acl must be one of", object_store.open, "s3://a", { acl = "public" })
refused("tags must be", object_store.open, "s3://a", { tags = { a = "&" } })
object_store.open("s3://a", { prefix = "public/x", acl = "public-read", tags = { visibility = "public" } })
local below = object_store.open(folder, { prefix = "users/{plugin}/data", file_mode = "0600", folder_mode = "0700" })
assert(below:put("x", "1") and select(2, below:poll(10)))
local key
for found in store:list("users/") do key = found end
assert(string.match(key, "^users/[^/]+/data/x$"), key)
assert(os.execute("rm -r '" .. folder .. "/users'"))

-- Deliveries.
assert(store:pending() == 0 and store:poll() == nil)
local text = string.rep("line\0 of text\n", 1000)
assert(store:put("a/1", text) and store:put("a/2", "", "empty") and store:pending() == 2)
local seen = {}
for _ = 1, 2 do
    local name, ok, err = store:poll(10)
    assert(ok, err)
    seen[name] = true
end
assert(seen["a/1"] and seen.empty and store:poll(0.01) == nil)
assert(store:put_file("b", "/no/such/file", "lost"))
local name, ok, err = store:poll(10)
assert(name == "lost" and ok == nil and string.find(err, "/no/such/file", 1, true), err)

-- Listings.
local keys = {}
for key, size, modified in store:list("a/") do
    keys[#keys + 1] = key .. "=" .. size
    assert(modified > 1e9)
end
assert(#keys == 2 and keys[1] == "a/1=14000" and keys[2] == "a/2=0")
for key in store:list("", "a/1") do assert(key == "a/2") end

-- Objects.
local object = assert(store:open("a/1"))
assert(object:read(5) == "line\0" and object:line() == " of text" and object:line() == "line\0 of text")
assert(object:read(0) == "" and #object:read(1e9) == #text - 28 and object:read(1) == nil and object:line() == nil)
object:close()
refused("closed object", object.read, object, 1)
assert(assert(store:open("a/1", { from = 13990 })):read(100) == string.sub(text, 13991))
assert(assert(store:open("a/2")):read(1) == nil)
local none, reason = store:open("c")
assert(none == nil and string.find(reason, "No such file", 1, true), reason)
refused("invalid compression 'lzma'", store.open, store, "a/1", { compression = "lzma" })
refused("from must be a number", store.open, store, "a/1", { from = -1 })

-- A spool without the engine's places: each write is a message of its own.
refused("dir must be a string", object_store.spool, {})
refused("compression needs a store", object_store.spool, { dir = folder, compression = "zstd" })
refused("unknown option 'rollsize'", object_store.spool, { dir = folder, rollsize = 1 })
local spool = object_store.spool { dir = folder .. "/batch", store = store, frames = "lines", roll_size = 10, name = "x/y" }
assert(spool:fits("a+b") and not spool:fits("a/b") and not spool:fits(""))
local written, why = spool:write("a/b", "x")
assert(written == nil and string.find(why, "cannot be the name of a file", 1, true), why)
refused("string, number or userdata expected, got table", spool.write, spool, "a", {})
assert(spool:write("day+kind", "12345", 6, 7, "\n") and spool:status().growing == 1 and spool:status().carried == 0)
assert(spool:commit() and spool:tick(true) and spool:wait() == 0)
local status = spool:status()
assert(status.carried == 1 and status.pending == 0 and status.failures == 0 and status.growing == 0)
for key, size in store:list("day/kind/") do assert(size == 8, key) end

assert(os.execute("rm -r '" .. folder .. "'"))
