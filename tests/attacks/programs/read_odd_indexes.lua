-- attack: read_message | analysis | harmless
-- Indexes that are no indexes.
require "math"
function process_message()
    for _, i in ipairs({0/0, 1/0, -1/0, -1, -0.5, 0.5, 2^31, 2^32, 2^53, 2^63, 2^64, 1e308, -2^31, -2^63, "0", "1", "x", "", true, {}, print}) do
        for _, name in ipairs({"Payload", "Fields[number]", "Fields[missing]", "Fields[list]", "raw"}) do
            pcall(read_message, name, i) pcall(read_message, name, 0, i) pcall(read_message, name, i, i) pcall(read_message, name, i, i, true) pcall(read_message, name, 0, 0, i)
        end
    end
    assert(read_message("Fields[number]", 0, 2^53) == nil and read_message("Fields[number]", 2^32, 0) == nil, "HOLE: an index wrapped round")
    return 0
end
function timer_event() end
