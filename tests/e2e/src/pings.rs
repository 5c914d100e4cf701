//! Messages for lakes, each with a document that says by its number what is in it.

/// An input that makes `n` messages from its checkpoint on, `per_call` at a time, on three days. With `without_id` set, one
/// document in so many lacks its `id`: those whose number leaves 7.
pub const PINGS: &str = r#"
require "math"
require "string"
require "table"
local N, PER_CALL, WITHOUT_ID = read_config("n"), read_config("per_call"), read_config("without_id")
local function document(i)
    local tags = {}
    for k = 1, i % 4 do tags[k] = string.format('"t%d"', k) end
    local name = i % 3 == 0 and "" or string.format(',"os":{"name":"os%d"}', i % 3)
    local id = WITHOUT_ID and i % WITHOUT_ID == 7 and "" or string.format('"id":%d,', i)
    return string.format('{%s"score":%d.5,"tags":[%s],"counts":{"a":%d}%s,"bits":[{"x":%d},{}]}', id, i,
        table.concat(tags, ","), i % 5, name, i)
end
local done
function process_message(checkpoint)
    done = done or checkpoint or 0
    local last = math.min(done + PER_CALL, N)
    for i = done + 1, last do
        inject_message({ Type = "ping", Timestamp = i * 1e9, Fields = {
            day = string.format("2026-01-%02d", i % 3 + 1),
            submission = { value = document(i), representation = "json" } } }, i)
        done = i
    end
    return 0
end
"#;
