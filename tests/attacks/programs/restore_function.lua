-- attack: hostile state files | state | either
-- A state file that replaces the plugin's functions.
function process_message() while true do end end
_G["process_message"] = function() while true do end end
