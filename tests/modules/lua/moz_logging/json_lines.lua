-- The loop of moz_logging.json_lines: what is handed on, what becomes an error, and what is left out.
local errors = {}
function inject_message(msg) errors[#errors + 1] = { msg.Type, msg.Payload, msg.Fields.data } end
local json_lines = require "moz_logging.json_lines"

local DATA = '{"a":1}\n\n[2]\n3\nno JSON\n \n{"bad":true}\n{"a":4}'
local seen
local function inject(object, default_headers)
    if object.bad then error("refused", 0) end
    seen[#seen + 1] = { object, default_headers }
end

local headers = { Type = "t" }
for _, keep_others in ipairs({ false, true }) do
    seen, errors = {}, {}
    assert(json_lines.decoder({ keep_others = keep_others }, inject)(DATA, headers) == nil)
    assert(#seen == 3 and seen[1][1].a == 1 and seen[2][1][1] == 2 and seen[3][1].a == 4)
    assert(seen[1][2] == headers and seen[3][2] == headers)
    assert(#errors == (keep_others and 3 or 1))
    local last = errors[#errors]
    assert(last[1] == "error" and last[2] == "refused" and last[3] == '{"bad":true}')
end
assert(errors[1][2] == "not a JSON object" and errors[1][3] == "3")
assert(errors[2][3] == "no JSON")
