-- attack: library | analysis | harmless
-- Zones that are paths or kilobytes long, and moments outside of time.
local timezone = require "timezone"
local string = require "string"
function process_message()
    for _, name in ipairs({"", "/etc/passwd", "../../../etc/passwd", "Europe/../Europe/Berlin", "europe/berlin\0", string.rep("Europe/", 10000), ".", "posixrules", "localtime", "TZif"}) do
        pcall(timezone.exists, name) pcall(timezone.offset, name, 0) pcall(timezone.local_offset, name, 0)
    end
    for _, t in ipairs({0/0, 1/0, -1/0, 1e300, -1e300, 2^31, 2^63, -2^63, 2^53, 8.64e15, -62135596801, 253402300800, 0.5}) do
        for _, name in ipairs({"Europe/Berlin", "America/Los_Angeles", "UTC"}) do
            for _, f in ipairs({timezone.offset, timezone.local_offset}) do
                local ok, offset = pcall(f, name, t)
                assert(not ok or offset == nil or (offset > -90000 and offset < 90000), "HOLE: an offset of days")
            end
        end
    end
    return 0
end
function timer_event() end
