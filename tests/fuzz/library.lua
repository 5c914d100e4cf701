-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- Gives the payload to one reader of the native library, which the first byte chooses. What can be expanded is compressed
-- again, which must give the same text.

require "io"
require "os"
require "string"
require "gzfile"
local openssl, snappy, struct, zlib, zstd =
    require "openssl", require "snappy", require "struct", require "zlib", require "zstd"

local path = os.tmpname()

local function write(bytes)
    local file = assert(io.open(path, "w"))
    file:write(bytes)
    file:close()
end

local function packed(bytes)
    local n = string.byte(bytes) or 0
    local format, data = string.sub(bytes, 2, n + 1), string.sub(bytes, n + 2)
    pcall(struct.size, format)
    local values = {pcall(struct.unpack, format, data)}
    if values[1] then pcall(struct.pack, format, unpack(values, 2)) end
end

local function inflate(bytes)
    for _, bits in ipairs {47, -15, 31, 9} do
        local ok, text, ended = pcall(zlib.inflate(bits), bytes)
        if ok and ended then
            assert(zlib.inflate(31)(zlib.deflate(6, 31)(text, "finish")) == text)
            local stream, n = zlib.inflate(bits), 0
            for i = 1, #bytes, 7 do
                local part, over = stream(string.sub(bytes, i, i + 6))
                n = n + #part
                if over then break end
            end
            assert(n == #text, "another text in pieces")
        end
    end
end

local function unsnap(bytes)
    local ok, text = pcall(snappy.uncompress, bytes)
    assert(ok == snappy.validate_compressed_buffer(bytes))
    if ok then assert(snappy.uncompress(snappy.compress(text)) == text) end
end

local function unzstd(bytes)
    local ok, text = pcall(zstd.decompress, bytes, 2 ^ 20)
    if ok then assert(zstd.decompress(zstd.compress(text)) == text) end
end

local function read_file(bytes)
    write(bytes)
    local ok, text = pcall(gzfile.string, path)
    local lines, n = gzfile.open(path), 0
    local read = pcall(function() for line in lines:lines() do n = n + #line end end)
    if ok then assert(read and n == #text, "the lines are another text") end
    pcall(function() for _ in gzfile.open(path, "rb", 3):lines_tail() do n = n + 1 end end)
    pcall(lines.seek, lines, "set", 100)
    lines:close()
end

local function read_certificate(bytes)
    pcall(openssl.hex, bytes, false)
    openssl.base64(bytes, false)
    local certificate = openssl.x509.read(bytes)
    if certificate then
        certificate:parse()
        certificate:issuer():oneline()
        certificate:check_host("example.org")
    end
end

local readers = {[0] = packed, inflate, unsnap, unzstd, read_file, read_certificate}

function process_message()
    local payload = read_message("Payload")
    if not payload or payload == "" then return 0 end
    readers[string.byte(payload) % 6](string.sub(payload, 2))
    return 0
end

function timer_event() end
