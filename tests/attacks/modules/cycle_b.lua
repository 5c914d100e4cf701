-- Requires the module that requires this one.
require "cycle_a"
return {}
