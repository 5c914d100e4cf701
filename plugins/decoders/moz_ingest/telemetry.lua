-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Telemetry submissions: validated, normalised and split into Fields

A sub-decoder of `decoders.moz_ingest.common` for the namespace `telemetry`. What a ping is tells the first of these keys that it has:

| key | the ping | schema |
|---|---|---|
| `ver` | of before 2014, or with 3 of Firefox OS | `schema_path/<docType>/<docType>.<ver>.schema.json` |
| `version` | of a desktop Firefox | `.<version>.` |
| `deviceinfo` | of the usage of Firefox OS | `appusage/appusage.3.` |
| `v` | of a mobile product | `.<v>.` |
| none | another | `.1.` |

A ping without a schema has to be an object. Errors, of DecodeErrorType "json": `invalid submission: ...` and
`schema: <docType> version: <v> validation error: ...`.

The message has Type and Logger "telemetry". Its Fields: what the URI says; `submissionDate`, `clockSkew` (see
`modules/moz_ingest/util.lua`), `sourceName` ("telemetry"), `sourceVersion`, `normalizedChannel`, `clientId`, `sampleId`
(crc32 of clientId, modulo 100); the headers Host, DNT, Date and X-PingSender-Version; and the document as `submission`.
With `version` also `creationTimestamp` (ns), `reason`, `os`, `normalizedOSVersion`, `telemetryEnabled`, `activeExperimentId`,
`appVendor`, what it says of `application` in place of what the URI does, and moved out of the document into Fields of their
own: the sections of `environment`, and of the payload of main and saved-session pings.
With `v` also `normalizedOs` and `normalizedAppName`.

## Configuration

```lua
decoders_moz_ingest_telemetry = {
    schema_path = "/schemas/json/telemetry",
    inject_raw  = false,            -- inputs: the raw message is injected, too
    user_agent_transform   = false, -- User-Agent becomes user_agent_browser, user_agent_version and user_agent_os
    user_agent_keep        = false, -- and stays as Field User-Agent
    user_agent_conditional = false, -- and stays there where the browser is not known
    reload_interval        = 60,    -- seconds after which a schema's file is looked at again
}
```

## Functions

`transform_message(reader [, msg])` and `decode(data)`, as of `decoders.moz_ingest.common`, but they raise errors as
`type`, tab, `text`, tab, `detail`.
--]]

local dt      = require "lpeg.date_time"
local miu     = require "moz_ingest.util"
local mtn     = require "moz_telemetry.normalize"
local rjson   = require "rjson"
local schemas = require "moz_ingest.schemas"
local string  = require "string"
local zlib    = require "zlib"

local module_name = ...

local inject_message = inject_message

local crc32, format = zlib.crc32, string.format
local assert, error, ipairs, pcall, tonumber, tostring, type = assert, error, ipairs, pcall, tonumber, tostring, type

local M = {}
setfenv(1, M)

local UNKNOWN = "UNKNOWN" -- a dimension that an old ping lacks

local cfg = miu.configuration(module_name)
assert(type(cfg.schema_path) == "string", "schema_path must be set")
assert(cfg.inject_raw == nil or type(cfg.inject_raw) == "boolean", "inject_raw must be a boolean")

local registry   = schemas.new(cfg.schema_path, cfg.reload_interval)
local any_object = rjson.parse_schema '{"type":"object"}'
local document   = rjson.parse("{}") -- used again for each submission
local submission = { value = document, representation = "json" }
local HEADERS    = { "Host", "DNT", "Date", "X-PingSender-Version" }

local ENVIRONMENT = { "addons", "build", "experiments", "partner", "profile", "settings", "system" }
local MAIN = {
    "addonDetails", "addonHistograms", "childPayloads", "chromeHangs", "fileIOReports", "gc", "histograms", "info",
    "keyedHistograms", "lateWrites", "log", "simpleMeasurements", "slowSQL", "slowSQLstartup", "threadHangStats",
    "UIMeasurements",
}
local PAYLOADS = { ["main"] = MAIN, ["saved-session"] = MAIN }

-- The text, number or boolean at the end of a path; nil for all else, since what has no schema may be anything.
local function value(...)
    local found = document:find(...)
    local is = found and document:type(found)
    if is == "string" or is == "number" or is == "boolean" then return document:value(found) end
end

local function validate(doc_type, version)
    version = tonumber(version) or 1
    local schema, reason = registry:find(nil, doc_type, version)
    local ok, report = false, nil
    if not schema and reason == "schema not found" then schema = any_object end
    if schema then ok, reason, report = document:validate(schema) end
    if ok then return end
    error(format("json\tschema: %s version: %s validation error: %s\t%s", doc_type or "", tostring(version), reason,
        report or ""), 0)
