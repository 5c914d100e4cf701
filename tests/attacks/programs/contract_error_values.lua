-- attack: contract | analysis | contained: *
-- An error that is a function.
function process_message() error(function() while true do end end) end
