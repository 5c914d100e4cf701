-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Alert output: tells people what plugins found wrong, by mail, chat, webhook, pager or file

Takes the messages that `heka.alert` makes, and hands each to the channels that want it. The same alert is told again only
after `throttle` minutes; alerts that come together are one notification; what has ended is told as recovered; what
somebody has silenced in the web UI is kept back while the silence holds. A channel that does not work holds up no other
one: what it has to say waits, also over a restart. Every notification is sent at least once.

## Sample configuration

```lua
filename        = "alert.lua"
message_matcher = "Type == 'alert'"
ticker_interval = 1
preserve_data   = true
memory_limit    = 64 * 1024 * 1024
instruction_limit = 0

alert = {
    channels = {
        ops  = { kind = "email", server = "mail.example.com", port = 587, starttls = {}, user = "foresight",
                 _password = "env:SMTP_PASSWORD", from = "foresight@example.com", recipients = { "ops@example.com" } },
        file = { kind = "file", path = "/var/log/alerts.json" },
        -- chat  = { kind = "slack", url = "env:SLACK_URL", matcher = "Severity <= 3" },
        -- hook  = { kind = "webhook", url = "https://example.com/alerts", secret = "file:/run/secrets/hook" },
        -- pager = { kind = "pagerduty", routing_key = "file:/run/secrets/pagerduty" },
    },
    -- modules = {                   -- for alerts that name their receivers, as heka.alert.email makes them
    --     email = { from = "foresight@example.com", server = "localhost" },
    -- },
    -- recover_after = 120,          -- minutes without it after which an alert has ended; 0 never
    -- link = "https://foresight.example.com/#/alerts", -- put into notifications
    -- silences = "/var/lib/foresight/output/admin/silences.json", -- where the web UI writes them, its own place if not given
}
```

## Channels

Each entry of `channels` has a `kind`: `email`, `slack`, `webhook`, `pagerduty` or `file`, whose keys stand at the head of
`plugins/alert/<kind>.lua`, and may have

| key | | default |
|---|---|---|
| `matcher` | which alerts it wants, in the language of `message_matcher` | all |
| `throttle` | minutes until the same alert (plugin and id) may be told again; 0 always | 15 |
| `group_wait` | seconds for which alerts are gathered into one notification | 10, pagerduty 0 |
| `group_by` | what goes together: "plugin", "id", "all" | "plugin" |
| `recovery` | whether it is told what has ended | true |
| `retry_min`, `retry_max` | seconds until a failed attempt is repeated: the first time, and at most | 1, 300 |

Each entry of `modules` is a channel, too, for those alerts whose Fields name it: `email.recipients` goes to `email`. Other
modules are found as `alert.<name>` and have `send(msg, settings)`, which returns nothing or an error. For these `throttle`
and `group_wait` are 0 and `recovery` is false if they are not given, because the plugin decides by itself. An alert for a
module that is not configured, which no channel wants either, fails.

Secrets may be written as `env:NAME` or `file:/path`. They are never part of logs or states.

## How it ends

An alert ends when its plugin says so (`heka.alert.recover`), or when it has not come for `recover_after` minutes; that
should be longer than the throttle of the plugins. An alert that was silenced and is still there when the silence ends is
told then.

## What is kept

At most 1000 alerts, of the rest the oldest are forgotten; for each channel 100 notifications, then further alerts are
added to the newest one. A notification that the receiver refuses three times (400, 413, 415 and 422 of HTTP, 550 to 554 of
SMTP) is given up: a message of Type `alert.failed` is injected. With `preserve_data` all of it outlives a restart, and a
message counts as delivered when it is in that state; without it when all channels have it. Without `ticker_interval`
nothing is gathered, and an alert comes again until all channels have it.

The state of alerts and channels is written to `<output_path>/admin/alerting/<plugin>.json`, where the web UI reads it. An
alert with the Field `alert.state` = "test" goes at once to all `channels`.
--]]

require "io"
require "math"
require "os"
require "string"
require "table"
local append_file = require "foresight.append_file"
local cjson       = require "cjson"
local lfs         = require "lfs"
local outbox      = require "alerting.outbox"
local silences    = require "alerting.silences"

local cfg = read_config("alert")
assert(type(cfg) == "table", "alert configuration must be a table")
assert(cfg.channels or type(cfg.modules) == "table", "alert.modules configuration must be a table")
assert(cfg.channels == nil or type(cfg.channels) == "table", "alert.channels configuration must be a table")

