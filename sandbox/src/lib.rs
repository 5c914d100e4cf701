//! One plugin's Lua state with its limits, the functions the host offers it, and its preserved state.
//!
//! [`Sandbox`] is the face: it is made of a [`Spec`] and a [`Host`], and called with messages. Native modules are written
//! with [`native`], without unsafe code.
//!
//! Lua's C interface is unsafe by nature. It is allowed here, by name, in the modules that speak to it, and nowhere else.

#[allow(unsafe_code)]
mod sandbox;
pub mod status;

// What plugins find.
#[allow(unsafe_code)]
mod api;
mod base;
#[allow(unsafe_code)]
mod coroutine;
mod environment;
mod lib_io;
mod lib_math;
mod lib_os;
mod lib_string;
mod lib_table;
#[allow(unsafe_code)]
mod message;
#[allow(unsafe_code)]
mod require;
mod stream_reader;
mod strftime;

// How the cage is made.
#[allow(unsafe_code)]
mod ffi;
#[allow(unsafe_code)]
mod limits;
#[allow(unsafe_code)]
pub mod native;
#[allow(unsafe_code)]
mod vm;
#[allow(unsafe_code)]
mod watch;

pub mod config_file;
#[allow(unsafe_code)]
pub mod preserve;
pub mod value;

pub use sandbox::{
    Checkpoint, CompiledMatcher, CreateError, Handle, Host, InjectError, Kind, Limits, MAX_CHECKPOINT, Sandbox, Spec,
    Stats,
};
pub use status::Answer;
pub use vm::compiler_can_be_stopped;
