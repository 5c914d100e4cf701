//! The program `foresight`: command line in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    host::cli::main(std::env::args_os())
}
