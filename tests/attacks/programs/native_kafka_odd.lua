-- attack: network and files | output | either
-- Brokers, topics and properties of every wrong kind.
require "kafka"
local string = require "string"
local cyclic = {}
cyclic["group.id"], cyclic.acks = cyclic, cyclic
local hostile = setmetatable({}, {__index = error, __tostring = error, __len = function() return 1e18 end})
local deep = {["group.id"] = "g", ["session.timeout.ms"] = 1e308, log_level = 0}
local odd = {1, -1, 0/0, 1/0, "", "x", "a\0b", string.rep("x", 100000), "\255\254", {}, {{}}, cyclic, hostile, deep, true, print, "/dev/zero"}
function process_message(sequence)
    for _, name in ipairs({"plugin.library.paths", "sasl.kerberos.kinit.cmd", "test.mock.num.brokers", "ssl.engine.location"}) do
        assert(not pcall(kafka.producer, "h", {[name] = "evil.so"}), "HOLE: " .. name .. " was taken")
    end
    for _, v in ipairs(odd) do
        pcall(kafka.producer, v) pcall(kafka.producer, "h", v) pcall(kafka.consumer, v, v, v, v, v)
        pcall(kafka.consumer, "h", {v}, deep) pcall(kafka.consumer, "h", {v, v, [3.5] = v}, {["group.id"] = v})
        for _, name in ipairs({"opaque", "log_cb", "dr_cb", "debug", "enabled_events", "log.queue", "interceptors", "client.id", "group.id"}) do
            pcall(kafka.producer, "h", {[name] = v, log_level = 0})
        end
    end
    return 0
end
