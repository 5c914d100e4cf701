//! Sandboxes as the engine and plugins see them: what plugins find, what they may do, and what they cannot.

mod attacks;
mod common;
mod environment;
mod inject;
mod limits;
mod many;
mod native;
mod read;
mod stream_reader;
