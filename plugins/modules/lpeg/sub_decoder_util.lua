-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Sub-decoders: from a configuration to functions that decode

A decoder such as `decoders.syslog` hands the payload of a message on to a sub-decoder, by the name of the program that
wrote it. An input hands its data to one in the same way.

```lua
printf_messages = { "lpeg.openssh_portable", { "%s:%lu: invalid line", "path", "linenum" } }
sub_decoders = {
    nginx  = "decoders.nginx.access",          -- a module with a function `decode`
    kernel = "lpeg.linux.kernel",              -- a module with `grammar` or `syslog_grammar`
    app    = "lpeg.common_log_format#nginx_error_grammar", -- a grammar of a module
    sshd   = {                                 -- messages that are tried in their order
        -- a sample: the grammar of `printf_messages` that fits it best
        { "Accepted publickey for ann from 10.11.12.13 port 4242 ssh2", { ssh_remote_ipaddr = "maxminddb.heka#add_geoip" } },
        "/tmp/input.tsv:23: invalid line",
        { { "Status: %s", "status" } },        -- a specification of lpeg.printf
        { { "lpeg.common_log_format#build_nginx_grammar", "$remote_addr $status" } }, -- a function that makes a grammar
        { { "lpeg.logfmt" } },                 -- a grammar; what follows its name are extra arguments of `match`
        "<<DROP>>",                            -- the last: drop what matches nothing; or "<<FAIL>>": an error
    },
    ["*"]  = "lpeg.logfmt",                    -- every other name
}
```

The second column holds transformations: for a field the function `module#function(msg, field)` that may change the
message. `{ { "decoders.x", { field = "module#function" } } }`, alone and without `printf_messages`, applies them to
the messages of a decoder; these must be tables.

What matches no grammar of an array is injected as it came, with the data as Payload. A grammar's fields replace those
of the message that have their names.

## Functions

`load_sub_decoders(sub_decoders, printf_messages)` returns a table of functions by name.

`load_decoder(decoder, printf_messages)` returns the function of one entry; `load_sub_decoder` is the same.

A function is called with the data, a message or default headers, and true if that may be changed; it injects and
returns nil, or returns the text of an error, such as `parse failed`.

`copy_message(msg, mutable)` returns `msg` itself if it is mutable, else a copy with its own table of fields; without
`msg` a new table.

`add_fields(msg, fields)` adds the fields to those of the message; a message without any gets the table itself.

Errors of a configuration: `no decode function defined: x`, `sub_decoder, no grammar defined: x`,
`no grammar found for: x`, `invalid module reference x`, `invalid transformation function x=y`,
`sub_decoder: x invalid entry: n`, `sub_decoder: x invalid type: y`.
--]]

local l      = require "lpeg"
local printf = require "lpeg.printf"
local string = require "string"

local find, format, match = string.find, string.format, string.match
local error, next, pairs, pcall, require, select, setmetatable, tostring, type, unpack =
      error, next, pairs, pcall, require, select, setmetatable, tostring, type, unpack

local inject_message = inject_message
-- Decoders take `inject_message` from the globals while they load.
local function replace_global(inject)
    _G.inject_message = inject
end

local M = {}
setfenv(1, M)

local DROP, FAIL = "<<DROP>>", "<<FAIL>>"
local NO_MATCH = "parse failed"

local HEADERS = { "Uuid", "Logger", "Hostname", "Timestamp", "Type", "Payload", "EnvVersion", "Pid", "Severity" }

function copy_message(msg, mutable)
    if not msg then return {} end
    if mutable then return msg end
    local copy = {}
    for i = 1, #HEADERS do
        local name = HEADERS[i]
        copy[name] = msg[name]
    end
    if type(msg.Fields) == "table" then
        copy.Fields = {}
        for name, value in pairs(msg.Fields) do copy.Fields[name] = value end
    end
    return copy
end

function add_fields(msg, fields)
    local all = msg.Fields
    if not all then
        msg.Fields = fields
        return
    end
    for name, value in pairs(fields) do all[name] = value end
end

local function is_pattern(value)
    return l.type(value) == "pattern"
end

-- What `module#name` means; without a name the grammar of the module.
local function referred(reference)
    local module, name = match(reference, "^([^#]+)#(.+)$")
    if module then return require(module)[name] end
    local exports = require(reference)
    return exports.grammar or exports.syslog_grammar
end

local function decode_of(module)
    local decode = require(module).decode
    if type(decode) ~= "function" then error("no decode function defined: " .. module, 0) end
    return decode
end

local function transformations_of(configured)
    if not configured then return nil end
    local functions = {}
    for field, reference in pairs(configured) do
        local fn = find(reference, "#", 1, true) and referred(reference)
        if type(fn) ~= "function" then
            error(format("invalid transformation function %s=%s", field, reference), 0)
        end
        functions[field] = fn
    end
    return functions
