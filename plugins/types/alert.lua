---@meta

---@class heka.alert
---@field thresholds table<string, any>
local alert = {}

---@param id string
---@param summary string?
---@param detail string?
---@param throttle number? minutes
---@param ldata table?
---@return boolean sent
function alert.send(id, summary, detail, throttle, ldata) end

---@param id string
---@param summary string?
---@param detail string?
---@param ldata table?
---@return boolean sent
function alert.recover(id, summary, detail, ldata) end

---@param id string
---@param throttle number? minutes
---@return boolean
function alert.throttled(id, throttle) end

---@param id string
---@return any
function alert.get_threshold(id) end

---@return boolean
function alert.has_lookup() end

---@param id string
---@param extension string?
---@return string
function alert.get_dashboard_uri(id, extension) end

return alert
