-- attack: payload | analysis | contained: output_limit exceeded
-- More payload than the limit.
function process_message()
    while true do add_to_payload("0123456789") end
end
