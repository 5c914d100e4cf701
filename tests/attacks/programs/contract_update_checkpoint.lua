-- attack: contract | output | harmless
-- Acknowledges what was never sent, twice, and with odd counts.
function process_message(sequence)
    for _, v in ipairs({0, 1, -1, 2 ^ 53, 0 / 0, 1 / 0, "x", true, {}, print}) do
        pcall(update_checkpoint, v) pcall(update_checkpoint, v, v) pcall(update_checkpoint, sequence, v) pcall(update_checkpoint, nil, v)
    end
    for _ = 1, 100 do pcall(update_checkpoint, sequence) pcall(update_checkpoint, sequence, 1) end
    pcall(update_checkpoint) pcall(update_checkpoint, sequence, 1, 2)
    return -5
end
function timer_event() pcall(update_checkpoint) end
