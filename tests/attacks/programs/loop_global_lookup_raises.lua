-- attack: loops | analysis | contained: *
-- The host's look-up of process_message raises: outside a protected call that aborts the whole program.
setmetatable(_G, {__index = function() error("no globals today") end})
