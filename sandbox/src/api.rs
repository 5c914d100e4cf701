//! What the host offers a plugin: `read_config`, `read_message`, `inject_message` and the rest of Hindsight's functions.
#![allow(unsafe_code)]

mod checkpoint;
mod config;
mod decode;
pub(crate) mod encode;
pub(crate) mod encode_direct;
mod inject;
mod matcher;
mod payload;
mod print;
mod read;

pub use payload::write_number;

use crate::native::{Function, function};

/// Functions of every kind of plugin.
pub(crate) const COMMON: &[(&str, Function)] = &[
    ("read_config", function(config::read_config)),
    ("decode_message", function(decode::decode_message)),
    ("print", function(print::print)),
];

/// Functions of input plugins; `output` goes away after the main chunk.
pub(crate) const INPUT: &[(&str, Function)] = &[
    ("inject_message", function(inject::inject_message_input)),
    (
        "create_stream_reader",
        function(crate::stream_reader::create),
    ),
    (
        "create_message_matcher",
        function(matcher::create_message_matcher),
    ),
    ("is_running", function(config::is_running)),
    ("output", function(payload::add_to_payload)),
];

/// Functions of analysis plugins.
pub(crate) const ANALYSIS: &[(&str, Function)] = &[
    ("inject_message", function(inject::inject_message)),
    ("inject_payload", function(payload::inject_payload)),
    ("add_to_payload", function(payload::add_to_payload)),
    ("read_message", function(read::read_message)),
];

/// Functions of output plugins; `output` goes away after the main chunk.
pub(crate) const OUTPUT: &[(&str, Function)] = &[
    ("inject_message", function(inject::inject_message)),
    ("read_message", function(read::read_message)),
    ("encode_message", function(decode::encode_message)),
    ("update_checkpoint", function(checkpoint::update_checkpoint)),
    (
        "create_message_matcher",
        function(matcher::create_message_matcher),
    ),
    ("output", function(payload::add_to_payload)),
];
