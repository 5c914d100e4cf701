//! The program `foresight`.
fn main() {}
