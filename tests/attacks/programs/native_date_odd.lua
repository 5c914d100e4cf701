-- attack: library | analysis | either | modules
-- Dates far outside of all calendars, and formats and texts to be read that are long.
local ok, date = pcall(require, "date")
local string = require "string"
local odd = {0/0, 1/0, -1/0, 1e300, -1e300, 1e18, 2^53, -2^53, 2^31, 0.5, "", "x", {}, true}
local texts = {string.rep("1", 100000), string.rep("1/", 50000), string.rep("-", 100000), string.rep(" ", 100000), string.rep("Jan ", 20000), string.rep("(", 50000), "9999999-99-99", "2026-13-45T99:99:99+99:99", "0000-00-00", "1e300"}
function process_message()
    assert(ok, date)
    for _, a in ipairs(odd) do
        pcall(date, a) pcall(date, 2026, a, a, a, a, a) pcall(date, {year = a, month = a, day = a, hour = a}) pcall(date.diff, a, a) pcall(date.isleapyear, a) pcall(date.setcenturyflip, a)
        for _, method in ipairs({"adddays", "addmonths", "addyears", "addhours", "addticks", "setyear", "setmonth", "setday", "sethours", "setisoyear", "setisoweekday", "fmt", "setbias"}) do
            pcall(function() local d = date(2026, 11, 24) d[method](d, a) return d:fmt("%Y-%m-%d %H:%M:%S %G-%V"), d:getisoweeknumber(), tostring(d) end)
        end
    end
    for _, text in ipairs(texts) do pcall(date, text) pcall(function() return date(0):fmt(text) end) pcall(function() return date(0):fmt(string.rep("%c", 10000)) end) end
    return 0
end
function timer_event() end
