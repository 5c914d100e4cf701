-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Loader: raw submissions to validated messages, duplicates and errors

The decoder of messages that `input/http_edge.lua` makes. It reads the URI, looks up where the client is, drops the
address, finds duplicates, and hands the rest to the decoder of the namespace, which validates. In an output
plugin it is `output/loader.lua`; in an input plugin `decoder_module = "decoders.moz_ingest.common"`.

| Type | the message |
|---|---|
| telemetry, validated | a document that its schema allows; "telemetry" in the namespace of that name |
| telemetry.duplicate, duplicate | its URI was seen in the last 25.6 hours: what the URI says, and `duplicateDelta`, in intervals |
| telemetry.error, error | the raw message without addresses, what the URI says, and why: the errors stream |

Logger is the namespace, or `moz_ingest` for an error in the URI. The Fields of an error are those of the raw message, then
`DecodeErrorType` ("uri", "json", "skipped", "inject_message", "internal"), `DecodeError`, `DecodeErrorDetail` (all violations
of the schema as JSON), `DecodeRawType` and `DecodeRawLogger`, and what was already known of the document.
`output/reprocess_errors.lua` makes the raw message of an error again.

No message of the loader has the client's address, unless `geo_ip_keep` is set.

## Configuration

```lua
decoders_moz_ingest_common = {
    sub_decoders = { -- namespace = module with transform_message(reader, msg); "*" for all others
        telemetry = "decoders.moz_ingest.telemetry",
        ["*"]     = "decoders.moz_ingest.json",
    },
    error_on_missing_sub_decoder = false, -- documents without a decoder become errors; else they are dropped
    city_db_file = "/usr/share/geoip/GeoIP2-City.mmdb", -- optional: adds geoCity and geoCountry, "??" where not known
    geo_report_subdivisions = false,      -- adds geoSubdivision1 and geoSubdivision2
    geo_ip_keep = false,                  -- adds geoIP, the address
    city_size_file = "/usr/share/geoip/cities15000.txt", -- optional: lines that begin with the geoname_id of the cities told
    isp_db_file = "/usr/share/geoip/GeoIP2-ISP.mmdb", -- optional: adds geoISP
    isp_docTypes = { study = true },      -- with isp_db_file: for which docTypes; ["*"] for all
    cf_items = 1e6,                       -- optional: finds duplicates among so many documents of each partition
    cf_partitions = 4,
    cf_interval_size = 6,                 -- minutes; 256 of them are remembered
    reload_interval = 60,                 -- seconds after which the files above are looked at again
}
preserve_data        = true -- duplicates are found after a restart, too
preservation_version = 0    -- to be raised when a cf_ setting changes
```

Of several addresses in `X-Forwarded-For` the last is taken, which is what the edge's proxy saw; without it `remote_addr`.

A document counts as seen once its message is in the queue, so one that a stop or a crash interrupts is not taken for a
duplicate of itself. One with a Timestamp before the 256 intervals is a duplicate only if its URI is among them. What
`reprocess_errors` sends again is never a duplicate.

## Functions

`transform_message(reader [, msg])` takes the message that a reader has; nil for the current message of an output. It returns
nil, or a reason where not even an error could be injected.

`decode(data)` takes an encoded message (inputs). It returns the same.
--]]

local io     = require "io"
local lfs    = require "lfs"
local miu    = require "moz_ingest.util"
local os     = require "os"
local string = require "string"
local table  = require "table"
local zlib   = require "zlib"

local module_name = ...
local globals     = _G

_PRESERVATION_VERSION = _PRESERVATION_VERSION or read_config("preservation_version") or 0

local decode_message = decode_message
local inject_message = inject_message

local crc32, match, format, time = zlib.crc32, string.match, string.format, os.time
local assert, error, ipairs, pairs, pcall, print, require, tonumber, tostring, type =
      assert, error, ipairs, pairs, pcall, print, require, tonumber, tostring, type

local M = {}
setfenv(1, M)

local UNKNOWN     = "??"
local N_INTERVALS = 256 -- that an expiring filter remembers
local CITIES_MAX  = 1e6 -- lines of a city_size_file

local cfg = miu.configuration(module_name)

local reload_interval = cfg.reload_interval or 60

