//! The message types that `prost` makes of `proto/heka.proto`: for Rust code that wants plain structs, and as the oracle
//! of the tests of [`crate::view`] and [`crate::encode`].

include!(concat!(env!("OUT_DIR"), "/heka.rs"));
