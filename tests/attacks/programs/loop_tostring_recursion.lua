-- attack: loops | analysis | contained: stack overflow / instruction_limit exceeded
-- A __tostring that asks for itself: recursion through native code.
local t
t = setmetatable({}, {__tostring = function() return tostring(t) .. "x" end})
function process_message() return tostring(t) end