end

-- Moves parts of a section into Fields of their own.
local function move_out(fields, section, names)
    local found = names and document:find(section)
    if not found or document:type(found) ~= "object" then return end
    for _, name in ipairs(names) do
        local part = document:remove_shallow(found, name)
        if part then fields[section .. "." .. name] = document:make_field(part) end
    end
end

local function old_ping(fields, version)
    validate(fields.docType, version)
    fields.sourceVersion = tostring(version)
    if version == 3 then return end
    fields.docType           = value("info", "reason") or UNKNOWN
    fields.appName           = value("info", "appName") or UNKNOWN
    fields.appVersion        = value("info", "appVersion") or UNKNOWN
    fields.appUpdateChannel  = value("info", "appUpdateChannel") or UNKNOWN
    fields.appBuildId        = value("info", "appBuildID") or UNKNOWN
    fields.normalizedChannel = mtn.channel(fields.appUpdateChannel)
    fields.telemetryEnabled  = true -- they were sent in no other case
    fields.os                = value("info", "OS")
    fields.appVendor         = value("info", "vendor")
    fields.reason            = value("info", "reason")
    fields.clientId          = value("clientID")
end

local function desktop_ping(fields, version)
    validate(fields.docType, version)
    local created = value("creationDate")
    local moment = type(created) == "string" and dt.rfc3339:match(created)
    if moment then fields.creationTimestamp = dt.time_to_ns(moment) end
    fields.sourceVersion       = version
    fields.reason              = value("payload", "info", "reason")
    fields.os                  = value("environment", "system", "os", "name")
    fields.normalizedOSVersion = mtn.os_version(value("environment", "system", "os", "version"))
    fields.telemetryEnabled    = value("environment", "settings", "telemetryEnabled")
    fields.activeExperimentId  = value("environment", "addons", "activeExperiment", "id")
    fields.clientId            = value("clientId")
    fields.docType             = value("type") or fields.docType
    fields.appName             = value("application", "name") or fields.appName
    fields.appVersion          = value("application", "version") or fields.appVersion
    fields.appBuildId          = value("application", "buildId") or fields.appBuildId
    fields.appUpdateChannel    = value("application", "channel") or fields.appUpdateChannel
    fields.appVendor           = value("application", "vendor")
    fields.normalizedChannel   = mtn.channel(fields.appUpdateChannel)
    move_out(fields, "environment", ENVIRONMENT)
    move_out(fields, "payload", PAYLOADS[fields.docType])
end

local function usage_ping(fields)
    fields.docType = "appusage"
    validate(fields.docType, 3)
    fields.sourceVersion     = "3"
    fields.appName           = "FirefoxOS"
    fields.appVersion        = value("deviceinfo", "platform_version") or UNKNOWN
    fields.appUpdateChannel  = value("deviceinfo", "update_channel") or UNKNOWN
    fields.appBuildId        = value("deviceinfo", "platform_build_id") or UNKNOWN
    fields.normalizedChannel = mtn.channel(fields.appUpdateChannel)
end

local function mobile_ping(fields, version)
    validate(fields.docType, version)
    fields.sourceVersion     = tostring(version)
    fields.clientId          = value("clientId")
    fields.normalizedOs      = mtn.mobile_os(value("os"))
    fields.normalizedAppName = mtn.mobile_app_name(fields.appName)
end

local function read_ping(fields)
    local ver, version, v = value("ver"), value("version"), value("v")
    if ver then
        old_ping(fields, ver)
    elseif version then
        desktop_ping(fields, version)
    elseif document:find("deviceinfo") then
        usage_ping(fields)
    elseif v then
        mobile_ping(fields, v)
    else
        validate(fields.docType, 1)
    end
    if type(fields.clientId) == "string" then fields.sampleId = crc32()(fields.clientId) % 100 end
    fields.submission = submission
end

function transform_message(reader, msg)
    reader = reader or miu.current
    if cfg.inject_raw and type(reader) == "userdata" then pcall(inject_message, reader) end
    msg = msg or miu.new_message(reader)
    msg.Type = "telemetry"
    msg.Fields.sourceName        = "telemetry"
    msg.Fields.normalizedChannel = mtn.channel(msg.Fields.appUpdateChannel)
    miu.add_dates(msg, reader)
    miu.read_document(document, reader)
    read_ping(msg.Fields)

    -- After the validation: an error has these from the raw message.
    miu.add_headers(msg, reader, HEADERS)
    if cfg.user_agent_transform then miu.add_user_agent(msg, reader, cfg) end
    miu.inject(msg)
end

decode = miu.decoder(module_name, transform_message)

return M
