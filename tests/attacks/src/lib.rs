//! Attack programs against the sandbox: what each one is, how it is run, and what counts as a hole.
//!
//! Every program in `programs/` begins with a line of this form, and a second one that says what it tries:
//!
//! ```text
//! -- attack: CLASS | KIND | EXPECTATION | OPTIONS
//! ```
//!
//! * KIND is `analysis`, `output` or `input` for a plugin of that kind, `state` for a state file that is given to an
//!   innocent plugin, and `config` for a plugin configuration.
//! * EXPECTATION is `contained: TEXT / TEXT` (it must be ended with an error that contains one of the texts, `*` being any),
//!   `harmless` (it must run to its end: it asserts by itself that it did not get what it wanted), or `either`.
//! * OPTIONS, which may be absent, are listed at [`program::Options`].
//!
//! Whatever the expectation: no program may hang, crash or abort the process, use memory of the process without bound,
//! leave a file behind, inject what is no message, or be felt by the plugins beside it.
//! A program that gets what it should not raises an error that begins with `HOLE`.

pub mod cage;
pub mod neighbours;
pub mod program;
pub mod recorder;
pub mod trial;
