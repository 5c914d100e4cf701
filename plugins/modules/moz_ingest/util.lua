-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Ingestion: what the decoders of submissions share

A *reader* is what has the raw message: a stream reader of an input plugin, or `util.current`, the message that an output
plugin is called with.

## Functions

`new_message(reader [, uri])` returns a message table with what the URI says: Timestamp, Logger (the namespace), Type
"validated", and Fields `documentId`, `docType`, and of telemetry `appName`, `appVersion`, `appUpdateChannel` and
`appBuildId`, of other namespaces `docVersion`. A place that the raw message already has (`geoCountry`, `geoCity`,
`geoSubdivision1`, `geoSubdivision2`, `geoISP`) is taken over. Errors: `missing uri`, `invalid uri`.

    /submit/telemetry/<documentId>/<docType>/<appName>/<appVersion>/<appUpdateChannel>/<appBuildId>
    /submit/<namespace>/<docType>/<docVersion>/<documentId>

`parse_content(document, reader)` parses Field `content`, also compressed by gzip, into an rjson document. It is UTF-8, or
the error tells.

`configuration(module_name)` returns the module's table of the plugin's configuration, `decoders_moz_ingest_json` for
`decoders.moz_ingest.json`, which must be there.

`decoder(module_name, transform)` returns the function `decode(data)` of an input's decoder: it hands the reader of an encoded
message to `transform`, and returns what that returns.

`read_document(document, reader)` is `parse_content` whose error names the kind and the text, as the decoders tell errors;
`inject(msg)` injects a message in the same way.

`add_dates(msg, reader)` adds `submissionDate` (YYYYMMDD in UTC, of the Timestamp) and, where the client sent its time as
Field `Date`, `clockSkew`: by how many seconds the client's clock is behind the edge's.

`add_headers(msg, reader, names)` copies Hostname, EnvVersion and the named Fields.

`add_user_agent(msg, reader, cfg)` adds `user_agent_browser`, `user_agent_version` and `user_agent_os` if
`cfg.user_agent_transform`, and Field `User-Agent` without it, with `cfg.user_agent_keep`, or with
`cfg.user_agent_conditional` where the browser is not known.

`is_private(name)` says whether a Field of a raw message tells the client's address.

`restore_raw(message)` makes of an error (a table as of `decode_message`) the raw message that it was, but for the address;
its place is kept. It gets a Field `reprocessed`, which counts. Returns nil and a reason where it is no error.

`load_json_schemas(path)` returns all schemas below a folder, by docType and version. `moz_ingest.schemas` reads them when
they are needed.
--]]

local l      = require "lpeg"
local lfs    = require "lfs"
local dt     = require "lpeg.date_time"
local clf    = require "lpeg.common_log_format"
local os     = require "os"
local string = require "string"
l.locale(l)

local create_stream_reader = create_stream_reader -- inputs have it
local read_message         = read_message -- outputs have it
local inject_message       = inject_message
local read_config          = read_config
local date, gsub, lower, match = os.date, string.gsub, string.lower, string.match
local assert, error, ipairs, pcall, require, tonumber, type = assert, error, ipairs, pcall, require, tonumber, type

local M = {}
setfenv(1, M)

-- Every Field through which an edge or a proxy may tell an address, in lower case.
local PRIVATE = {
    ["remote_addr"] = true, ["x-forwarded-for"] = true, ["forwarded"] = true, ["x-real-ip"] = true,
    ["true-client-ip"] = true, ["cf-connecting-ip"] = true, ["x-client-ip"] = true, ["x-cluster-client-ip"] = true,
    ["client-ip"] = true, ["x-forwarded"] = true, ["forwarded-for"] = true, ["via"] = true,
}
local GEO = { "geoCountry", "geoCity", "geoSubdivision1", "geoSubdivision2", "geoISP" }
local IS_GEO = {}
for _, name in ipairs(GEO) do IS_GEO[name] = true end

current = { read_message = function(_, ...) return read_message(...) end }

local element = l.P"/" * l.C((1 - l.P"/")^1)
local version = l.digit^1 / tonumber

local telemetry_uri = l.Ct(l.P"/submit/" * l.Cg("telemetry", "namespace") * l.Cg(element, "documentId")
    * l.Cg(element, "docType") * l.Cg(element, "appName") * l.Cg(element, "appVersion")
    * l.Cg(element, "appUpdateChannel") * l.Cg(element, "appBuildId"))
