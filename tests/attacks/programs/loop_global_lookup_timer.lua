-- attack: loops | analysis | either | timer_first
-- The same for timer_event.
function process_message() return 0 end
setmetatable(_G, {__index = function(_, k) if k == "timer_event" then while true do end end end})
