-- attack: preserved state | analysis | harmless
-- The globals, the libraries and their metatables within what is to be preserved.
require "string"
me = {_G, _G}
box = {globals = _G, strings = string, own = {g = _G}}
function process_message() return 0 end
