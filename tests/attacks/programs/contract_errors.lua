-- attack: contract | analysis | contained: *
-- An error of eight thousand lines.
require "string"
function process_message()
    error(string.rep("line of an error\n\27[2J\0", 8000))
end