end

local function transform(msg, transformations)
    for field, fn in pairs(transformations) do fn(msg, field) end
end

-- A decoder whose messages are transformed before they are injected.
local function transformed_decoder(module, configured)
    local transformations = transformations_of(configured)
    replace_global(function(msg, checkpoint)
        if type(msg) ~= "table" then error("transformations expect msg to be a table") end
        transform(msg, transformations)
        return inject_message(msg, checkpoint)
    end)
    local ok, decode = pcall(decode_of, module)
    replace_global(inject_message)
    if not ok then error(decode, 0) end
    return decode
end

local function grammar_decoder(grammar)
    return function(data, headers, mutable)
        local fields = grammar:match(data)
        if not fields then return NO_MATCH end
        local msg = copy_message(headers, mutable)
        add_fields(msg, fields)
        inject_message(msg)
    end
end

-- A function of the data that returns fields or nil.
local function matcher(grammar, ...)
    local count = select("#", ...)
    if count == 0 then return function(data) return grammar:match(data) end end
    local extra = { ... }
    return function(data) return grammar:match(data, 1, unpack(extra, 1, count)) end
end

local function array_matcher(specification)
    local reference = specification[1]
    if type(reference) ~= "string" then error("invalid module reference " .. tostring(reference), 0) end
    if find(reference, "%", 1, true) then return matcher(printf.build_grammar(specification)) end
    local value = referred(reference)
    if type(value) == "function" then return matcher(value(unpack(specification, 2))) end
    if not is_pattern(value) then error("invalid module reference " .. reference, 0) end
    return matcher(value, unpack(specification, 2))
end

local function sample_matcher(sample, grammars)
    local grammar = printf.match_sample(grammars, sample)
    if not grammar then error("no grammar found for: " .. sample, 0) end
    return matcher(grammar)
end

-- One message of an array: what it matches and what is done with its fields.
local function message_of(entry, grammars, name, i)
    local column = type(entry) == "table" and entry or { entry }
    local match_data
    if type(column[1]) == "string" then
        match_data = sample_matcher(column[1], grammars)
    elseif type(column[1]) == "table" then
        match_data = array_matcher(column[1])
    else
        error(format("sub_decoder: %s invalid entry: %d", name, i), 0)
    end
    return { match = match_data, transformations = transformations_of(column[2]) }
end

local function messages_decoder(messages, otherwise)
    local count = #messages
    return function(data, headers, mutable)
        for i = 1, count do
            local message = messages[i]
            local fields = message.match(data)
            if fields then
                local msg = copy_message(headers, mutable)
                msg.Payload = data
                add_fields(msg, fields)
                if message.transformations then transform(msg, message.transformations) end
                inject_message(msg)
                return
            end
        end
        if otherwise == DROP then return end
        if otherwise == FAIL then return NO_MATCH end
        local msg = copy_message(headers, mutable)
        msg.Payload = data
        inject_message(msg)
    end
end

local function first_text(entry)
    local text = type(entry) == "table" and entry[1] or entry
    return type(text) == "string" and text or nil
end

local function array_decoder(entries, grammars, name)
    local only = #entries == 1 and not next(grammars) and first_text(entries[1])
    if only and find(only, "^decoders%.") then
        local transformations = type(entries[1]) == "table" and entries[1][2]
        if transformations then return transformed_decoder(only, transformations) end
        return decode_of(only)
    end
    local count = #entries
    local otherwise = first_text(entries[count])
    if otherwise == DROP or otherwise == FAIL then count = count - 1 else otherwise = nil end
    local messages = {}
    for i = 1, count do messages[i] = message_of(entries[i], grammars, name, i) end
    return messages_decoder(messages, otherwise)
end

local function decoder_of(entry, grammars, name)
    if type(entry) == "table" then return array_decoder(entry, grammars, name) end
    if type(entry) ~= "string" then error(format("sub_decoder: %s invalid type: %s", name, type(entry)), 0) end
    if find(entry, "^decoders%.") then return decode_of(entry) end
    local grammar = referred(entry)
    if not is_pattern(grammar) then error("sub_decoder, no grammar defined: " .. name, 0) end
    return grammar_decoder(grammar)
end

function load_decoder(decoder, printf_messages)
    return decoder_of(decoder, printf.load_messages(printf_messages or {}), "")
end
load_sub_decoder = load_decoder

function load_sub_decoders(sub_decoders, printf_messages)
    local functions = {}
    local grammars = printf.load_messages(printf_messages or {})
    for name, entry in pairs(sub_decoders or {}) do
        local decode = decoder_of(entry, grammars, name)
        if name == "*" then
            setmetatable(functions, { __index = function() return decode end })
        else
            functions[name] = decode
        end
    end
    return functions
end

return M
