-- attack: inject | analysis | contained: injection limit exceeded
-- More messages than timer_event may inject.
function process_message() return 0 end
function timer_event()
    for _ = 1, 11 do inject_message({Payload = "x"}) end
end