-- Returns a function that gives what `load` makes of a file, anew when the file has changed. The first time has to succeed.
local function watched(path, load)
    local value, stamp, looked
    local function look()
        local found = assert(lfs.attributes(path))
        local now = format("%d %d %d", found.modification, found.size, found.ino)
        if now ~= stamp then
            value = load(path)
            stamp = now
        end
    end
    look()
    looked = time()
    return function()
        local now = time()
        if now < looked or now >= looked + reload_interval then
            looked = now
            local ok, err = pcall(look)
            if not ok then print("cannot be read again, what was read stays in use", path, err) end
        end
        return value
    end
end

local function open_database(path)
    return require "maxminddb".open(path)
end

local function read_cities(path)
    local cities, count = {}, 0
    for line in io.lines(path) do
        local id = tonumber(match(line, "^%d+"))
        assert(id, "city_size_file lines must all start with integer geoname_id")
        cities[id] = true
        count = count + 1
        assert(count <= CITIES_MAX, "city_size_file has too many lines")
    end
    return cities
end

local function load_sub_decoders()
    assert(type(cfg.sub_decoders) == "table", "sub_decoders must be a table")
    local found, count = {}, 0
    for namespace, name in pairs(cfg.sub_decoders) do
        count = count + 1
        if type(name) == "string" then
            found[namespace] = require(name).transform_message
            assert(type(found[namespace]) == "function",
                "sub_decoders, no transform_message function defined: " .. namespace)
        elseif not (namespace == "test" and name == true) then -- for tests without a decoder
            error("sub_decoder, invalid type: " .. namespace)
        end
    end
    assert(count > 0, "no sub_decoders configured")
    return found
end

-- The filters are globals, so that they are preserved.
local function make_filters()
    local n = cfg.cf_partitions or 4
    assert(type(n) == "number" and n >= 1 and n <= 1024 and n % 1 == 0, "cf_partitions must be a whole number from 1 to 1024")
    local filters = {}
    for i = 1, n do
        local name = "g_mi_dedupe" .. i
        globals[name] = require "cuckoo_filter_expire".new(cfg.cf_items, cfg.cf_interval_size or 6)
        filters[i] = globals[name]
    end
    return filters
end

local city_db  = cfg.city_db_file and watched(cfg.city_db_file, open_database)
local cities   = cfg.city_size_file and watched(cfg.city_size_file, read_cities)
local isp_db   = cfg.isp_db_file and watched(cfg.isp_db_file, open_database)
local filters  = cfg.cf_items and make_filters()
local interval = (cfg.cf_interval_size or 6) .. "m"
if isp_db then
    assert(type(cfg.isp_docTypes) == "table", "isp_docTypes table must be set")
else
    assert(cfg.isp_docTypes == nil, "isp_docTypes cannot be defined without isp_db_file")
end
local sub_decoders = load_sub_decoders()

-- A value of a place, nil where it has none.
local function part(place, ...)
    local ok, value = pcall(place.get, place, ...)
    if ok then return value end
end

local function lookup(database, address)
    if type(address) ~= "string" then return nil end
    local ok, place = pcall(database.lookup, database, address)
    if ok then return place end
end

local function add_city(fields, address)
    local place = lookup(city_db(), address)
    fields.geoCity, fields.geoCountry = UNKNOWN, UNKNOWN
    if not place then return end
    fields.geoCountry = part(place, "country", "iso_code") or UNKNOWN
    if not cities or cities()[part(place, "city", "geoname_id") or ""] then
        fields.geoCity = part(place, "city", "names", "en") or UNKNOWN
    end
    if cfg.geo_report_subdivisions then
        fields.geoSubdivision1 = part(place, "subdivisions", "0", "iso_code")
        fields.geoSubdivision2 = part(place, "subdivisions", "1", "iso_code")
    end
end

local function add_place(reader, fields)
    if fields.geoCountry or not (city_db or isp_db or cfg.geo_ip_keep) then return end
    local forwarded = reader:read_message("Fields[X-Forwarded-For]")
    local address = forwarded and match(tostring(forwarded), "([^,%s]+)%s*$") or reader:read_message("Fields[remote_addr]")
    if cfg.geo_ip_keep then fields.geoIP = address end
    if city_db then add_city(fields, address) end
    if isp_db and (cfg.isp_docTypes["*"] or cfg.isp_docTypes[fields.docType]) then
        local place = lookup(isp_db(), address)
        fields.geoISP = place and part(place, "isp") or UNKNOWN
    end
