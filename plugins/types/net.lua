---@meta
-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

-- Types of the modules that talk to the outside: socket, ssl, mime.core, luasql.postgres.

---@class foresight.Socket
local Socket = {}
---@param host string
---@param port? integer
---@return integer? ok
---@return string? reason
function Socket:connect(host, port) end
---@param host string
---@param port? integer
---@return integer? ok
---@return string? reason
function Socket:bind(host, port) end
---@return foresight.Socket? client
---@return string? reason
function Socket:accept() end
---@param data string
---@param i? integer
---@param j? integer
---@return integer? last
---@return string? reason
---@return integer? partial
function Socket:send(data, i, j) end
---@param pattern? string|integer
---@param prefix? string
---@return string? data
---@return string? reason
---@return string? partial
function Socket:receive(pattern, prefix) end
---@param data string
---@param host string
---@param port? integer
---@return integer? ok
---@return string? reason
function Socket:sendto(data, host, port) end
---@param size? integer
---@return string? data
---@return string address_or_reason
---@return integer? port
function Socket:receivefrom(size) end
---@param seconds? number
---@param mode? "b"|"t"|"r"
---@return integer ok
function Socket:settimeout(seconds, mode) end
---@return string? address
---@return integer|string port_or_reason
---@return string? family
function Socket:getsockname() end
---@return string? address
---@return integer|string port_or_reason
---@return string? family
function Socket:getpeername() end
---@param name string
---@param value any
---@return integer? ok
---@return string? reason
function Socket:setoption(name, value) end
---@return integer ok
function Socket:close() end
---@return boolean ok
---@return string? reason
function Socket:dohandshake() end
---@param name string
function Socket:sni(name) end
---@param field? string
---@return any
function Socket:info(field) end
---@return foresight.Certificate?
function Socket:getpeercertificate() end

---@class foresight.Certificate
local Certificate = {}
---@return {oid: string, name: string, value: string}[]
function Certificate:subject() end
---@return {oid: string, name: string, value: string}[]
function Certificate:issuer() end
---@return string
function Certificate:serial() end
---@param algorithm? "sha1"|"sha256"|"sha384"|"sha512"
---@return string? hex
---@return string? reason
function Certificate:digest(algorithm) end
---@return string
function Certificate:pem() end

---@class foresight.socket
local socket = {}
---@return foresight.Socket? socket
---@return string? reason
function socket.tcp() end
---@return foresight.Socket? socket
---@return string? reason
function socket.udp() end
---@param host string
---@param port integer
---@return foresight.Socket? socket
---@return string? reason
function socket.connect(host, port) end
---@param host string
---@param port integer
---@param backlog? integer
---@return foresight.Socket? socket
---@return string? reason
function socket.bind(host, port, backlog) end
---@param to_read? foresight.Socket[]
---@param to_write? foresight.Socket[]
---@param seconds? number
---@return table readable
---@return table writable
---@return string? reason
function socket.select(to_read, to_write, seconds) end
---@param seconds number
function socket.sleep(seconds) end
---@return number seconds
function socket.gettime() end

---@class foresight.SslParams
---@field mode "client"|"server"
---@field protocol? string
---@field certificate? string
---@field key? string
---@field cafile? string
---@field capath? string
---@field verify? string|string[]
---@field options? string|string[]
---@field ciphers? string
---@field ciphersuites? string
---@field alpn? string|string[]

---@class foresight.ssl
local ssl = {}
---@param params foresight.SslParams
---@return userdata? context
---@return string? reason
function ssl.newcontext(params) end
---@param plain foresight.Socket
---@param context userdata|foresight.SslParams
---@return foresight.Socket? connection
---@return string? reason
function ssl.wrap(plain, context) end

---@class foresight.SqlConnection
local SqlConnection = {}
---@param sql string
---@return foresight.SqlCursor|integer|nil result
---@return string? reason
function SqlConnection:execute(sql) end
---@param text string
---@return string
function SqlConnection:escape(text) end
---@return boolean? ok
---@return string? reason
function SqlConnection:commit() end
---@return boolean? ok
---@return string? reason
function SqlConnection:rollback() end
---@param on boolean
---@return boolean? ok
---@return string? reason
function SqlConnection:setautocommit(on) end
---@return boolean was_open
function SqlConnection:close() end

---@class foresight.SqlCursor
local SqlCursor = {}
---@param row? table
---@param mode? "n"|"a"|"an"
---@return any ...
function SqlCursor:fetch(row, mode) end
---@return string[]
function SqlCursor:getcolnames() end
---@return string[]
function SqlCursor:getcoltypes() end
---@return integer
function SqlCursor:numrows() end
---@return boolean was_open
function SqlCursor:close() end
