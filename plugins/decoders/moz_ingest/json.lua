-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Generic submissions: JSON documents of any namespace, validated by the schema of their folder

A new namespace is a folder of schemas: `namespace_path/<namespace>/<docType>/<docType>.<docVersion>.schema.json`. A document
without a schema is an error. A sub-decoder of `decoders.moz_ingest.common`.

The message has Type "validated", Logger the namespace, what the URI says, `submissionDate`, `clockSkew` (see
`modules/moz_ingest/util.lua`), Field `Host`, and the document as Field `submission` (representation "json").

Errors, of DecodeErrorType "json": `invalid submission: ...` and `namespace: <n> schema: <docType> version: <v> error: ...`.

## Configuration

```lua
decoders_moz_ingest_json = {
    namespace_path   = "/schemas/json",
    namespace_ignore = { "heka", "metadata", "pioneer-study", "telemetry" }, -- folders that are no namespaces
    user_agent_transform   = false, -- User-Agent becomes user_agent_browser, user_agent_version and user_agent_os
    user_agent_keep        = false, -- and stays there
    user_agent_conditional = false, -- and stays there where the browser is not known
    reload_interval        = 60,    -- seconds after which a schema's file is looked at again
}
```

## Functions

`transform_message(reader [, msg])` and `decode(data)`, as of `decoders.moz_ingest.common`, but they raise errors as
`type`, tab, `text`, tab, `detail`.
--]]

local miu     = require "moz_ingest.util"
local schemas = require "moz_ingest.schemas"
local rjson   = require "rjson"
local string  = require "string"

local module_name = ...

local format = string.format
local assert, error, ipairs, type = assert, error, ipairs, type

local M = {}
setfenv(1, M)

local cfg = miu.configuration(module_name)
assert(type(cfg.namespace_path) == "string", "namespace_path must be set")
local ignored = cfg.namespace_ignore or { "heka", "metadata", "pioneer-study", "telemetry" }
assert(type(ignored) == "table", "namespace_ignore must be a table")

local is_ignored = {}
for _, name in ipairs(ignored) do is_ignored[name] = true end

local registry   = schemas.new(cfg.namespace_path, cfg.reload_interval)
local document   = rjson.parse("{}") -- used again for each submission
local submission = { value = document, representation = "json" }
local HEADERS    = { "Host" }

local function schema_of(msg)
    if is_ignored[msg.Logger] then return nil, "schema not found" end
    return registry:find(msg.Logger, msg.Fields.docType, msg.Fields.docVersion)
end

local function validate(msg)
    local schema, reason = schema_of(msg)
    local ok, report = false, nil
    if schema then ok, reason, report = document:validate(schema) end
    if ok then return end
    error(format("json\tnamespace: %s schema: %s version: %.0f error: %s\t%s", msg.Logger, msg.Fields.docType or "",
        msg.Fields.docVersion or 0, reason, report or ""), 0)
end

function transform_message(reader, msg)
    reader = reader or miu.current
    msg = msg or miu.new_message(reader)
    miu.read_document(document, reader)
    validate(msg)

    -- After the validation: an error has these from the raw message.
    msg.Fields.submission = submission
    miu.add_dates(msg, reader)
    miu.add_headers(msg, reader, HEADERS)
    miu.add_user_agent(msg, reader, cfg)
    miu.inject(msg)
end

decode = miu.decoder(module_name, transform_message)

return M
