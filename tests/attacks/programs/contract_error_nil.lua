-- attack: contract | analysis | contained: *
-- An error without any text.
function process_message() error(nil) end
