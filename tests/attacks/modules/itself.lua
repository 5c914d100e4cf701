-- Requires itself.
require "itself"
return {}
