---@meta

---What is known of one key; a plugin adds to `n`, `sum` and `bins` by the number of the measure.
---@class monitor.record
---@field n number[]
---@field sum number[]
---@field bins number[][]
---@field score number[]
---@field seen integer

---@class monitor.measure
---@field name string
---@field kind "count"|"sum"|"average"|"share"|"max"|"last"|"unique"|"histogram"
---@field unit? string
---@field minimum? number
---@field window? integer
---@field bins? integer
---@field label? fun(bin: integer): string
---@field checks? table[]
---@field graph? boolean

---@class monitor.watch.object
---@field measures monitor.measure[]
---@field alerts monitor.alerts.sender
local watch_object = {}

---@return table state
function watch_object:state() end

---@param n? integer
---@return integer
function watch_object:version(n) end

---@param state table
---@param ns number
---@param key string
---@return monitor.record?
function watch_object:at(state, ns, key) end

---@param k monitor.record
---@param i integer
---@param item string|number
---@return boolean changed
function watch_object:unique(k, i, item) end

---@param state table
---@param ns number
---@param key string
---@param more? string
function watch_object:report(state, ns, key, more) end

---@param state table
---@param ns number
---@param shutdown boolean
function watch_object:timer(state, ns, shutdown) end

---@param state table
---@param inject function
---@param ... any
function watch_object:show(state, inject, ...) end

---@class monitor.watch
local watch = {}

---@param options table
---@return monitor.watch.object
function watch.new(options) end

---@class monitor.alerts.sender
local sender = {}

---@return table state
function sender:state() end

---@param state table
---@param ns number
---@param subject string
---@return boolean
function sender:rested(state, ns, subject) end

---@param state table
---@param ns number
---@param subject string
function sender:hold(state, ns, subject) end

---@param state table
---@param ns number
---@param subject string
---@param id string
---@param summary string
---@param detail? string
---@return boolean taken
function sender:raise(state, ns, subject, id, summary, detail) end

---@param state table
function sender:send(state) end

---@class monitor.alerts
local alerts = {}

---@param options {refractory?: number, payloads?: integer}
---@return monitor.alerts.sender
function alerts.new(options) end

---@param ns number
---@return string
function alerts.date(ns) end

---@class monitor.key
local key = {}

---@param variables? string|string[]
---@param missing? string
---@return fun(): string?
function key.new(variables, missing) end

---@param variables string|string[]
---@param missing? string
---@return fun(): string[]?
function key.path(variables, missing) end
