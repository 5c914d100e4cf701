//! Kafka: the `kafka` module, producers for outputs and consumers for inputs, on librdkafka.
//!
//! Names, arguments and error texts are those of the public `kafka` module of Mozilla's lua_sandbox_extensions, so its
//! plugins run as they are. Beyond it: keys, headers and timestamps; acknowledgements message by message, so that an
//! output's mark never passes one that is under way; offsets that are committed only when what came of them is safe in
//! the engine's queue; queues within the plugin's memory.

mod closing;
mod consumer;
mod lines;
mod offsets;
mod producer;
mod settings;

use sandbox::native::{Call, Error, Registry, function};

/// The version of the public module whose functions these are.
const VERSION: &str = "1.0.7";

/// Offers `kafka` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("kafka", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[
        ("consumer", function(consumer::new)),
        ("producer", function(producer::new)),
        ("version", function(version)),
    ])?;
    // As the public module does, which plugins rely on.
    call.push_value(-1)?;
    call.set_global("kafka")?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes(VERSION)?;
    Ok(1)
}

/// Fails unless there are between `least` and `most` arguments.
fn check_count(call: &Call<'_>, least: usize, most: usize) -> Result<(), Error> {
    let n = call.arg_count();
    match (least..=most).contains(&n) {
        true => Ok(()),
        false => Err(Error::argument(n as i32, "incorrect number of arguments")),
    }
}
