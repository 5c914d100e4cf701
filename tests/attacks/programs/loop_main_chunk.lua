-- attack: loops | analysis | contained: instruction_limit exceeded
-- The plugin never finishes loading.
repeat until false
function process_message() return 0 end
