//! How fast grammars run: `grammar_speed [interpreter]` times the same Lua program in a sandbox and, if an interpreter with
//! LPeg such as `luajit` is named, in that one, and shows the ratios.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use sandbox::native::Registry;
use sandbox::{Checkpoint, Host, InjectError, Kind, Sandbox, Spec};

/// Gathers what the program prints.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<String>>);

impl Host for Printed {
    fn inject(&mut self, _: &[u8], _: &[u8], _: Option<&Checkpoint>) -> Result<(), InjectError> {
        Err(InjectError::Rejected(1))
    }

    fn log(&mut self, _: u8, text: &str) {
        let mut printed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        printed.push_str(text);
        printed.push('\n');
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/grammar_speed.lua");
    let ours = run_here(&program)?;
    let theirs = match std::env::args().nth(1) {
        Some(interpreter) => run_there(&interpreter, &program)?,
        None => String::new(),
    };
    let theirs: BTreeMap<&str, f64> = theirs.lines().filter_map(case).collect();
    println!(
        "{:<16}{:>12}{:>12}{:>8}",
        "", "here ns", "there ns", "ratio"
    );
    for (name, ns) in ours.lines().filter_map(case) {
        match theirs.get(name) {
            Some(other) => println!("{name:<16}{ns:>12.0}{other:>12.0}{:>8.2}", other / ns),
            None => println!("{name:<16}{ns:>12.0}"),
        }
    }
    Ok(())
}

/// A printed line: the case and its nanoseconds.
fn case(line: &str) -> Option<(&str, f64)> {
    let (name, ns) = line.split_once(' ')?;
    Some((name, ns.parse().ok()?))
}

fn run_here(program: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let mut registry = Registry::new();
    lpeg::register(&mut registry);
    let mut spec = Spec::new(Kind::Input, "input.grammar_speed", program);
    spec.limits.instructions = 0;
    // What `print` writes is logged at this level.
    spec.log_level = 7;
    spec.modules = Arc::new(registry);
    let printed = Printed::default();
    Sandbox::new(spec, Box::new(printed.clone()))?;
    let printed = printed.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(printed.clone())
}

fn run_there(interpreter: &str, program: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let output = Command::new(interpreter).arg(program).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
