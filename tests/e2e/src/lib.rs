//! A workshop for tests of the whole program: run directories, the engine as a process, what it left behind.
//!
//! A [`Site`] is a run directory of its own; [`Site::start`] runs the engine in it until told to stop,
//! [`Site::replay`] until its inputs have ended. Nothing here asserts how long something takes: a wait has one generous
//! deadline, beyond which only a hang can be the reason, and the failure shows the engine's log.

pub mod certificates;
pub mod frames;
pub mod http;
pub mod kafka;
mod pings;
pub mod process;
pub mod program;
pub mod python;
pub mod receiver;
pub mod site;

pub use certificates::Certificates;
pub use frames::{dead_letters, field_number, field_text, frame, messages, payloads};
pub use pings::PINGS;
pub use process::{Engine, Finished, wait_until};
pub use python::python;
pub use receiver::Receiver;
pub use site::{Kind, Site, files, free_port, plugins_dir};
