-- attack: contract | analysis | contained: *
-- An error while loading, with NUL and line ends.
error("a\0b\nc\r\n\27[31m", 0)
