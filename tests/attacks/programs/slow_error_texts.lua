-- attack: slow instructions | analysis | contained: instruction_limit exceeded
-- Raises megabytes of error text and catches them.
require "string"
local s = string.rep("x", 1000000)
function process_message()
    while true do
        pcall(error, s)
        pcall(error, s .. "y", 1)
        pcall(assert, false, s)
        pcall(function() local x = {} ; return x[s][s] end)
        pcall(read_config, s)
        pcall(require, s)
        pcall(read_message, s)
    end
end
