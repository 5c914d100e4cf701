-- attack: contract | analysis | contained: *
-- An error of a megabyte.
require "string"
function process_message() error(string.rep("x", 1000000), 0) end
