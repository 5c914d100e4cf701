-- attack: configuration files | config | contained: * | body
-- A loop by goto, compiled if anybody compiles it.
local i = 0
::a::
i = i + 1
goto a
