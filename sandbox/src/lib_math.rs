//! Lua's math library, with the additions Hindsight plugins expect.
