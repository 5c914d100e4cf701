-- attack: library | output | contained: instruction_limit exceeded / not enough memory | modules
-- A source that never ends, through a filter that grows, into a sink that keeps all.
local ltn12, mime = require "ltn12", require "mime"
local string = require "string"
local function source() return string.rep("endless ", 1000) end
function process_message()
    pcall(ltn12.pump.all, ltn12.source.chain(function() return "" end, ltn12.filter.chain(mime.encode("base64"), mime.wrap("base64"))), (ltn12.sink.table()))
    while true do
        pcall(ltn12.pump.all, ltn12.source.chain(source, ltn12.filter.chain(mime.encode("base64"), mime.wrap("base64"))), (ltn12.sink.table()))
        pcall(ltn12.pump.all, source, ltn12.sink.null())
    end
end
