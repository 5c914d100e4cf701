-- moz_ingest.util and moz_ingest.schemas: URIs, dates, headers, what becomes of an error, schemas that change.
local io, lfs, os, string = require "io", require "lfs", require "os", require "string"
local miu     = require "moz_ingest.util"
local rjson   = require "rjson"
local schemas = require "moz_ingest.schemas"

local function reader(values)
    return { read_message = function(_, name) return values[string.match(name, "^Fields%[(.*)%]$") or name] end }
end
local function fails(expected, f, ...)
    local ok, err = pcall(f, ...)
    assert(not ok and string.find(err, expected, 1, true), tostring(err))
end

-- URIs.
local message = miu.new_message(reader { Timestamp = 5, uri = "/submit/telemetry/id/main/Firefox/61.0/release/2018/more",
    geoCountry = "XA", geoISP = "Net" })
assert(message.Timestamp == 5 and message.Logger == "telemetry" and message.Type == "validated")
local f = message.Fields
assert(f.documentId == "id" and f.docType == "main" and f.appName == "Firefox" and f.appVersion == "61.0")
assert(f.appUpdateChannel == "release" and f.appBuildId == "2018" and f.geoCountry == "XA" and f.geoISP == "Net")
message = miu.new_message(reader {}, "/submit/web/visit/2/id")
assert(message.Logger == "web" and message.Fields.docVersion == 2 and message.Fields.documentId == "id")
message = miu.new_message(reader {}, "/submit/telemetry/core/9/id")
assert(message.Logger == "telemetry" and message.Fields.docType == "core" and message.Fields.docVersion == 9)
fails("missing uri", miu.new_message, reader {})
for _, uri in ipairs { "", "/", "/submit", "/submit/web/visit/two/id", "/submit/web/visit/2", "/submit//visit/2/id",
    "/Submit/web/visit/2/id", "x/submit/web/visit/2/id", "/submit/telemetry/id/main/Firefox/61.0/release", "\0" } do
    fails("invalid uri", miu.new_message, reader {}, uri)
end

-- Dates: the client's clock is ten seconds ahead.
message = { Timestamp = 1517479200 * 1e9, Fields = {} }
miu.add_dates(message, reader { Date = "Thu, 01 Feb 2018 10:00:10 GMT" })
assert(message.Fields.submissionDate == "20180201" and message.Fields.clockSkew.value == -10)
assert(message.Fields.clockSkew.representation == "s")
for _, date in ipairs { "", "yesterday", "Thu, 01 Feb 2018 10:00:10", "Thu, 01 Feb 2018 10:00:10 GMT!", 7 } do
    local other = { Timestamp = 0, Fields = {} }
    miu.add_dates(other, reader { Date = date })
    assert(other.Fields.submissionDate == "19700101" and other.Fields.clockSkew == nil, date)
end

-- User-Agent.
local FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:59.0) Gecko/20100101 Firefox/59.0"
local function agent(cfg, text)
    local msg = { Fields = {} }
    miu.add_user_agent(msg, reader { ["User-Agent"] = text }, cfg)
    return msg.Fields
end
f = agent({}, FIREFOX)
assert(f["User-Agent"] == FIREFOX and not f.user_agent_browser)
f = agent({ user_agent_transform = true }, FIREFOX)
assert(f.user_agent_browser == "Firefox" and f.user_agent_version == 59 and f.user_agent_os == "Linux")
assert(f["User-Agent"] == nil)
assert(agent({ user_agent_transform = true, user_agent_keep = true }, FIREFOX)["User-Agent"] == FIREFOX)
local conditional = { user_agent_transform = true, user_agent_conditional = true }
assert(agent(conditional, FIREFOX)["User-Agent"] == nil and agent(conditional, "x")["User-Agent"] == "x")
assert(next(agent(conditional, nil)) == nil)

assert(miu.is_private("X-Forwarded-For") and miu.is_private("x-forwarded-for") and miu.is_private("remote_addr"))
assert(miu.is_private("X-Real-IP") and not miu.is_private("Host") and not miu.is_private("content"))

-- Errors become what they were.
local function field(name, ...) return { name = name, value = { ... } } end
local raw, count = miu.restore_raw { Type = "error", Logger = "web", Fields = { field("uri", "/u"), field("reprocessed", 1),
    field("content", "c"), field("DecodeErrorType", "json"), field("DecodeRawType", "raw"), field("geoCity", "S"),
    field("docType", "d") } }
assert(raw.Type == "raw" and raw.Logger == nil and count == 1 and #raw.Fields == 4)
assert(raw.Fields[1].name == "uri" and raw.Fields[2].name == "content" and raw.Fields[3].name == "geoCity")
assert(raw.Fields[4].name == "reprocessed" and raw.Fields[4].value == 2)
raw, count = miu.restore_raw { Type = "error", Fields = { field("uri", "/u") } }
assert(raw == nil and count == "no Field DecodeErrorType")
assert(miu.restore_raw {} == nil)

-- Schemas from a folder.
local root = os.tmpname()
os.remove(root)
assert(lfs.mkdir(root) and lfs.mkdir(root .. "/web") and lfs.mkdir(root .. "/web/visit"))
fails(root .. "/none is no directory", schemas.new, root .. "/none")
local file = root .. "/web/visit/visit.1.schema.json"
local function write(text)
    os.remove(file .. ".new")
    local fh = assert(io.open(file .. ".new", "wb"))
    fh:write(text)
    fh:close()
    assert(os.rename(file .. ".new", file))
end
local function fits(registry, text)
    local schema, reason = registry:find("web", "visit", 1)
    if not schema then return reason end
    return (rjson.parse(text):validate(schema))
end
local registry, lazy = schemas.new(root, 0), schemas.new(root, 3600)
assert(fits(registry, "{}") == "schema not found" and fits(lazy, "{}") == "schema not found")
write('{"type":"array"}')
assert(fits(registry, "{}") == false and fits(registry, "[]") == true and fits(lazy, "[]") == true)
write('{"type":"object"}  ')
assert(fits(registry, "{}") == true and fits(lazy, "{}") == false, "one looks again, the other not yet")
write('{"type":"objec')
assert(fits(registry, "{}") == true, "the one before stays in use")
assert(string.find(fits(schemas.new(root, 0), "{}"), "^schema cannot be used: "))
write('{"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[{"type":"string"}]}')
assert(fits(registry, '["x"]') == true and fits(registry, "[1]") == false, "the draft that it says")
local all = miu.load_json_schemas(root .. "/web")
assert(all.visit[1] and not all.visit[2])
os.remove(file)
assert(fits(registry, "{}") == "schema not found")

-- Names that lead elsewhere are none.
for _, name in ipairs { "..", ".", "", "../web", "a/b", "visit\0", ".hidden", string.rep("x", 129), 7, {} } do
    local schema, reason = registry:find(name, "visit", 1)
    assert(schema == nil and reason == "schema not found")
    assert(registry:find("web", name, 1) == nil)
end
for _, version in ipairs { -1, 1.5, 1e20, 0 / 0, 1 / 0, "x", {} } do assert(registry:find("web", "visit", version) == nil) end
assert(registry:find("web", "visit", nil) == nil)
assert(next(registry.known) == nil, "what is not there is not remembered")
lfs.rmdir(root .. "/web/visit")
lfs.rmdir(root .. "/web")
lfs.rmdir(root)
