-- attack: codecs | input | either
-- A stream of frame marks only: a reader that rescans, or recurses, takes for ever.
require "string"
function process_message()
    local reader = create_stream_reader("r")
    for _, s in ipairs({string.rep("\30", 60000), string.rep("\30\2\8\1\31", 12000), string.rep("\30\255", 30000), string.rep("\30\1\8\31", 15000), string.rep("\30\5\8\255\255\255\127\31", 8000), string.rep("\30\0\31", 20000), "\30\2\8\0\31", "\30\11\8\255\255\255\255\255\255\255\255\255\1\31"}) do
        local data = s
        for _ = 1, 200 do
            local ok, found, consumed, need = pcall(reader.find_message, reader, data)
            data = nil
            if not ok or not found and need and need > 0 then break end
        end
    end
    return 0
end
