-- decoders.moz_ingest.*: raw messages in, and what is injected.
local string, table, zlib = require "string", require "table", require "zlib"

local configuration = {
    decoders_moz_ingest_common = {
        sub_decoders = { telemetry = "decoders.moz_ingest.telemetry", web = "decoders.moz_ingest.json" },
        error_on_missing_sub_decoder = true,
        city_db_file = "data/places.mmdb", geo_report_subdivisions = true,
        isp_db_file = "data/places.mmdb", isp_docTypes = { visit = true },
        cf_items = 1000, cf_interval_size = 1,
    },
    decoders_moz_ingest_telemetry = { schema_path = "../../schemas/json/telemetry", user_agent_transform = true },
    decoders_moz_ingest_json = { namespace_path = "../../schemas/json", user_agent_transform = true },
}
function read_config(key) return configuration[key] end

local sent, refuses = {}, nil
local inject = inject_message
function inject_message(message)
    if refuses and refuses(message) then error("refused", 0) end
    inject(message) -- it can be encoded
    local fields = {}
    for key, value in pairs(message.Fields) do
        local name, of = key, value
        if type(key) == "number" then name, of = value.name, value.value end
        if type(of) == "table" and of.value == nil then of = of[1] end
        assert(fields[name] == nil, "twice: " .. name)
        fields[name] = of
    end
    sent[#sent + 1] = { Type = message.Type, Logger = message.Logger, Hostname = message.Hostname,
        Timestamp = message.Timestamp, Fields = fields }
end

-- The protobuf encoding, as far as these messages need it.
local function varint(n)
    local text = ""
    while n >= 128 do
        text = text .. string.char(n % 128 + 128)
        n = (n - n % 128) / 128
    end
    return text .. string.char(n)
