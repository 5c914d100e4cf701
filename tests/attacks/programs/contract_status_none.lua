-- attack: contract | analysis | contained: numeric status code
-- No result at all.
function process_message() end
