-- attack: pollution | analysis | either
-- Writes globals under names that hosts like to use for themselves.
for _, name in ipairs({"_LOADED", "_PRELOAD", "_LOADLIB", "FILE*", "lsb_config", "lsb_this_ptr", "lsb.heka_stream_reader", "lsb.read_message_zc", "__tostring", "_R", "arg", "_PROMPT", "__gc"}) do
    _G[name] = setmetatable({}, {__index = function() while true do end end})
end
_VERSION = {}
_G._G = nil
function process_message() return 0 end
