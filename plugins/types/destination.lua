---@meta

-- Types of the module destination.

---@class foresight.Destination
local Destination = {}
---@param sequence_id lightuserdata
---@param ... string|number|userdata
---@return true? ok
---@return "full"? reason
function Destination:write(sequence_id, ...) end
function Destination:poll() end
---@param seconds? number
---@return integer pending
function Destination:flush(seconds) end
---@return { pending: integer, arrived: integer, refused: integer, failures: integer, last_failure?: string, memory: integer }
function Destination:status() end

---@class foresight.destination
---@field open fun(address: string, options?: table): foresight.Destination
destination = {}
