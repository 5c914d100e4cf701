//! One plugin's Lua state with its limits, the functions the host offers it, and its preserved state.
//!
//! [`Sandbox`] is the face: it is made of a [`Spec`] and a [`Host`], and called with messages. Native modules are written
//! with [`native`], without unsafe code.
//!
//! Lua's C interface is unsafe by nature. Unsafe code is allowed in the modules that speak to it, each of which says so in
//! its head, and nowhere else.

mod sandbox;
pub mod status;

// What plugins find.
mod api;
mod base;
mod coroutine;
mod environment;
mod lib_io;
mod lib_math;
mod lib_os;
mod lib_string;
mod lib_table;
mod message;
mod number_text;
mod require;
mod stream_reader;
mod strftime;

// How the cage is made.
mod ffi;
mod heap;
mod limits;
pub mod native;
mod prefetch;
mod vm;
mod watch;

pub mod config_file;
pub mod preserve;
pub mod value;

/// Files that only grow, for native code: opened after a crash they lose a torn last record and no other.
pub mod append_file {
    pub use crate::lib_io::append::{AppendFile, Frames, sync_folder, write_whole};
}

pub use prefetch::prefetch;
pub use sandbox::{
    Checkpoint, CompiledMatcher, CreateError, DeadLetter, Handle, Host, InjectError, Intake, Kind,
    Limits, MAX_CHECKPOINT, MessagePlace, Place, Sandbox, Spec, Stats,
};
pub use status::Answer;
pub use vm::compiler_can_be_stopped;
