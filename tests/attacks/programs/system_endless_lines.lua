-- attack: system | output | contained: instruction_limit exceeded / not enough memory
-- Lines without end, numbers without end.
require "io"
function process_message()
    local f = assert(io.popen("yes 1"))
    for line in f:lines() do end
    while true do f:read("*n") end
end
