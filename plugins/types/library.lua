---@meta
-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- The small native modules.

---@class bit32lib
---@field band fun(...: number): integer
---@field bor fun(...: number): integer
---@field bxor fun(...: number): integer
---@field btest fun(...: number): boolean
---@field bnot fun(x: number): integer
---@field lshift fun(x: number, n: integer): integer
---@field rshift fun(x: number, n: integer): integer
---@field arshift fun(x: number, n: integer): integer
---@field lrotate fun(x: number, n: integer): integer
---@field rrotate fun(x: number, n: integer): integer
---@field extract fun(x: number, first: integer, width?: integer): integer
---@field replace fun(x: number, value: number, first: integer, width?: integer): integer
bit32 = {}

---@class structlib
---@field pack fun(format: string, ...: any): string
---@field unpack fun(format: string, bytes: string, position?: integer): ...
---@field size fun(format: string): integer
struct = {}

---@class xxhashlib
---@field h32 fun(item: string|number, seed?: number): number
---@field h64 fun(item: string|number, seed?: number): number
---@field version fun(): string
xxhash = {}

---@alias zlib.flush "none"|"sync"|"full"|"finish"
---@alias zlib.inflate fun(bytes?: string): string, boolean, integer?, integer?
---@alias zlib.deflate fun(text?: string, flush?: zlib.flush): string, boolean, integer?, integer?
---@alias zlib.checksum fun(item?: string|zlib.checksum): number, integer

---@class zliblib
---@field inflate fun(window_bits?: integer): zlib.inflate
---@field deflate fun(level?: integer, window_bits?: integer): zlib.deflate
---@field crc32 fun(): zlib.checksum
---@field adler32 fun(): zlib.checksum
---@field version fun(): integer, integer, integer
---@field BEST_SPEED integer
---@field BEST_COMPRESSION integer
zlib = {}

---@class snappylib
---@field compress fun(text: string): string
---@field uncompress fun(bytes: string): string
---@field decompress fun(bytes: string): string
---@field validate_compressed_buffer fun(bytes: string): boolean
snappy = {}

---@class zstdlib
---@field compress fun(text: string, level?: integer): string
---@field decompress fun(bytes: string, max?: integer): string
---@field version fun(): string
zstd = {}

---@alias openssl.algorithm "md5"|"sha1"|"sha224"|"sha256"|"sha384"|"sha512"

---@class openssl.evp_digest_ctx
---@field update fun(self: openssl.evp_digest_ctx, text: string): boolean
---@field final fun(self: openssl.evp_digest_ctx, last?: string|boolean, raw?: boolean): string
---@field reset fun(self: openssl.evp_digest_ctx): boolean
---@field info fun(self: openssl.evp_digest_ctx): { name: string, size: integer }

---@class openssl.hmac_ctx
---@field update fun(self: openssl.hmac_ctx, text: string): boolean
---@field final fun(self: openssl.hmac_ctx, last?: string|boolean, raw?: boolean): string

---@class openssl.x509_name
---@field get_text fun(self: openssl.x509_name, part: string): string?
---@field oneline fun(self: openssl.x509_name): string

---@class openssl.x509
---@field parse fun(self: openssl.x509): table
---@field subject fun(self: openssl.x509): openssl.x509_name
---@field issuer fun(self: openssl.x509): openssl.x509_name
---@field check_host fun(self: openssl.x509, host: string): boolean

---@class openssl.digestlib
---@field digest fun(name: openssl.algorithm, text: string, raw?: boolean): string
---@field new fun(name: openssl.algorithm): openssl.evp_digest_ctx
---@field list fun(): string[]

---@class openssl.hmaclib
---@field hmac fun(name: openssl.algorithm, text: string, key: string, raw?: boolean): string
---@field new fun(name: openssl.algorithm, key: string): openssl.hmac_ctx

---@class openssllib
---@field digest openssl.digestlib
---@field hmac openssl.hmaclib
---@field x509 { read: fun(text: string): openssl.x509?, string? }
---@field random fun(n: integer): string
---@field hex fun(text: string, encode?: boolean): string
---@field base64 fun(text: string, encode?: boolean, one_line?: boolean): string?
openssl = {}

---@class timezonelib
---@field offset fun(zone: string, seconds: number): integer, string, boolean
---@field local_offset fun(zone: string, seconds: number): integer, string, boolean
---@field exists fun(zone: string): boolean
timezone = {}

---@class gzfile.file
---@field lines fun(self: gzfile.file, max_bytes?: integer): fun(): string?
---@field lines_tail fun(self: gzfile.file, strip?: boolean): fun(): string?
---@field seek fun(self: gzfile.file, whence?: "set"|"cur", offset?: number): number?, string?
---@field close fun(self: gzfile.file)

---@class gzfilelib
---@field open fun(file: string, mode?: string, buffer_size?: integer): gzfile.file?, string?
---@field string fun(file: string, mode?: string, buffer_size?: integer, max_bytes?: integer): string
---@field version fun(): string
gzfile = {}

---@class maxminddb.result
---@field get fun(self: maxminddb.result, ...: string): string|number|boolean

---@class maxminddb.database
---@field lookup fun(self: maxminddb.database, address: string): maxminddb.result

---@class maxminddblib
---@field open fun(file: string): maxminddb.database
maxminddb = {}

---@class lfs.lock
---@field free fun(self: lfs.lock)

---@class lfslib
---@field attributes fun(path: string, what?: string|table): any, string?, integer?
---@field symlinkattributes fun(path: string, what?: string|table): any, string?, integer?
---@field dir fun(path: string): fun(listing: userdata): string?, userdata
---@field currentdir fun(): string?, string?, integer?
---@field mkdir fun(path: string): true?, string?, integer?
---@field rmdir fun(path: string): true?, string?, integer?
---@field touch fun(path: string, accessed?: number, modified?: number): true?, string?, integer?
---@field link fun(old: string, new: string, symbolic?: boolean): true?, string?, integer?
---@field lock_dir fun(path: string, seconds?: number): lfs.lock?, string?, integer?
lfs = {}
