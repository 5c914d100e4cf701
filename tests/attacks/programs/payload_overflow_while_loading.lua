-- attack: payload | analysis | contained: output_limit exceeded
-- The same before the first message.
while true do add_to_payload(123456789.123) end
