-- Sub-decoders of every kind, and what they inject.
local string, table = require "string", require "table"

local function show(v)
    if type(v) ~= "table" then return type(v) == "string" and string.format("%q", v) or tostring(v) end
    local parts = {}
    for k, x in pairs(v) do parts[#parts + 1] = tostring(k) .. "=" .. show(x) end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
end

local function same(found, expected, what)
    local f, e = show(found), show(expected)
    if f ~= e then error(string.format("%s:\n found    %s\n expected %s", tostring(what), f, e), 2) end
end

-- What the modules below inject is caught here.
local injected = {}
function inject_message(msg, checkpoint)
    injected[#injected + 1] = msg
end
local sdu = require "lpeg.sub_decoder_util"
local l   = require "lpeg"

local function decoded(decode, data, headers, mutable)
    injected = {}
    local err = decode(data, headers, mutable)
    if err then
        same(#injected, 0)
        return err
    end
    return injected[1]
end

-- Modules of this test.
local module = module
local function define(name)
    module(name)
end
define("test_arguments")
require "test_arguments".demo = l.Ct(l.Cg(l.Carg(1), "name"))
define("decoders.broken")

-- A grammar of a module.
local logfmt = sdu.load_decoder("lpeg.logfmt")
same(decoded(logfmt, "a=1 b"), { Fields = { a = "1", b = true } })
local headers = { Logger = "x", Fields = { a = "old", c = "kept" } }
same(decoded(logfmt, "a=1", headers), { Logger = "x", Fields = { a = "1", c = "kept" } })
same(headers, { Logger = "x", Fields = { a = "old", c = "kept" } }, "not changed")
local found = decoded(logfmt, "a=1", headers, true)
assert(found == headers)
same(headers.Fields.a, "1", "changed in place")
same(decoded(sdu.load_decoder("lpeg.common_log_format#nginx_error_grammar"), "nonsense"), "parse failed")
assert(sdu.load_sub_decoder == sdu.load_decoder)

-- Messages: a sample, a specification, a function that makes a grammar, a grammar, each with or without transformations.
local printf_messages = { "lpeg.openssh_portable", { "%s:%lu: invalid line", "path", "line" } }
local messages = sdu.load_decoder({
    "/tmp/x:23: invalid line",
    { "Invalid user a from 192.0.2.1 port 5", { user = "lpeg.heka#set_logger" } },
    { { "Status: %s", "status" }, { status = "lpeg.heka#set_type" } },
    { { "lpeg.common_log_format#build_nginx_grammar", "$status $pid" }, { Payload = "lpeg.heka#remove_payload" } },
    { { "lpeg.cbufd" } },
}, printf_messages)
same(decoded(messages, "/a:5: invalid line"), { Payload = "/a:5: invalid line", Fields = { path = "/a", linenum = 5 } })
same(decoded(messages, "Invalid user b from 192.0.2.1 port 5"),
    { Payload = "Invalid user b from 192.0.2.1 port 5", Logger = "b", Fields = { ssh_remote_ipaddr = "192.0.2.1", ssh_remote_port = 5 } })
same(decoded(messages, "Status: good"), { Payload = "Status: good", Type = "good", Fields = {} })
same(decoded(messages, "200 7", { Hostname = "h" }), { Hostname = "h", Fields = { status = 200, pid = 7 } })
same(decoded(messages, "no match", { Hostname = "h" }), { Hostname = "h", Payload = "no match" })

-- What happens without a match.
injected = {}
local drop = sdu.load_decoder{ { { "%d", "n" } }, "<<DROP>>" }
same(drop("x"), nil)
same(#injected, 0)
same(decoded(drop, "5"), { Payload = "5", Fields = { n = 5 } })
local fail = sdu.load_decoder{ { { "%d", "n" } }, "<<FAIL>>" }
same(decoded(fail, "x"), "parse failed")
same(decoded(sdu.load_decoder{ "<<DROP>>" }, "x"), nil)

-- Extra arguments reach the grammar.
local with_argument = sdu.load_decoder{ { { "test_arguments#demo", "extra" } } , "<<FAIL>>" }
same(decoded(with_argument, "x"), { Payload = "x", Fields = { name = "extra" } })

-- By name.
local by_name = sdu.load_sub_decoders({ app = "lpeg.logfmt", ["*"] = { { { "%d", "n" } } } }, nil)
same(decoded(by_name.app, "a=1"), { Fields = { a = "1" } })
same(decoded(by_name.other, "5"), { Payload = "5", Fields = { n = 5 } })
same(sdu.load_sub_decoders({ app = "lpeg.logfmt" }).other, nil)
same(sdu.load_sub_decoders(nil, nil), {})
assert(type(sdu.load_sub_decoders{ lines = "decoders.lines" }.lines) == "function")

-- A decoder whose messages are transformed.
local transformed = sdu.load_decoder{ { "decoders.nginx.error", { tid = "lpeg.heka#set_pid" } } }
same(decoded(transformed, "2026/03/11 22:14:15 [crit] 12#34: text"),
    { Timestamp = 1773267255e9, Severity = 2, Payload = "text", Pid = 34, Fields = {} })

-- Configurations that are wrong.
local function fails(text, ...)
    local ok, err = pcall(sdu.load_decoder, ...)
    assert(not ok and string.find(err, text, 1, true), tostring(err))
end
fails("sub_decoder:  invalid type: nil", nil)
fails("sub_decoder:  invalid type: number", 5)
fails("sub_decoder:  invalid entry: 2", { { { "%d", "n" } }, true })
fails("sub_decoder, no grammar defined: ", "lpeg.printf")
fails("module 'no.such' not found", "no.such")
fails("no grammar found for: x", { "x" })
fails("invalid module reference lpeg.printf", { { { "lpeg.printf" } } })
fails("invalid module reference nil", { { {} } })
fails("invalid transformation function a=b", { { { "%d", "n" }, { a = "b" } } })
fails("invalid transformation function a=lpeg.heka#nope", { { { "%d", "n" }, { a = "lpeg.heka#nope" } } })
fails("no decode function defined: decoders.broken", "decoders.broken")
fails("module: <root> item: 1 error", "lpeg.logfmt", { {} })
local ok, err = pcall(sdu.load_sub_decoders, { app = 5 })
assert(not ok and string.find(err, "sub_decoder: app invalid type: number", 1, true))
assert(inject_message and sdu.load_decoder("lpeg.logfmt"), "the global function is back after an error")

-- Copies.
local source = { Uuid = "u", Logger = "l", Hostname = "h", Timestamp = 1, Type = "t", Payload = "p", EnvVersion = "e", Pid = 2,
                 Severity = 3, Fields = { a = { value = 1 } }, other = true }
local copy = sdu.copy_message(source)
source.other = nil
same(copy, source)
assert(copy ~= source and copy.Fields ~= source.Fields and copy.Fields.a == source.Fields.a)
assert(sdu.copy_message(source, true) == source)
same(sdu.copy_message(nil), {})
same(sdu.copy_message({}), {})
local msg, fields = {}, { b = 2 }
sdu.add_fields(msg, fields)
assert(msg.Fields == fields)
sdu.add_fields(msg, { b = 3, c = 4 })
same(msg, { Fields = { b = 3, c = 4 } })