end

local function kind(namespace, what)
    return namespace == "telemetry" and "telemetry." .. what or what
end

-- The Fields of the raw message without addresses, then what is known of the error and of the document.
local function error_fields(raw, problem, msg)
    local fields, taken = {}, {}
    local function add(name, value)
        if value == nil or value == "" or taken[name] then return end
        local field = { name = name, value = value }
        if type(value) == "table" then
            field.value, field.value_type, field.representation = value.value, value.value_type, value.representation
        end
        fields[#fields + 1] = field
    end
    for _, field in ipairs(raw.Fields or {}) do
        if not miu.is_private(field.name) then
            fields[#fields + 1] = field
            taken[field.name] = true
        end
    end
    add("DecodeErrorType", problem.kind)
    add("DecodeError", problem.text)
    add("DecodeErrorDetail", problem.detail)
    add("DecodeRawType", raw.Type)
    add("DecodeRawLogger", raw.Logger)
    -- What could not be injected once cannot be part of the error either.
    if msg and problem.kind ~= "inject_message" then
        for name, value in pairs(msg.Fields) do
            local is_document = type(value) == "table" and (value.userdata ~= nil or type(value.value) == "userdata")
            if not is_document then add(name, value) end
        end
    end
    return fields
end

-- A message that is too long goes without what makes it long; the reason of the error is what has to be told.
local function inject_error(reader, namespace, problem, msg)
    local raw = decode_message(reader:read_message("raw"))
    raw.Fields = error_fields(raw, problem, msg)
    raw.Logger, raw.Type = namespace, kind(namespace, "error")
    local ok, err = pcall(inject_message, raw)
    for _, name in ipairs { "DecodeErrorDetail", "content" } do
        if ok then break end
        for i = #raw.Fields, 1, -1 do
            if raw.Fields[i].name == name then table.remove(raw.Fields, i) end
        end
        ok, err = pcall(inject_message, raw)
    end
    if not ok then return format("an error could not be injected: %s; it was: %s", err, problem.text) end
end

local function problem_of(err)
    err = tostring(err)
    local kind, text, detail = match(err, "^([^\t]+)\t([^\t]+)\t?(.*)$")
    if not kind then return { kind = "internal", text = err } end
    return { kind = kind, text = text, detail = detail }
end

-- Injects the document as a duplicate, if it is one.
local function is_duplicate(filter, uri, msg)
    if not filter:query(uri) then return false end
    local is_new, delta = filter:add(uri, msg.Timestamp)
    if is_new then -- it was seen, but so long ago that it is forgotten now
        filter:delete(uri)
        return false
    end
    msg.Type = kind(msg.Logger, "duplicate")
    msg.Fields.duplicateDelta = { value = delta or N_INTERVALS, value_type = 2, representation = interval }
    inject_message(msg)
    return true
end

local function run_sub_decoder(reader, msg)
    local transform = sub_decoders[msg.Logger] or sub_decoders["*"]
    if transform then
        local ok, err = pcall(transform, reader, msg)
        if not ok or err then return inject_error(reader, msg.Logger, problem_of(err), msg) end
    elseif cfg.error_on_missing_sub_decoder then
        return inject_error(reader, msg.Logger, { kind = "skipped", text = "no sub decoder" }, msg)
    end
end

function transform_message(reader, msg)
    reader = reader or miu.current
    local uri = reader:read_message("Fields[uri]")
    if not msg then
        local ok
        ok, msg = pcall(miu.new_message, reader, uri)
        if not ok then return inject_error(reader, "moz_ingest", { kind = "uri", text = msg }) end
    end
    add_place(reader, msg.Fields)

    local filter, timestamp = nil, msg.Timestamp
    if filters and msg.Fields.documentId and type(uri) == "string" then
        filter = filters[crc32()(uri) % #filters + 1]
        if not reader:read_message("Fields[reprocessed]") and is_duplicate(filter, uri, msg) then return end
    end
    local err = run_sub_decoder(reader, msg)
    if filter and not err then
        local ok, why = pcall(filter.add, filter, uri, timestamp)
        if not ok then print("not remembered, a duplicate would not be found", why) end
    end
    return err
end

decode = miu.decoder(module_name, transform_message)

return M