local generic_uri = l.Ct(l.P"/submit" * l.Cg(element, "namespace") * l.Cg(element, "docType")
    * "/" * l.Cg(version, "docVersion") * l.Cg(element, "documentId"))
local uri_grammar = telemetry_uri + generic_uri

function new_message(reader, uri)
    uri = uri or reader:read_message("Fields[uri]") or error("missing uri", 0)
    local fields = uri_grammar:match(uri) or error("invalid uri", 0)
    local namespace = fields.namespace
    fields.namespace = nil
    for _, name in ipairs(GEO) do fields[name] = reader:read_message("Fields[" .. name .. "]") end
    return { Timestamp = reader:read_message("Timestamp"), Logger = namespace, Type = "validated", Fields = fields }
end

function parse_content(document, reader)
    if type(reader) == "userdata" then
        return document:parse_message(reader, "Fields[content]", nil, nil, true)
    end
    return document:parse_message("Fields[content]", nil, nil, true)
end

function configuration(module_name)
    local name = gsub(module_name, "%.", "_")
    local cfg = read_config(name)
    assert(type(cfg) == "table", name .. " must be a table")
    return cfg
end

function decoder(module_name, transform)
    local reader
    return function(data)
        reader = reader or create_stream_reader(module_name)
        reader:decode_message(data)
        return transform(reader)
    end
end

function read_document(document, reader)
    local ok, err = pcall(parse_content, document, reader)
    if not ok then error("json\tinvalid submission: " .. err, 0) end
end

function inject(msg)
    local ok, err = pcall(inject_message, msg)
    if not ok then error("inject_message\t" .. err, 0) end
end

-- As HTTP writes dates.
local http_date = dt.build_strftime_ns_grammar("%a, %d %b %Y %H:%M:%S") * (l.P" GMT" + l.P" UTC") * -1

function add_dates(msg, reader)
    msg.Fields.submissionDate = date("!%Y%m%d", msg.Timestamp / 1e9)
    local sent = reader:read_message("Fields[Date]")
    local ns = type(sent) == "string" and http_date:match(sent)
    if ns then msg.Fields.clockSkew = { value = (msg.Timestamp - ns) / 1e9, representation = "s" } end
end

function add_headers(msg, reader, names)
    msg.EnvVersion = reader:read_message("EnvVersion")
    msg.Hostname   = reader:read_message("Hostname")
    for _, name in ipairs(names) do msg.Fields[name] = reader:read_message("Fields[" .. name .. "]") end
end

function add_user_agent(msg, reader, cfg)
    local agent = reader:read_message("Fields[User-Agent]")
    local fields = msg.Fields
    if type(agent) ~= "string" then return end
    if not cfg.user_agent_transform then
        fields["User-Agent"] = agent
        return
    end
    fields.user_agent_browser, fields.user_agent_version, fields.user_agent_os = clf.normalize_user_agent(agent)
    if cfg.user_agent_keep or cfg.user_agent_conditional and not fields.user_agent_browser then
        fields["User-Agent"] = agent
    end
end

function is_private(name)
    return PRIVATE[lower(name)] == true
end

-- The Fields of the raw message stand before DecodeErrorType, what the loader added behind it.
function restore_raw(message)
    local raw, own, is_raw, count = {}, {}, true, 0
    for _, field in ipairs(message.Fields or {}) do
        if field.name == "DecodeErrorType" then is_raw = false end
        if field.name == "reprocessed" then
            count = field.value[1]
        elseif is_raw or IS_GEO[field.name] then
            raw[#raw + 1] = field
        else
            own[field.name] = field.value[1]
        end
    end
    if is_raw then return nil, "no Field DecodeErrorType" end
    raw[#raw + 1] = { name = "reprocessed", value = count + 1, value_type = 2 }
    message.Type, message.Logger, message.Fields = own.DecodeRawType, own.DecodeRawLogger, raw
    return message, count
end

function load_json_schemas(path)
    local registry = require "moz_ingest.schemas".new(path)
    local schemas = {}
    for folder in lfs.dir(path) do
        local names = path .. "/" .. folder
        if not match(folder, "^%.") and lfs.attributes(names, "mode") == "directory" then
            for file in lfs.dir(names) do
                local name, version = match(file, "^(.+)%.(%d+)%.schema%.json$")
                if name == folder then
                    schemas[name] = schemas[name] or {}
                    schemas[name][tonumber(version)] = assert(registry:find(nil, name, version))
                end
            end
        end
    end
    return schemas
end

return M
