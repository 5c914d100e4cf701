-- Lies outside of the search path: no plugin may require it.
return "CANARY"
