-- attack: codecs | input | contained: instruction_limit exceeded
-- Tiny good frames, one at a time, for ever.
require "string"
function process_message()
    local reader = create_stream_reader("r")
    local good = "\10\16" .. string.rep("u", 16) .. "\16\1"
    local frame = "\30\2\8" .. string.char(#good) .. "\31" .. good
    local many = string.rep(frame, 2000)
    while true do
        local found = reader:find_message(many)
        while found do inject_message(reader, 1) found = reader:find_message(nil) end
    end
end
