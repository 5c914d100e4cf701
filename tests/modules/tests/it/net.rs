//! The modules that talk to the outside, against servers and clients made here: good ones, slow ones, vanishing and hostile ones.

mod http;
pub mod peers;
pub mod smtp;
mod tls;
