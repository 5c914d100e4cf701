-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# Loader: raw submissions in, validated messages, duplicates and errors back into the queue

Takes what `input/http_edge.lua` has put into the input queue, and injects there what `decoders.moz_ingest.common` makes of
it, for the analysis plugins and the other outputs. All that is said there on messages, settings and errors holds here.

A message for which not even an error could be injected counts as failed; with `dead_letter = true` it is kept.

To read submissions from elsewhere, use the decoder in an input: for the files of a landfill `heka_store.lua` with
`decode_frames = true` and `decoder_module = "decoders.moz_ingest.common"`.

## Sample configuration

```lua
filename          = "loader.lua"
message_matcher   = "Type == 'telemetry-raw'" -- the type of the edge; never what the loader itself makes
read_queue        = "input"
ticker_interval   = 60
memory_limit      = 268435456 -- bytes: the filters take 5 for each of cf_items * cf_partitions, then documents
output_limit      = 8388608   -- bytes: the longest message
instruction_limit = 100000000 -- a document may take so long to validate
preserve_data     = true      -- duplicates are found after a restart, too
preserve_interval = 60        -- seconds: after a crash, duplicates of this time may be missed
decoders_moz_ingest_common = {
    sub_decoders = {
        telemetry = "decoders.moz_ingest.telemetry",
        ["*"]     = "decoders.moz_ingest.json",
    },
    error_on_missing_sub_decoder = true,
    -- city_db_file = "/usr/share/geoip/GeoIP2-City.mmdb",
    cf_items = 1e6,
}
decoders_moz_ingest_telemetry = { schema_path = "/schemas/json/telemetry" }
decoders_moz_ingest_json      = { namespace_path = "/schemas/json", user_agent_transform = true }
```
--]]

local transform_message = require "decoders.moz_ingest.common".transform_message

function process_message()
    local err = transform_message()
    if err then return -1, err end
    return 0
end

function timer_event()
end
