//! Every reader of bytes that come from outside, as a function that takes any bytes and must neither panic nor hang.
//!
//! [`targets::TARGETS`] is the one list. The driver in [`drive`] mutates seeds with stable Rust alone; the folder
//! `libfuzzer/` calls the same functions under coverage guidance, for those who have a nightly toolchain and cargo-fuzz.
//! What a target finds wrong it says by a panic.

pub mod corpus;
pub mod drive;
pub mod mutate;
pub mod targets;
