//! One plugin's Lua state with its limits, the functions the host offers it, and its preserved state.
//!
//! [`Sandbox`] is the face: it is made of a [`Spec`] and a [`Host`], and called with messages. Native modules are written
//! with [`native`], without unsafe code.

mod sandbox;
pub mod status;
pub mod native;
pub mod value;

mod environment;
mod base;
mod coroutine;
mod require;
mod api;
mod message;
mod stream_reader;

mod limits;
mod watch;
#[allow(unsafe_code)]
mod vm;
mod ffi;

pub mod config_file;
pub mod preserve;

pub use sandbox::{
    Checkpoint, CompiledMatcher, CreateError, Handle, Host, InjectError, Kind, Limits,
    MAX_CHECKPOINT, Sandbox, Spec, Stats,
};
pub use status::Answer;
pub use vm::compiler_can_be_stopped;
