---@meta

---A pattern, or what stands for one: text, number of bytes, truth, grammar, function.
---@alias lpeg.Value lpeg.Pattern|string|number|boolean|table|function

---@class lpeg.Pattern: lpeg
---@operator add(lpeg.Value): lpeg.Pattern
---@operator sub(lpeg.Value): lpeg.Pattern
---@operator mul(lpeg.Value): lpeg.Pattern
---@operator div(string|number|table|function): lpeg.Pattern
---@operator pow(number): lpeg.Pattern
---@operator unm: lpeg.Pattern
---@operator len: lpeg.Pattern

---@class lpeg
local lpeg = {}

---@param patt lpeg.Value
---@param subject string
---@param init? integer
---@param ... any for `Carg`
---@return any ... values of the captures, or the position after the match; nil if it does not match
function lpeg.match(patt, subject, init, ...) end

---@param value lpeg.Value
---@return lpeg.Pattern
function lpeg.P(value) end

---@param bytes string
---@return lpeg.Pattern
function lpeg.S(bytes) end

---@param ... string two bytes each
---@return lpeg.Pattern
function lpeg.R(...) end

---@param name any
---@return lpeg.Pattern
function lpeg.V(name) end

---@param patt lpeg.Value
---@return lpeg.Pattern
function lpeg.B(patt) end

---@param patt lpeg.Value
---@return lpeg.Pattern
function lpeg.C(patt) end

---@param n integer
---@return lpeg.Pattern
function lpeg.Carg(n) end

---@param name any
---@return lpeg.Pattern
function lpeg.Cb(name) end

---@param ... any
---@return lpeg.Pattern
function lpeg.Cc(...) end

---@param patt lpeg.Value
---@param fold fun(accumulated: any, ...: any): any
---@return lpeg.Pattern
function lpeg.Cf(patt, fold) end

---@param patt lpeg.Value
---@param name? any
---@return lpeg.Pattern
function lpeg.Cg(patt, name) end

---@param patt lpeg.Value
---@param f fun(subject: string, position: integer, ...: any): any, ...: any
---@return lpeg.Pattern
function lpeg.Cmt(patt, f) end

---@return lpeg.Pattern
function lpeg.Cp() end

---@param patt lpeg.Value
---@return lpeg.Pattern
function lpeg.Cs(patt) end

---@param patt lpeg.Value
---@return lpeg.Pattern
function lpeg.Ct(patt) end

---@param classes? table
---@return table<string, lpeg.Pattern>
function lpeg.locale(classes) end

---@param n integer
function lpeg.setmaxstack(n) end

---@param value any
---@return "pattern"?
function lpeg.type(value) end

---@return string
function lpeg.version() end

---@class re
local re = {}

---@param text string|lpeg.Pattern
---@param defs? table
---@return lpeg.Pattern
function re.compile(text, defs) end

---@param subject string
---@param text string|lpeg.Pattern
---@param init? integer
---@return any ...
function re.match(subject, text, init) end

---@param subject string
---@param text string|lpeg.Pattern
---@param init? integer
---@return integer? first, integer? last
function re.find(subject, text, init) end

---@param subject string
---@param text string|lpeg.Pattern
---@param replacement string|table|function
---@return string
function re.gsub(subject, text, replacement) end

function re.updatelocale() end
