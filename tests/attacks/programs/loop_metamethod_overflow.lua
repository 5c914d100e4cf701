-- attack: loops | analysis | contained: stack overflow / instruction_limit exceeded / not enough memory
-- A metamethod that never comes back, not caught.
local t = setmetatable({}, {__index = function(self, k) return self[k] .. "x" end})
function process_message() return t.x end