end
local function part(tag, text) return string.char(tag * 8 + 2) .. varint(#text) .. text end
local NOON = 1517486400e9 -- 2018-02-01T12:00:00Z
local function raw(fields, at)
    local text = part(1, string.rep("u", 16)) .. "\16" .. varint(at or NOON) .. part(3, "telemetry-raw")
        .. part(4, "moz_ingest") .. part(9, "edge.example")
    for _, field in ipairs(fields) do
        local is_bytes = field[1] == "content"
        text = text .. part(10, part(1, field[1]) .. (is_bytes and "\16\1" or "") .. part(is_bytes and 5 or 4, field[2]))
    end
    return text
end

local common = require "decoders.moz_ingest.common"
local n_documents = 0
local function submit(uri, content, more, at)
    n_documents = n_documents + 1
    sent = {}
    local fields = { { "remote_addr", "192.0.2.77" }, { "uri", (string.gsub(uri, "ID", "d" .. n_documents)) },
        { "protocol", "HTTP/1.1" }, { "Host", "incoming" } }
    for _, field in ipairs(more or {}) do fields[#fields + 1] = field end
    fields[#fields + 1] = { "content", content }
    local err = common.decode(raw(fields, at))
    for _, message in ipairs(sent) do
        for name, value in pairs(message.Fields) do
            assert(not string.find(tostring(value), "192.0.2.", 1, true), "an address in " .. name)
        end
    end
    assert(#sent <= 1)
    return sent[1], err
end
local function is_error(message, kind, text)
    local f = message.Fields
    assert(f.DecodeErrorType == kind, tostring(f.DecodeErrorType))
    if not string.find(f.DecodeError, text, 1, true) then error(f.DecodeError .. "; expected " .. text, 2) end
    return f
end

-- A document of another namespace.
local WEB = "/submit/web/visit/1/ID"
local AGENT = { "User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:59.0) Gecko/20100101 Firefox/59.0" }
local message = submit(WEB, '{"page":"/","seconds":1}', { AGENT, { "Date", "Thu, 01 Feb 2018 11:59:00 GMT" },
    { "X-Forwarded-For", "203.0.113.9, 192.0.2.1" } })
assert(message.Type == "validated" and message.Logger == "web" and message.Hostname == "edge.example")
local f = message.Fields
assert(message.Timestamp == NOON and f.submissionDate == "20180201" and f.clockSkew.value == 60)
assert(f.documentId == "d1" and f.docType == "visit" and f.docVersion == 1 and f.Host == "incoming")
assert(f.geoCountry == "XA" and f.geoCity == "Sampleton" and f.geoSubdivision1 == "SA")
assert(f.user_agent_browser == "Firefox" and f.user_agent_os == "Linux" and f["User-Agent"] == nil)
assert(f.submission.representation == "json" and f.content == nil)
local gz = zlib.deflate(9, 31)('{"page":"/","seconds":1}', "finish")
assert(submit(WEB, gz).Type == "validated")
-- An address that is none, or unknown.
f = submit(WEB, '{"page":"/","seconds":1}', { { "X-Forwarded-For", "nonsense" } }).Fields
assert(f.geoCountry == "??" and f.geoCity == "??" and f.geoISP == "??")
f = submit(WEB, '{"page":"/","seconds":1}', { { "geoCountry", "XB" } }).Fields
assert(f.geoCountry == "XB" and f.geoCity == nil, "a place that is there stays")

-- Its errors.
message = submit(WEB, '{"page":7,"seconds":-1}', { { "X-Forwarded-For", "192.0.2.1" } })
assert(message.Type == "error" and message.Logger == "web" and message.Timestamp == NOON)
f = is_error(message, "json", "namespace: web schema: visit version: 1 error: SchemaURI: #")
assert(string.find(f.DecodeErrorDetail, "#/page", 1, true) and string.find(f.DecodeErrorDetail, "#/seconds", 1, true))
assert(f.content == '{"page":7,"seconds":-1}' and f.docType == "visit" and f.geoCity == "Sampleton")
assert(f.remote_addr == nil and f["X-Forwarded-For"] == nil and f.DecodeRawType == "telemetry-raw")
is_error(submit("/submit/web/visit/9/ID", "{}"), "json", "namespace: web schema: visit version: 9 error: schema not found")
is_error(submit("/submit/web/../1/ID", "{}"), "json", "schema not found")
is_error(submit(WEB, "{"), "json", "invalid submission: failed to parse offset:1 ")
is_error(submit(WEB, ""), "json", "invalid submission: ")
is_error(submit(WEB, '{"page":"/\255","seconds":1}'), "json", "invalid submission: ")
is_error(submit(WEB, string.sub(gz, 1, -9)), "json", "invalid submission: ungzip failed")
is_error(submit(WEB, string.rep("[", 50000)), "json", "invalid submission: ")
is_error(submit("/submit/other/visit/1/ID", "{}"), "skipped", "no sub decoder")
message = submit("/elsewhere", "{}")
assert(message.Type == "error" and message.Logger == "moz_ingest")
is_error(message, "uri", "invalid uri")
sent = {}
common.decode(raw { { "remote_addr", "192.0.2.1" } })
assert(is_error(sent[1], "uri", "missing uri").remote_addr == nil)
assert(not pcall(common.decode, "no message"))

-- Telemetry.
local TELEMETRY = "/submit/telemetry/ID/main/Firefox/61.0/release/20180101"
local function read(name)
    local file = assert(require "io".open("../../schemas/validation/telemetry/" .. name))
    local text = file:read("*a")
    file:close()
    return text
end
message = submit(TELEMETRY, read("main.4.daily.pass.json"), { { "DNT", "1" }, AGENT })
assert(message.Type == "telemetry" and message.Logger == "telemetry")
f = message.Fields
assert(f.docType == "main" and f.appName == "Firefox" and f.appVersion == "145.0a1" and f.appBuildId == "20261120093000")
assert(f.appUpdateChannel == "nightly" and f.normalizedChannel == "nightly" and f.appVendor == "Mozilla")
assert(f.sourceName == "telemetry" and f.sourceVersion == 4 and f.reason == "daily" and f.os == "Windows_NT")
assert(f.normalizedOSVersion == "10.0" and f.telemetryEnabled == true and f.DNT == "1" and f.Host == "incoming")
assert(f.creationTimestamp == 1795421730250000000, f.creationTimestamp)
assert(f.clientId == "c0ffee00-1111-4222-8333-444455556666" and f.sampleId == zlib.crc32()(f.clientId) % 100)
assert(f.user_agent_browser == "Firefox" and f["User-Agent"] == nil and f.geoISP == nil)
for _, name in ipairs { "environment.addons", "environment.build", "environment.system", "payload.info",
    "payload.histograms", "payload.keyedHistograms", "payload.simpleMeasurements" } do
    assert(f[name].representation == "json", name)
end
local rest = f.submission.value
assert(rest:find("payload", "processes") and not rest:find("payload", "info"), "what is moved is no more in the document")
assert(rest:find("environment") and not rest:find("environment", "system"))

f = is_error(submit(TELEMETRY, "", { { "Date", "Thu, 01 Feb 2018 11:59:00 GMT" } }), "json", "invalid submission: ")
assert(f.clockSkew == 60 and f.Date == "Thu, 01 Feb 2018 11:59:00 GMT" and f.content == "")
f = is_error(submit(TELEMETRY, read("main.4.several.fail.json")), "json",
    "schema: main version: 4 validation error: SchemaURI: #")
for _, path in ipairs { "#/clientId", "#/application/buildId", "#/payload/info/subsessionLength" } do
    assert(string.find(f.DecodeErrorDetail, path, 1, true), f.DecodeErrorDetail)
end
assert(f.docType == "main" and f.appVersion == "61.0" and f.submissionDate == "20180201")

-- Its formats: an old one, Firefox OS, usage, mobile, and any other.
f = submit(TELEMETRY, '{"ver":1,"clientID":"c","info":{"reason":"idle-daily","appName":"F","OS":"Linux","appUpdateChannel":"esr"}}').Fields
assert(f.sourceVersion == "1" and f.docType == "idle-daily" and f.appVersion == "UNKNOWN" and f.os == "Linux")
assert(f.normalizedChannel == "esr" and f.telemetryEnabled == true and f.clientId == "c" and f.sampleId)
f = submit(TELEMETRY, '{"ver":3}').Fields
assert(f.sourceVersion == "3" and f.docType == "main" and f.appVersion == "61.0" and f.sampleId == nil)
f = submit(TELEMETRY, '{"deviceinfo":{"platform_version":"2.5","update_channel":"beta"}}').Fields
assert(f.docType == "appusage" and f.appName == "FirefoxOS" and f.appVersion == "2.5" and f.appBuildId == "UNKNOWN")
assert(f.sourceVersion == "3" and f.normalizedChannel == "beta")
local CORE = "/submit/telemetry/ID/core/Fennec/62.0.2/release/2018"
f = submit(CORE, '{"v":9,"clientId":"7cac7c8f-6c0f-4a33-b1f9-e4c2519f53cb","os":"Android"}').Fields
assert(f.sourceVersion == "9" and f.normalizedOs == "Android" and f.normalizedAppName == "Fennec" and f.sampleId == 46)
f = submit(CORE, '{"x":1}').Fields
assert(f.sourceVersion == nil and f.docType == "core" and f.submission)
is_error(submit(CORE, "[1]"), "json", "schema: core version: 1 validation error: SchemaURI: #")
is_error(submit(CORE, '"text"'), "json", "schema: core version: 1 validation error: ")
-- Hostile: nothing is of the type that it should be.
f = submit(CORE, '{"version":{},"v":[],"ver":null,"deviceinfo":7}').Fields
assert(f.docType == "appusage")
f = submit(CORE, '{"version":4,"creationDate":"soon","clientId":7,"type":null,"application":[],"environment":7,"payload":"x"}').Fields
assert(f.docType == "core" and f.creationTimestamp == nil and f.clientId == 7 and f.sampleId == nil)
assert(submit(CORE, '{"version":4,"application":{"name":{},"version":[1]},"type":"main","payload":{"info":null}}'))

-- Duplicates: of a validated document, of an error; in how many intervals.
local URI = "/submit/web/visit/1/once"
assert(submit(URI, '{"page":"/","seconds":1}').Type == "validated")
message = submit(URI, '{"page":"/","seconds":1}', nil, NOON + 3 * 60e9)
f = message.Fields
assert(message.Type == "duplicate" and message.Logger == "web" and f.content == nil and f.submission == nil)
assert(f.duplicateDelta.value == 3 and f.duplicateDelta.value_type == 2 and f.duplicateDelta.representation == "1m")
assert(f.documentId == "once" and f.docType == "visit" and f.geoCountry == "XA")
local again = "/submit/telemetry/again/main/Firefox/61.0/release/20180101"
assert(submit(again, "{").Type == "telemetry.error" and submit(again, "{").Type == "telemetry.duplicate")
assert(submit(again, "{", { { "reprocessed", "1" } }).Type == "telemetry.error", "what is sent again on purpose is none")
assert(submit(URI, '{"page":"/","seconds":1}', nil, NOON + 300 * 60e9).Type == "validated", "forgotten after the window")
message = submit(URI, '{"page":"/","seconds":1}', nil, NOON - 600 * 60e9)
assert(message.Type == "duplicate" and message.Fields.duplicateDelta.value == 256, "known, but from before the window")
assert(submit("/submit/web/visit/1/old", '{"page":"/","seconds":1}', nil, NOON - 600 * 60e9).Type == "validated")

-- What the queue refuses.
refuses = function(m) return m.Type == "validated" end
f = is_error(submit("/submit/web/visit/1/refused", '{"page":"/","seconds":1}'), "inject_message", "refused")
assert(f.docType == nil, "what was refused is not part of the error")
local function has(m, name)
    for _, field in ipairs(m.Fields) do
        if field.name == name then return true end
    end
end
refuses = function(m) return has(m, "DecodeErrorDetail") end
f = is_error(submit(WEB, "{}"), "json", "web")
assert(f.DecodeErrorDetail == nil and f.content == "{}")
refuses = function(m) return has(m, "content") end
assert(is_error(submit(WEB, "{}"), "json", "web").content == nil)
refuses = function() return true end
local none, err = submit("/submit/web/visit/1/lost", "{}")
assert(none == nil and string.find(err, "^an error could not be injected: refused; it was: namespace: web"), err)
refuses = nil
assert(submit("/submit/web/visit/1/lost", "{}").Type == "error", "what got lost does not count as seen")

-- Errors become raw messages again.
local errors = require "decoders.moz_ingest.errors"
sent = {}
local bad = { Type = "error", Logger = "web", Timestamp = NOON, Fields = { { name = "uri", value = { "/u" } },
    { name = "content", value = { "{" }, value_type = 1 }, { name = "DecodeErrorType", value = { "json" } },
    { name = "DecodeRawType", value = { "telemetry-raw" } } } }
local restored = errors.restore(bad)
assert(restored.Type == "telemetry-raw" and #restored.Fields == 3 and restored.Timestamp == NOON)
assert(not errors.restore { Type = "x", Fields = {} })
bad = raw { { "uri", "/u" }, { "DecodeErrorType", "json" }, { "DecodeRawType", "telemetry-raw" } }
assert(errors.decode(bad) == nil and sent[1].Type == "telemetry-raw" and sent[1].Fields.reprocessed == 1)
assert(errors.decode(raw { { "uri", "/u" }, { "DecodeErrorType", "json" } })
    == "the error does not tell its raw Type: set_type is needed")
assert(errors.decode(raw { { "uri", "/u" } }) == "no Field DecodeErrorType")
