//! Runs one attack program in this process: `foresight-attacks PROGRAM.lua [--interpret]`, in an empty current folder.
//!
//! Prints one line that begins with `ok` or `hole`; ends with 0, 1 (a hole) or 2 (the trial itself failed).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use attacks::cage::Step;
use attacks::program::Program;
use attacks::trial::{Outcome, Places, run, shorten};

fn main() -> ExitCode {
    match trial() {
        Ok(outcome) => report(&outcome),
        Err(error) => {
            println!("failed\t{error:#}");
            ExitCode::from(2)
        }
    }
}

fn trial() -> Result<Outcome> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .context("usage: foresight-attacks PROGRAM.lua [--interpret]")?;
    let jit = arguments.next().as_deref() != Some("--interpret");
    let program = Program::read(Path::new(&path))?;
    let places = Places {
        crate_folder: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        work_folder: std::env::current_dir()?,
    };
    run(&program, &places, jit)
}

fn report(outcome: &Outcome) -> ExitCode {
    let end = match &outcome.step {
        Step::Ran(_) => "ran".to_owned(),
        Step::Ended(text) => shorten(text),
    };
    let (word, text) = if outcome.holes.is_empty() {
        ("ok", end)
    } else {
        ("hole", outcome.holes.join("; "))
    };
    let figures = format!(
        "{} ms, {} MiB, neighbours {} rounds, slowest {} ms",
        outcome.took.as_millis(),
        outcome.memory >> 20,
        outcome.seen.n_rounds,
        outcome.seen.slowest.as_millis(),
    );
    println!("{word}\t{figures}\t{text}");
    ExitCode::from(u8::from(!outcome.holes.is_empty()))
}
