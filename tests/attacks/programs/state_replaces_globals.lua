-- attack: preserved state | analysis | either
-- Globals of the host's names replaced by data, which come back before anything runs.
function process_message()
    read_message = {}
    inject_message = "x"
    require = 1
    _G.string = {}
    pairs = false
    _VERSION = "\"; while true do end --"
    return 0
end
