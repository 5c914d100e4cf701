-- attack: loaders | analysis | contained: instruction_limit exceeded | modules
-- The module never finishes loading, and its requirer catches that.
pcall(require, "endless")
pcall(require, "endless")
function process_message() return 0 end
