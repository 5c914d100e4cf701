-- attack: system | output | harmless
-- An output may use files, but must not end the process.
require "os"
assert(os.exit == nil, "HOLE: os.exit")
assert(not pcall(function() os.exit(1) end))
function process_message() return 0 end
function timer_event() end
