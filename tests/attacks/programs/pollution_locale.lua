-- attack: pollution | output | harmless
-- The locale and the environment belong to the process, hence to all.
require "os"
assert(os.setlocale == nil, "HOLE: os.setlocale")
assert(os.setenv == nil, "HOLE: os.setenv")
function process_message()
    assert(tostring(1.5) == "1.5")
    return 0
end
function timer_event() end
