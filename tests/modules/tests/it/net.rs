//! The modules that talk to the outside, against servers and clients made here: good ones, slow ones, vanishing and hostile ones.

mod http;
mod peers;
mod smtp;
mod tls;
