-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Host metrics input: processors, memory, disks and network of a Linux machine

Reads the files of /proc, and the sizes of file systems from `df`, every `ticker_interval` seconds. `analysis/host_monitor.lua` makes graphs and
alerts of the messages.

## Sample configuration

```lua
filename          = "host_metrics.lua"
ticker_interval   = 10
-- proc        = "/proc"
-- df          = "df -kPl"  -- prints file systems in the portable format; "" for none
-- file_systems = "^/"      -- Lua pattern of the devices whose file systems are told
-- disks       = "^[shvx]?v?d[a-z]+$" -- Lua pattern of the disks that are counted; partitions are parts of them
-- interfaces  = "^[^l]"    -- Lua pattern of the interfaces that are counted; not the loopback
```

## Messages

| Type | Fields |
|---|---|
| host.metrics | `load1`, `load5`, `load15`; `processors`; `memory_total`, `memory_available`, `swap_total`, `swap_free` in bytes; `memory_used` in percent of the total. From the second look on: `cpu`, `cpu_user`, `cpu_system`, `cpu_iowait`, `cpu_steal` in percent of all processors; `disk_read`, `disk_write`, `network_in`, `network_out` in bytes a second |
| host.file_system | `mount`, `device`, `size` and `available` in bytes, `used` in percent of what may be used |

The Hostname is that of the machine. What a system does not tell is absent. At most 100 file systems are told.
--]]

require "io"
require "math"
require "os"
require "string"

local proc         = read_config("proc") or "/proc"
local df           = read_config("df") or "df -kPl"
local file_systems = read_config("file_systems") or "^/"
local disks        = read_config("disks") or "^[shvx]?v?d[a-z]+$"
local interfaces   = read_config("interfaces") or "^[^l]"

local FILE_SYSTEMS_MAX = 100
-- What /proc/diskstats counts in, whatever the disk.
local SECTOR = 512
local KIB    = 1024

local function lines_of(name)
    local fh = io.open(proc .. "/" .. name)
    if not fh then return function() end end
    local text = fh:read("*a") or ""
    fh:close()
    return string.gmatch(text, "[^\n]+")
end

local function numbers(text)
    local list = {}
    for digits in string.gmatch(text, "%d+") do list[#list + 1] = tonumber(digits) end
    return list
end

-- Ticks since the start, by what they were spent for, and how many processors there are.
local function read_processors()
    local ticks, processors
    for line in lines_of("stat") do
        local name, rest = string.match(line, "^(cpu%d*)%s+(.*)$")
        if name == "cpu" then
            local n = numbers(rest)
            local user, nice, system, idle = n[1], n[2], n[3], n[4]
            if not idle then return nil end
            local iowait, irq, softirq, steal = n[5] or 0, n[6] or 0, n[7] or 0, n[8] or 0
            ticks = { user = user + nice, system = system + irq + softirq, idle = idle, iowait = iowait, steal = steal }
            ticks.total = user + nice + system + idle + iowait + irq + softirq + steal
        elseif name then
            processors = (processors or 0) + 1
        end
    end
    return ticks, processors
end

local function read_memory(fields)
    local kib = {}
    for line in lines_of("meminfo") do
        local name, value = string.match(line, "^(%w+):%s+(%d+) kB")
        if name then kib[name] = tonumber(value) * KIB end
    end
    fields.memory_total, fields.memory_available = kib.MemTotal, kib.MemAvailable
    fields.swap_total, fields.swap_free = kib.SwapTotal, kib.SwapFree
    if kib.MemTotal and kib.MemAvailable and kib.MemTotal > 0 then
        fields.memory_used = 100 * (1 - kib.MemAvailable / kib.MemTotal)
    end
end

local function read_load(fields)
    for line in lines_of("loadavg") do
        local one, five, fifteen = string.match(line, "^([%d.]+) ([%d.]+) ([%d.]+)")
        fields.load1, fields.load5, fields.load15 = tonumber(one), tonumber(five), tonumber(fifteen)
    end
end

-- Bytes since the start.
local function read_disks()
    local read, written
    for line in lines_of("diskstats") do
        local name, rest = string.match(line, "^%s*%d+%s+%d+%s+(%S+)%s+(.*)$")
        if name and (string.find(name, disks) or string.find(name, "^nvme%d+n%d+$")) then
            local n = numbers(rest)
            if n[7] then read, written = (read or 0) + n[3] * SECTOR, (written or 0) + n[7] * SECTOR end
        end
    end
    return read, written
end

local function read_network()
    local received, sent
    for line in lines_of("net/dev") do
        local name, rest = string.match(line, "^%s*(%S+):%s*(.*)$")
        if name and string.find(name, interfaces) then
            local n = numbers(rest)
            if n[9] then received, sent = (received or 0) + n[1], (sent or 0) + n[9] end
        end
    end
    return received, sent
end

local last -- counters of the last look, and its time

-- The growth of a counter in a second; nil where it is not known or began anew.
local function rate(now, before, seconds)
    if not now or not before or now < before or seconds <= 0 then return nil end
    return (now - before) / seconds
end

local function add_shares(fields, ticks, before)
    if not ticks or not before then return end
    local total = ticks.total - before.total
    if total <= 0 then return end
    local function percent(name)
        return math.max(0, math.min(100, 100 * (ticks[name] - before[name]) / total))
    end
    fields.cpu_user, fields.cpu_system = percent("user"), percent("system")
    fields.cpu_iowait, fields.cpu_steal = percent("iowait"), percent("steal")
    fields.cpu = math.max(0, 100 - percent("idle") - fields.cpu_iowait)
end

local function inject_metrics()
    local fields, now = {}, { time = os.time() }
    now.ticks, fields.processors = read_processors()
    read_memory(fields)
    read_load(fields)
    now.read, now.written = read_disks()
    now.received, now.sent = read_network()
    if last then
        local seconds = now.time - last.time
        add_shares(fields, now.ticks, last.ticks)
        fields.disk_read, fields.disk_write = rate(now.read, last.read, seconds), rate(now.written, last.written, seconds)
        fields.network_in, fields.network_out = rate(now.received, last.received, seconds), rate(now.sent, last.sent, seconds)
    end
    last = now
    inject_message { Type = "host.metrics", Fields = fields }
end

local function inject_file_systems()
    local fh = df ~= "" and io.popen(df .. " 2>/dev/null")
    if not fh then return end
    local told = 0
    for line in fh:lines() do
        local device, size, used, available, mount = string.match(line, "^(%S+)%s+(%d+)%s+(%d+)%s+(%d+)%s+%S+%s+(.+)$")
        if device and string.find(device, file_systems) and told < FILE_SYSTEMS_MAX then
            told = told + 1
            local usable = tonumber(used) + tonumber(available)
            inject_message { Type = "host.file_system", Fields = {
                mount = mount, device = device, size = tonumber(size) * KIB, available = tonumber(available) * KIB,
                used = usable > 0 and 100 * tonumber(used) / usable or 0,
            } }
        end
    end
    fh:close()
end

function process_message()
    inject_metrics()
    inject_file_systems()
    return 0
end
