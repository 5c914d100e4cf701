-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# New doctype monitor: alerts when a kind of documents comes that never came before

Remembers the kinds it has seen (namespace/docType/version) and sends an alert when `threshold` documents of a new one have come within
`window` seconds. What comes in the first `learn` seconds is known without an alert. The table `new_doctype` lists all kinds with the time of
their first document. What is known outlives a restart.

## Sample configuration

```lua
filename        = "new_doctype_monitor.lua"
message_matcher = "Type == 'telemetry' || Type == 'validated'"
ticker_interval = 60
preserve_data   = true
-- key       = { "Logger", "Fields[docType]", "Fields[docVersion]" }
-- known     = { "telemetry/main/-" }  -- kinds that need no alert; "-" stands for what a message lacks
-- threshold = 10       -- documents of a new kind that make an alert; fewer may be somebody's mistake
-- window    = 3600     -- seconds
-- learn     = 86400    -- seconds from the first message on; 0: only `known` is known
-- kinds_max = 1000     -- kinds that are remembered; messages of further ones are counted only
-- title     = "new_doctype"
-- preservation_version = 0
alert = {
    modules = { email = { recipients = { "ops@example.com" } } },
}
```

## Alerts

The id is `KIND.new`. The summary says what is new: the kind, or only its version (the last part of the key).
--]]

_PRESERVATION_VERSION = read_config("preservation_version") or 0

local alerts = require "monitor.alerts"
local key    = require "monitor.key"
local string = require "string"
local table  = require "table"

local known     = read_config("known") or {}
local threshold = read_config("threshold") or 10
local window_ns = (read_config("window") or 3600) * 1e9
local learn_ns  = (read_config("learn") or 86400) * 1e9
local kinds_max = read_config("kinds_max") or 1000
local title     = read_config("title") or "new_doctype"
assert(threshold >= 1, "threshold must be at least 1")
assert(kinds_max >= 1, "kinds_max must be at least 1")

local key_of = key.new(read_config("key") or { "Logger", "Fields[docType]", "Fields[docVersion]" }, "-")
local sender = alerts.new { payloads = 1 }
local read_message = read_message

-- A kind has n (messages), first and last (their times), and known.
state = { began = 0, kinds = {}, n_kinds = 0, more = 0, alerts = sender:state() }

local configured = {}
for _, kind in ipairs(known) do configured[kind] = true end

-- Kinds of which too few came for too long.
local function forget_rare(ns)
    for kind, seen in pairs(state.kinds) do
        if not seen.known and ns - seen.last > window_ns then
            state.kinds[kind] = nil
            state.n_kinds = state.n_kinds - 1
        end
    end
end

local function remember(kind, ns)
    if state.n_kinds >= kinds_max then
        state.more = state.more + 1
        return nil
    end
    state.n_kinds = state.n_kinds + 1
    local seen = { n = 0, first = ns, last = ns, known = configured[kind] or ns - state.began < learn_ns }
    state.kinds[kind] = seen
    return seen
end

local function what_is_new(kind)
    local document = string.match(kind, "^(.*)/[^/]*$")
    for other, seen in pairs(state.kinds) do
        if document and seen.known and string.sub(other, 1, #document + 1) == document .. "/" then
            return string.format("%s: a new version of known documents", kind)
        end
    end
    return string.format("%s: a new kind of documents", kind)
end

local function tell(kind, seen, ns)
    local detail = string.format("%d documents of %s came since %s; none had come before. %d kinds are known. See the table %s.",
        seen.n, kind, alerts.date(seen.first), state.n_kinds - 1, title)
    sender:raise(state.alerts, ns, kind, kind .. ".new", what_is_new(kind), detail)
    seen.known = true
end

function process_message()
    local ns, kind = read_message("Timestamp"), key_of()
    if state.began == 0 then state.began = ns end
    local seen = state.kinds[kind] or remember(kind, ns)
    if not seen then return 0 end
    if not seen.known and ns - seen.first > window_ns then seen.n, seen.first = 0, ns end
    seen.n = seen.n + 1
    if ns > seen.last then seen.last = ns end
    if not seen.known and seen.n >= threshold then tell(kind, seen, ns) end
    return 0
end

function timer_event(ns, shutdown)
    forget_rare(ns)
    sender:send(state.alerts)
    local order = {}
    for kind in pairs(state.kinds) do order[#order + 1] = kind end
    table.sort(order)
    add_to_payload("Kind\tDocuments\tFirst\tLast\tKnown\n")
    for _, kind in ipairs(order) do
        local seen = state.kinds[kind]
        add_to_payload(kind, "\t", seen.n, "\t", alerts.date(seen.first), "\t", alerts.date(seen.last), "\t",
            seen.known and "yes" or "not yet", "\n")
    end
    if state.more > 0 then add_to_payload("(more)\t", state.more, "\t-\t-\t-\n") end
    inject_payload("tsv", title)
end
