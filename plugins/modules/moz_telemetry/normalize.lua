-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Normal names: the channels, systems, products and countries of telemetry, as few names that reports count by

What is not known, or no text, is "Other". The ids of names go from 0, which is "Other".

## Functions

| function | answers |
|---|---|
| `channel(name)` | release, beta (all that begins so), nightly (and nightly-cck-...), esr, aurora |
| `os(name)` | Windows (and WINNT), Mac (Darwin), Linux (and BSD, SunOS, anywhere in the name) |
| `os_version(version)` | the first one to three numbers of a version, nil without |
| `mobile_os(name)` | iOS (and what has iPhone in it), Android |
| `mobile_app_name(name)` | Fennec, Focus-TV, Focus, Klar, FirefoxForFireTV, Zerda_cn, Zerda, Scryer, WebXR, FirefoxReality_oculusvr, _googlevr and _wavevr, Lockbox, FirefoxConnect |
| `country(code)` | the code of ISO 3166-1, two capital letters |
| `get_boolean_value(v)` | true only for true |

`get_channel_count()`, `get_channel_name(id)`, `get_channel_id(name)`, and the same for `os`, `country` and `os_win` (Windows
10, 8 and 7; `get_os_win_id(version)` takes the number of a version, such as 6.1).
--]]

local l      = require "lpeg"
local string = require "string"

local find, gmatch, match, sub, upper = string.find, string.gmatch, string.match, string.sub, string.upper
local ipairs, tonumber, tostring, type = ipairs, tonumber, tostring, type

local M = {}
setfenv(1, M)

local OTHER = "Other"

local CHANNELS    = { OTHER, "release", "beta", "nightly", "aurora", "esr" }
local SYSTEMS     = { OTHER, "Windows", "Mac", "Linux" }
local WINDOWS     = { OTHER, "Windows 10", "Windows 8", "Windows 7" }
local MOBILE_APPS = { -- a longer name before what it begins with
    "Fennec", "Focus-TV", "Focus", "Klar", "FirefoxForFireTV", "Zerda_cn", "Zerda", "Scryer", "WebXR",
    "FirefoxReality_oculusvr", "FirefoxReality_googlevr", "FirefoxReality_wavevr", "Lockbox", "FirefoxConnect",
}
-- The officially assigned codes of ISO 3166-1 alpha-2, by their first letter.
local COUNTRIES = {
    A = "DEFGILMOQRSTUWXZ", B = "ABDEFGHIJLMNOQRSTVWYZ", C = "ACDFGHIKLMNORUVWXYZ", D = "EJKMOZ", E = "CEGHRST",
    F = "IJKMOR", G = "ABDEFGHILMNPQRSTUWY", H = "KMNRTU", I = "DELMNOQRST", J = "EMOP", K = "EGHIMNPRWYZ",
    L = "ABCIKRSTUVY", M = "ACDEFGHKLMNOPQRSTUVWXYZ", N = "ACEFGILOPRUZ", O = "M", P = "AEFGHKLMNRSTWY", Q = "A",
    R = "EOSUW", S = "ABCDEGHIJKLMNORSTVXYZ", T = "CDFGHJKLMNORTVWZ", U = "AGMSYZ", V = "ACEGINU", W = "FS", Y = "ET",
    Z = "AMW",
}
local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

local function country_names()
    local names = { OTHER }
    for first in gmatch(LETTERS, ".") do
        for second in gmatch(COUNTRIES[first] or "", ".") do names[#names + 1] = first .. second end
    end
    return names
end

-- The three functions of a list of names: how many, the name of an id, the id of a name.
local function numbered(names)
    local ids = {}
    for i, name in ipairs(names) do ids[name] = i - 1 end
    local function count() return #names end
    local function name(id) return id and names[id + 1] or names[1] end
    local function id(text) return text and ids[text] or 0 end
    return count, name, id
end

local get_windows_id
get_channel_count, get_channel_name, get_channel_id = numbered(CHANNELS)
get_os_count, get_os_name, get_os_id                = numbered(SYSTEMS)
get_os_win_count, get_os_win_name, get_windows_id   = numbered(WINDOWS)
get_country_count, get_country_name, get_country_id = numbered(country_names())

local function text(name)
    return type(name) == "string" and name or ""
end

function channel(name)
    name = text(name)
    if sub(name, 1, 4) == "beta" then return "beta" end
    if name == "nightly" or sub(name, 1, 12) == "nightly-cck-" then return "nightly" end
    return get_channel_id(name) > 0 and name or OTHER
end

function os(name)
    name = text(name)
    if sub(name, 1, 7) == "Windows" or sub(name, 1, 5) == "WINNT" then return "Windows" end
    if sub(name, 1, 6) == "Darwin" then return "Mac" end
    if find(name, "Linux", 1, true) or find(name, "BSD", 1, true) or find(name, "SunOS", 1, true) then return "Linux" end
    return OTHER
end

local digits  = l.R"09"^1
local version = l.C(digits * ("." * digits)^-2)

function os_version(v)
    return version:match(tostring(v))
end

function mobile_os(name)
    name = text(name)
    if sub(name, 1, 3) == "iOS" or find(name, "iPhone", 1, true) then return "iOS" end
    return match(name, "^Android") or OTHER
end

function mobile_app_name(name)
    name = text(name)
    for _, known in ipairs(MOBILE_APPS) do
        if sub(name, 1, #known) == known then return known end
    end
    return OTHER
end

function country(code)
    code = upper(text(code))
    return get_country_id(code) > 0 and code or OTHER
end

function get_os_win_id(v)
    v = tonumber(v) or 0
    if v >= 10 and v < 11 then return get_windows_id("Windows 10") end
    if v == 6.2 or v == 6.3 then return get_windows_id("Windows 8") end
    return v == 6.1 and get_windows_id("Windows 7") or 0
end

function get_boolean_value(v)
    return v == true
end

return M
