//! The `socket` module of input and output plugins: TCP, UDP and Unix sockets with LuaSocket's functions.

mod address;
mod stream;
mod wait;
