-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Heka file input: messages from a file of framed Heka messages

Injects every message of a file as it is. Bytes that are no message are skipped. The checkpoint is the number of
bytes read, so after a restart it goes on where it was. With `ticker_interval > 0` it looks again for what was
appended.

## Sample configuration

```lua
filename       = "heka_file.lua"
instruction_limit = 0   -- one call reads all that there is
input_filename = "/data/messages.heka"   -- "-" reads standard input
```
--]]

require "io"
require "string"

local input_filename = read_config("input_filename") or error("input_filename must be set")
local hsr = create_stream_reader(read_config("Logger"))
local is_running, inject_message = is_running, inject_message

local function read_all(fh, place)
    local injected = 0
    repeat
        local found, consumed, read
        repeat
            found, consumed, read = hsr:find_message(fh)
            place = place + consumed
            if found then
                inject_message(hsr, place)
                injected = injected + 1
            end
        until not found
    until read == 0 or not is_running()
    return injected
end

function process_message(checkpoint)
    if input_filename == "-" then
        read_all(io.stdin, 0)
        return 0
    end
    local fh, err = io.open(input_filename, "rb")
    if not fh then
        if read_config("ticker_interval") == 0 then error(err) end
        return -1, err
    end
    local place = tonumber(checkpoint) or 0
    if fh:seek("end") < place then place = 0 end -- another file
    fh:seek("set", place)
    read_all(fh, place)
    fh:close()
    hsr = create_stream_reader(read_config("Logger")) -- a torn end is read again from the file
    return 0
end
