-- attack: inject | analysis | either
-- Injects, reads and adds to the payload before there is any message.
pcall(inject_message, {Payload = "x"})
pcall(inject_payload, "txt", "x", "y")
pcall(add_to_payload, "x")
assert(read_message("Payload") == nil)
assert(read_message("raw") == nil)
pcall(decode_message, read_message("raw", 0, 0, true))
function process_message() return 0 end
