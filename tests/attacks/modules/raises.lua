-- Raises an error that is no text.
error({})
