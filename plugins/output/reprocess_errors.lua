-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Errors once more: makes raw submissions of the errors of the loader and injects them again

For when the reason of the errors is gone, such as a schema that is fixed now. It begins with the oldest message that the
queue has, so it is put to work for that time, and taken away again. Choose by `message_matcher` which errors:

    Type == 'telemetry.error' && Fields[docType] == 'main' && Fields[DecodeErrorType] == 'json'

The message is the one that came from the edge, with its Timestamp, but for the client's address; where the client was is kept.
It has a Field `reprocessed`, which counts; the loader does not take it for a duplicate. What fails again is an error again, and is
left alone after `attempts_max` times.

Errors that have been written to files come back by `input/heka_store.lua` with `decode_frames = true` and
`decoder_module = "decoders.moz_ingest.errors"`, which does the same.

## Sample configuration

```lua
filename        = "reprocess_errors.lua"
message_matcher = "Type == 'error' || Type == 'telemetry.error'"
initial_position = "oldest"           -- also what came before this plugin was loaded
read_queue      = "input"
ticker_interval = 60
output_limit    = 8388608             -- bytes: the longest message
-- set_type      = "telemetry-raw"    -- the Type of what is injected; without: the one that it had
-- error_types   = { json = true }    -- only errors of these DecodeErrorType; without: all
-- attempts_max  = 1                  -- how often a submission is sent again at most
```
--]]

local restore = require "decoders.moz_ingest.errors".restore

function process_message()
    local raw, reason = restore(decode_message(read_message("raw")))
    if not raw then return -2, reason end
    inject_message(raw)
    return 0
end

function timer_event()
end
