-- kind: output
-- The module without messages: what is refused, and that no secret is told.
require "string"
local destination = require "destination"

local function refused(words, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, words, 1, true), tostring(err))
    assert(not string.find(err, "hush", 1, true), err)
end

local URL = "http://127.0.0.1:1/in"
local open = destination.open
refused("bad argument #1 to '?' (string expected, got no value)", open)
refused("invalid UTF-8", open, "\255")
for _, bad in ipairs { "", "x", "ftp://x", "stdout", "http://", "s3://a/b", "http:///x", "http://a b/" } do
    refused("the address must be http://host/path or https://host/path", open, bad)
end
refused("see user and password", open, "http://ann:hush@host/")
refused("table expected, got number", open, URL, 1)
refused("unknown option 'x'", open, URL, { x = 1 })
refused("unknown option 'url'", open, "stdout:", { url = URL })
refused("unknown option 'token'", open, "stdout:", { token = "env:X" })
for _, bad in ipairs { 0, -1, 0 / 0, 1e10, "x", {} } do
    refused("batch_size must be a number from 1 to 1000000000", open, URL, { batch_size = bad })
end
refused("batch_count must be a number", open, URL, { batch_count = 1e7 })
refused("batch_age must be a number", open, URL, { batch_age = 0 })
refused("compression must be 'none', 'gzip' or 'zstd'", open, URL, { compression = "lzma" })
refused("method must be 'POST' or 'PUT'", open, URL, { method = "GET" })
refused("headers must be a table from strings to strings", open, URL, { headers = "x" })
refused("headers must be a table from strings to strings", open, URL, { headers = { "x" } })
refused("authorization is a secret: it goes to secret_headers", open, URL, { headers = { Authorization = "hush" } })
refused("content-length is not for a configuration to set", open, URL, { headers = { ["Content-Length"] = "1" } })
refused("\"a b\" cannot be a header", open, URL, { headers = { ["a b"] = "hush" } })
refused("the value of a cannot be a header", open, URL, { headers = { a = "hush\n" } })
refused("x-key must be 'file:<path>' or 'env:<NAME>'", open, URL, { secret_headers = { ["X-Key"] = "hush" } })
refused("token must be 'file:<path>' or 'env:<NAME>'", open, URL, { token = "hush" })
refused("either token, or user (without ':') and password", open, URL, { user = "ann" })
refused("either token, or user (without ':') and password", open, URL, { user = "a:b", password = "env:X" })
refused("either token, or user (without ':') and password", open, URL, { token = "env:X", user = "a", password = "env:X" })
refused("refused must be an array of numbers from 300 to 599", open, URL, { refused = { 200 } })
refused("refused must be an array of numbers from 300 to 599", open, URL, { refused = 400 })
refused("error loading CA locations", open, URL, { cafile = "/no/such/file" })
refused("a certificate needs its key", open, URL, { certificate = "/no/such/file" })

local out = open(URL, { batch_age = 0.5, verify = false, refused = { 415 }, headers = {}, secret_headers = {} })
refused("lightuserdata expected, got no value", out.write, out)
refused("lightuserdata expected, got number", out.write, out, 1, "x")
refused("bad argument #1", out.write, 1)
out:poll()
assert(out:flush() == 0 and out:flush(0 / 0) == 0 and out:flush(-1) == 0)
local status = out:status()
assert(status.pending == 0 and status.arrived == 0 and status.refused == 0 and status.failures == 0)
assert(status.last_failure == nil and status.memory >= 0)

local function written(...) return out:write(...) end
function process_message(sequence_id)
    refused("string, number or userdata expected, got table", written, sequence_id, {})
    return 0
end

function timer_event() end
