-- Requires the module that requires this one.
require "cycle_b"
return {}
