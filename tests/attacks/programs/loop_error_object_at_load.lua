-- attack: loops | analysis | contained: *
-- The same while the plugin is being loaded.
error(setmetatable({}, {__tostring = function() while true do end end, __index = function() while true do end end}))
