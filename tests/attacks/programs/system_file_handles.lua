-- attack: system | output | either
-- Opens files until there are no more descriptors for anybody.
require "io"
local keep = {}
function process_message()
    for i = 1, 100000 do
        local f = io.open("/dev/null", "rb")
        if not f then break end
        keep[#keep + 1] = f
    end
    return 0
end
