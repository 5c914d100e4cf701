-- kind: analysis
-- moz_telemetry.normalize: what names become.
local n = require "moz_telemetry.normalize"
local string = require "string"

local function each(f, cases)
    for given, expected in pairs(cases) do
        local found = f(given)
        if found ~= expected then error(string.format("%s: %s, expected %s", given, tostring(found), tostring(expected))) end
    end
    for _, odd in ipairs { false, 7, {}, print } do assert(f(odd) == "Other") end
    assert(f(nil) == "Other" and f("") == "Other" and f("\0") == "Other")
end

each(n.channel, {
    release = "release", ["release-cck-x"] = "Other", beta = "beta", ["beta-cck-x"] = "beta", nightly = "nightly",
    ["nightly-cck-x"] = "nightly", ["nightly-x"] = "Other", esr = "esr", esr1 = "Other", aurora = "aurora",
    Other = "Other", default = "Other", Release = "Other",
})
each(n.os, {
    Windows_NT = "Windows", WINNT = "Windows", ["x Windows"] = "Other", Darwin = "Mac", Linux = "Linux",
    ["GNU/Linux"] = "Linux", FreeBSD = "Linux", SunOS = "Linux", iOS = "Other",
})
each(n.mobile_os, { iOS = "iOS", ["my iPhone"] = "iOS", Android = "Android", ["Android 9"] = "Android", Tizen = "Other" })
each(n.mobile_app_name, {
    Fennec = "Fennec", Focus = "Focus", ["Focus-TV"] = "Focus-TV", Zerda_cn = "Zerda_cn", Zerda_x = "Zerda",
    FirefoxReality_wavevr = "FirefoxReality_wavevr", FirefoxReality = "Other", FirefoxConnect = "FirefoxConnect",
})
each(n.country, { de = "DE", US = "US", ZW = "ZW", XX = "Other", Other = "Other", USA = "Other" })

assert(n.os_version("10.0.17763.1") == "10.0.17763" and n.os_version("8") == "8" and n.os_version(6.1) == "6.1")
assert(n.os_version(nil) == nil and n.os_version("x1") == nil and n.os_version("1.x") == "1")

assert(n.get_channel_count() == 6 and n.get_os_count() == 4 and n.get_os_win_count() == 4 and n.get_country_count() == 250)
assert(n.get_channel_name(3) == "nightly" and n.get_channel_id("nightly") == 3)
assert(n.get_channel_name() == "Other" and n.get_channel_name(99) == "Other" and n.get_channel_id("x") == 0)
assert(n.get_os_id("Linux") == 3 and n.get_os_name(2) == "Mac" and n.get_os_id() == 0)
assert(n.get_os_win_name(1) == "Windows 10")
assert(n.get_os_win_id("10.0") == 1 and n.get_os_win_id(6.2) == 2 and n.get_os_win_id(6.3) == 2)
assert(n.get_os_win_id("6.1") == 3 and n.get_os_win_id("x") == 0 and n.get_os_win_id(11) == 0)
for id = 0, n.get_country_count() - 1 do assert(n.get_country_id(n.get_country_name(id)) == id) end
assert(n.get_boolean_value(true) and not n.get_boolean_value("true") and n.get_boolean_value(nil) == false)