local ALERTS_MAX    = 1000
local SHOWN_MAX     = 500
local DETAIL_MAX    = 2048
local TEXT_MAX      = 512
local NAME_MAX      = 256
local RECIPIENTS_MAX = 100
-- What has ended is shown so long, seconds.
local KEEP_RECOVERED = 86400

local output_path   = read_config("output_path")
local logger        = read_config("Logger")
local has_ticker    = (read_config("ticker_interval") or 0) > 0
local preserves     = read_config("preserve_data") == true
local recover_after = (cfg.recover_after or 120) * 60
local silenced      = silences.open(cfg.silences or output_path .. "/admin/silences.json")

-- What outlives a restart: alerts by plugin and id, and what waits for each channel.
book = { alerts = {}, boxes = {} }

local channels = {} -- by name: outbox, settings, matcher
local names    = {} -- of all, those of modules behind those of channels
local adopted  = nil -- the book that the outboxes work on
local is_dirty = true

local function given_up(name)
    return function(notification, reason)
        local first = notification.alerts[1]
        inject_message {
            Type = "alert.failed", Severity = 3, Payload = first.detail,
            Fields = { channel = name, reason = reason, plugin = first.plugin, id = first.id, summary = first.summary,
                count = #notification.alerts + notification.more },
        }
    end
end

-- A module as they were written for Hindsight: it gets the message and what it says of its receivers.
local function sender_of_module(mod)
    return function(notification)
        local alert = notification.alerts[1]
        local err = mod.send({
            Type = "alert", Payload = alert.detail, Severity = alert.severity, Logger = alert.plugin, Hostname = alert.host,
            Timestamp = alert.at * 1e9,
            Fields = { { name = "id", value = { alert.id } }, { name = "summary", value = { alert.summary } } },
        }, notification.to or {})
        if err then return nil, err end
        return true
    end
end

local function add_channel(name, kind, settings, is_module)
    assert(not channels[name], string.format("two channels are called '%s'", name))
    local module_of_kind = require("alert." .. kind)
    local where = string.format("alert.%s.%s", is_module and "modules" or "channels", name)
    local send
    if module_of_kind.new then
        local ok, made = pcall(module_of_kind.new, settings)
        if not ok then error(where .. ": " .. tostring(made), 0) end
        send = made
    else
        assert(type(module_of_kind.send) == "function", where .. ": the module has neither new nor send")
        send = sender_of_module(module_of_kind)
    end
    local wait = settings.group_wait or (is_module or kind == "pagerduty") and 0 or 10
    local recovery = settings.recovery
    if recovery == nil then recovery = not is_module end
    channels[name] = {
        is_module = is_module, recovery = recovery, throttle = (settings.throttle or is_module and 0 or 15) * 60,
        matcher = settings.matcher and create_message_matcher(settings.matcher),
        box = outbox.new(name, {
            kind = kind, send = send, group_wait = has_ticker and wait or 0, group_by = settings.group_by or "plugin",
            retry_min = settings.retry_min, retry_max = settings.retry_max, link = cfg.link, given_up = given_up(name),
        }),
    }
    names[#names + 1] = name
end

local function sorted_keys(entries)
    local keys = {}
    for key in pairs(entries or {}) do keys[#keys + 1] = key end
    table.sort(keys)
    return keys
end

for _, name in ipairs(sorted_keys(cfg.channels)) do
    local settings = cfg.channels[name]
    assert(type(settings) == "table" and type(settings.kind) == "string",
        string.format("alert.channels.%s must be a table with a kind", name))
    add_channel(name, settings.kind, settings, false)
end
for _, name in ipairs(sorted_keys(cfg.modules)) do
    local settings = cfg.modules[name]
    assert(type(settings) == "table", string.format("alert.modules.%s configuration must be a table", name))
    add_channel(name, name, settings, true)
end
assert(#names > 0, "alert has no channels and no modules")

-- After a change of the configuration some channels may be gone.
local function forget_channels()
    for _, entry in pairs(book.alerts) do
        local still = {}
        for _, name in ipairs(entry.wanted or {}) do
            if channels[name] then still[#still + 1] = name end
        end
        entry.wanted, entry.to = still, entry.to or {}
    end
end

-- The preserved state is there only after the main chunk has run.
local function adopt()
    if adopted == book then return end
    adopted = book
    for _, name in ipairs(names) do
        local saved = book.boxes[name] or { queue = {}, groups = {} }
        book.boxes[name] = saved
        channels[name].box:adopt(saved)
    end
    -- What waited for a channel that is gone is nobody's.
    for name in pairs(book.boxes) do
        if not channels[name] then book.boxes[name] = nil end
    end
    forget_channels()
end

-- ---- From a message to an alert ----

local function text_of(name, limit)
    local value = read_message(name)
    if value == nil then return "" end
    return string.sub(tostring(value), 1, limit or TEXT_MAX)
end

-- What the Fields say of the receivers: by module, then by name, the values.
local function receivers()
    local found = {}
    for _, field in ipairs(decode_message(read_message("raw")).Fields or {}) do
        local name, key = string.match(field.name, "^(.+)%.(.+)$")
        if name and name ~= "alert" then
            local values = {}
            for i, value in ipairs(type(field.value) == "table" and field.value or { field.value }) do
                if i <= RECIPIENTS_MAX then values[i] = tostring(value) end
            end
            found[name] = found[name] or {}
            found[name][key] = values
        end
    end
    return found
end

local function alert_of_message()
    local state = read_message("Fields[alert.state]")
    return {
        state = (state == "recovered" or state == "test") and state or "firing",
        plugin = text_of("Logger", NAME_MAX), id = text_of("Fields[id]", NAME_MAX), summary = text_of("Fields[summary]"),
        detail = text_of("Payload", DETAIL_MAX), severity = read_message("Severity"), host = text_of("Hostname"),
        at = math.floor(read_message("Timestamp") / 1e9), count = 1,
    }
end

-- Who wants the current message: names of channels, and a module that nobody configured.
local function wanted_by(to, is_test)
    local wanted, unknown = {}, nil
    for _, name in ipairs(names) do
        local channel = channels[name]
        local fits = not channel.is_module and (is_test or not channel.matcher or channel.matcher:eval())
        if fits or channel.is_module and to[name] then wanted[#wanted + 1] = name end
    end
    for name in pairs(to) do
        if not channels[name] or not channels[name].is_module then unknown = name end
    end
    return wanted, unknown
end

-- ---- Alerts over time ----

local function tell(name, entry, now)
    channels[name].box:add(entry.alert, entry.to[name], now)
    is_dirty = true
end

-- Tells an alert that is there to those who were not told yet, or may be told again.
local function tell_firing(entry, now, has_come)
    for _, name in ipairs(entry.wanted) do
        local channel, told = channels[name], entry.told[name]
        local is_free = not told or math.abs(now - told.at) >= channel.throttle
        if is_free and (has_come or not told or told.state ~= "firing") then
            entry.told[name] = { at = now, state = "firing" }
            tell(name, entry, now)
        end
    end
end

local function recover(entry, now)
    entry.alert.state, entry.alert.at, entry.ended = "recovered", now, now
    is_dirty = true
    for _, name in ipairs(entry.wanted) do
        local told = entry.told[name]
        if told and told.state == "firing" then
            told.state = "recovered"
            if channels[name].recovery then tell(name, entry, now) end
        end
    end
end

-- Forgets the oldest, if there are too many.
local function make_room()
    local all = sorted_keys(book.alerts)
    if #all < ALERTS_MAX then return end
    table.sort(all, function(a, b) return book.alerts[a].last < book.alerts[b].last end)
    for i = 1, #all - ALERTS_MAX + math.ceil(ALERTS_MAX / 10) do book.alerts[all[i]] = nil end
end

local function take_firing(alert, to, wanted, now)
    local key = alert.plugin .. "#" .. alert.id
    local entry = book.alerts[key]
    if not entry then
        make_room()
        entry = { told = {}, count = 0, first = now }
        book.alerts[key] = entry
    elseif entry.alert.state == "recovered" then
        entry.count, entry.first, entry.ended = 0, now, nil
    end
    entry.count = entry.count + 1
    alert.count = entry.count
    entry.alert, entry.to, entry.wanted, entry.last = alert, to, wanted, now
    entry.silence = silenced:find(alert.plugin, alert.id, now)
    if not entry.silence then tell_firing(entry, now, true) end
end

local function take_recovered(alert, now)
    local entry = book.alerts[alert.plugin .. "#" .. alert.id]
    if not entry or entry.alert.state == "recovered" then return end
    entry.alert.summary = alert.summary ~= "" and alert.summary or entry.alert.summary
    entry.alert.detail = alert.detail
    recover(entry, now)
end

-- What time brings: silences and throttles end, alerts that did not come again have ended.
local function look_at_alerts(now)
    for key, entry in pairs(book.alerts) do
        if entry.ended then
            if now - entry.ended > KEEP_RECOVERED then
                book.alerts[key] = nil
                is_dirty = true
            end
        elseif recover_after > 0 and now - entry.last >= recover_after then
            entry.alert.detail = string.format("It has not come again for %g minutes.", recover_after / 60)
            recover(entry, now)
        else
            if entry.silence and not silenced:active(entry.silence, now) then entry.silence = nil end
            if not entry.silence then tell_firing(entry, now, false) end
        end
    end
end

-- ---- Sending and showing ----

-- Those that work come first, so that one that hangs does not make them wait. Whether nothing waits any more.
local function send_all(now, at_end)
    local order = {}
    for i, name in ipairs(names) do order[i] = channels[name].box end
    table.sort(order, function(a, b)
        if a.failures ~= b.failures then return a.failures < b.failures end
        return a.name < b.name
    end)
    local is_empty = true
    for _, box in ipairs(order) do
        -- At the end there is no time for one that does not work.
        if not at_end or box.failures == 0 then
            local before = box.sent + box.failures
            box:round(now, at_end)
            is_dirty = is_dirty or before ~= box.sent + box.failures
        end
        is_empty = is_empty and box:is_empty()
    end
    return is_empty
end

-- An empty table would be an object.
local EMPTY = cjson.decode("[]")

local function array(list)
    return #list > 0 and list or EMPTY
end

local function shown(entry)
    local told = {}
    for name, last in pairs(entry.told) do told[#told + 1] = { channel = name, at = last.at, state = last.state } end
    table.sort(told, function(a, b) return a.channel < b.channel end)
    local alert = entry.alert
    return {
        state = alert.state, plugin = alert.plugin, id = alert.id, summary = alert.summary, severity = alert.severity,
        first = entry.first, last = entry.last, ended = entry.ended, count = entry.count, silence = entry.silence,
        told = array(told),
    }
end

local status_dir = output_path .. "/admin/alerting"
local status_at = 0

local function show(now, at_end)
    if not is_dirty or now == status_at and not at_end then return end
    if status_at == 0 then
        lfs.mkdir(output_path .. "/admin")
        lfs.mkdir(status_dir)
    end
    is_dirty, status_at = false, now
    local list = {}
    for _, entry in pairs(book.alerts) do list[#list + 1] = shown(entry) end
    table.sort(list, function(a, b)
        if a.last ~= b.last then return a.last > b.last end
        return a.plugin .. a.id < b.plugin .. b.id
    end)
    for i = #list, SHOWN_MAX + 1, -1 do list[i] = nil end
    local boxes = {}
    for i, name in ipairs(names) do boxes[i] = channels[name].box:status() end
    local text = cjson.encode({ plugin = logger, at = now, alerts = array(list), channels = boxes })
    local ok, err = append_file.write_whole(string.format("%s/%s.json", status_dir, logger), text)
    if not ok then print("the state of the alerts cannot be written", err) end
end

-- ---- What the engine calls ----

local last_sequence

local function take(sequence)
    -- Without a ticker the same message comes again until all channels have it.
    if sequence == last_sequence and sequence ~= nil then return nil end
    last_sequence = sequence
    local now = os.time()
    local alert, to = alert_of_message(), receivers()
    local wanted, unknown = wanted_by(to, alert.state == "test")
    is_dirty = true
    if alert.state == "test" then
        for _, name in ipairs(wanted) do channels[name].box:add(alert, nil, now) end
    elseif alert.state == "recovered" then
        take_recovered(alert, now)
    else
        take_firing(alert, to, wanted, now)
    end
    if #wanted == 0 and unknown then return string.format("alert module '%s' is not configured", unknown) end
end

function process_message(sequence)
    adopt()
    local err = take(sequence)
    local now = os.time()
    local is_empty = send_all(now, false)
    show(now, false)
    if err then return -1, err end
    if is_empty or has_ticker and preserves then return 0 end
    if has_ticker then return -4 end
    return -3, "not all channels have it"
end

function timer_event(ns, shutdown)
    adopt()
    local now = os.time()
    look_at_alerts(now)
    local is_empty = send_all(now, shutdown)
    if is_empty and not preserves then update_checkpoint() end
    show(now, shutdown)
end
