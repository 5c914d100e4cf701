-- attack: contract | analysis | either
-- timer_event becomes a table.
function process_message() timer_event = {} return 0 end
function timer_event() end
