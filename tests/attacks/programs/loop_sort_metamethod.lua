-- attack: loops | analysis | contained: instruction_limit exceeded
-- No comparator, but elements whose __lt never answers.
require "table"
local mt = {__lt = function() while true do end end}
function process_message()
    table.sort({setmetatable({}, mt), setmetatable({}, mt), setmetatable({}, mt)})
    return 0
end
