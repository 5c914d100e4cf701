//! What every destination promises, at work in a real engine: the same battery of deaths and faults for all of them; and what
//! `output/http.lua` does beyond.

mod battery;
mod http;
mod targets;
