-- attack: compression | analysis | contained: not enough memory / instruction_limit exceeded
-- A frame made by hand whose blocks are four bytes each and stand for 128 kilobytes, and frames that ask for huge windows.
local zstd = require "zstd"
local string = require "string"
local head = "\40\181\47\253"
local bomb = head .. "\0\56" .. string.rep("\2\0\16\65", 20000) .. "\3\0\16\65"
local windows = {}
for exponent = 0, 31 do windows[#windows + 1] = head .. "\0" .. string.char(exponent * 8) .. "\3\0\16\65" end
for i = 1, 8 do windows[#windows + 1] = head .. "\224" .. string.rep("\255", i) .. "\3\0\16\65" end
function process_message()
    for _, max in ipairs({-1, 0, 10, 1e18, 2^63, 2^64, 1/0, -1/0, 0/0}) do pcall(zstd.decompress, bomb, max) end
    for _, w in ipairs(windows) do pcall(zstd.decompress, w) pcall(zstd.decompress, w, 1e18) end
    for _, level in ipairs({-1e9, -1, 0, 1, 19, 20, 22, 1e9, 2^31, 0/0, 1/0}) do pcall(zstd.compress, string.rep("ab", 100000), level) end
    pcall(zstd.decompress, string.rep(zstd.compress(""), 20000))
    while true do pcall(zstd.decompress, bomb) end
end
function timer_event() end
