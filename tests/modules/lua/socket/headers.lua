-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- socket.headers: names as they are written.

local canonic = require "socket.headers".canonic
for small, expected in pairs {
    ["content-type"] = "Content-Type", ["te"] = "TE", ["x-own"] = "X-Own", ["www-authenticate"] = "WWW-Authenticate",
    ["host"] = "Host", ["x_y-z"] = "X_Y-Z", [""] = "",
} do
    assert(canonic[small] == expected, canonic[small])
end
canonic["x-odd"] = "x-ODD"
assert(canonic["x-odd"] == "x-ODD")
