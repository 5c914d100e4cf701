-- attack: cdata | analysis | contained: must return a
-- A status that is a number for LuaJIT only.
function process_message() return 0LL end
