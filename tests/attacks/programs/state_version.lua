-- attack: preserved state | analysis | harmless
-- A version that is code, a table, or no number.
_PRESERVATION_VERSION = "1 then pwned = true end --"
function process_message()
    assert(pwned == nil, "HOLE: the version was run as code")
    _PRESERVATION_VERSION = ({{}, 0 / 0, 1 / 0, "0\n pwned = true --", print, true})[(calls or 0) % 6 + 1]
    calls = (calls or 0) + 1
    return 0
end
