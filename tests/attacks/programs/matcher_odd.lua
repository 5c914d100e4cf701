-- attack: matchers | output | harmless
-- Expressions that are none, and evaluation without a message.
require "string"
local before = create_message_matcher("TRUE")
pcall(before.eval, before)
function process_message()
    for _, e in ipairs({"", " ", "\0", "TRUE\0", "TRUE ||", "|| TRUE", "Type", "Type ==", "Type == '", "Type == '\\", "Fields", "Fields[", "Fields[x", "Fields[x]", "Fields[x][", "Fields[x][256] == 1", "Fields[x][999999999999999999999] == 1", "Severity == 1e99999", "Severity == -", "Severity == +", "Timestamp == '2000-13-45T99:99:99Z'", "Type =~ '%'", "Type =~ '['%", "Type =~ '[z-a]'", "Type == \255", "(TRUE", "TRUE)", "TRUE TRUE", "Pid == 99999999999999999999999999"}) do
        local ok, m = pcall(create_message_matcher, e)
        if ok then pcall(m.eval, m) pcall(m.eval) pcall(m.eval, 1) pcall(m.eval, m, 1) end
    end
    for _, v in ipairs({1, true, {}, print}) do pcall(create_message_matcher, v) end
    pcall(create_message_matcher) pcall(create_message_matcher, "TRUE", "TRUE")
    assert(before:eval() == true)
    return 0
end
function timer_event() pcall(before.eval, before) end
