-- attack: configuration files | config | contained: *
-- Methods of strings, which are not there.
filename = ("x"):rep(1e10)
