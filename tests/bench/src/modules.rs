//! How fast the modules of the library are: grammars, JSON, validation, data structures.
//!
//! One Lua program runs as an input plugin of each engine and, if it is given, under a Lua interpreter of its own that can
//! `require` modules of the same names (LuaJIT with LPeg and Lua CJSON), in turns; it takes processor time per call itself,
//! the best of some rounds. Does not show cold caches, the garbage that other work of a plugin leaves, or what becomes of a
//! line once it is a table: that is what `nginx-grammar` measures.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::Bench;
use crate::engine::Engine;
use crate::generate::{self, Document};
use crate::process;
use crate::rundir::{self, RunDir, Stage};
use crate::table::{Figure, median};

/// The Lua program.
const PROGRAM: &str = "modules.lua";
/// Bytes that one round of a case works on: enough to last for many ticks of the clock.
const BYTES: u64 = 20_000_000;
const BYTES_SMALL: u64 = 20_000;
/// Lines of the access log.
const LINES: u64 = 1_000;

/// What it measures, and what it does not show.
pub const ABOUT: &str = "calls of modules from Lua: lines by grammar, JSON documents, a schema, data structures, in processor \
    time per call; not: cold caches, the plugin's other garbage";

/// Names of cases with nanoseconds, in the order in which they ran.
pub(crate) type Cases = Vec<(String, f64)>;

/// Runs the program under every engine, and under the interpreter, as often as is asked for.
///
/// # Errors
/// When one fails.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let bytes = if bench.small { BYTES_SMALL } else { BYTES };
    prepare(&bench.directory)?;
    let n_columns = bench.engines.len() + usize::from(bench.lua.is_some());
    let mut samples: Vec<Vec<Cases>> = vec![Vec::new(); n_columns];
    for _ in 0..bench.runs {
        for (engine, samples) in bench.engines.iter().zip(&mut samples) {
            samples.push(under_engine(bench, engine, bytes)?);
        }
        if let (Some(lua), Some(samples)) = (&bench.lua, samples.last_mut()) {
            samples.push(under_interpreter(lua, &bench.directory, bytes)?);
        }
    }
    let names = samples[0].first().into_iter().flatten();
    let figures = names.map(|(name, _)| {
        let values = samples.iter().map(|runs| value(runs, name)).collect();
        Figure::less(format!("{name} ns"), values)
    });
    Ok(figures.collect())
}

/// The median of a case over the runs.
pub(crate) fn value(runs: &[Cases], name: &str) -> Option<f64> {
    let found: Vec<f64> = runs
        .iter()
        .flatten()
        .filter(|(known, _)| known == name)
        .map(|(_, ns)| *ns)
        .collect();
    median(&found)
}

fn prepare(folder: &Path) -> Result<()> {
    generate::access_log(folder, LINES)?;
    for document in [Document::Records, Document::Numbers, Document::Texts] {
        for len in [1_000, 100_000] {
            generate::document(folder, document, len)?;
        }
    }
    generate::document(folder, Document::Records, 30_000)?;
    Ok(())
}

fn under_engine(bench: &Bench, engine: &Engine, bytes: u64) -> Result<Cases> {
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    let documents = bench.directory.display().to_string();
    let config =
        format!("documents = {documents:?}\nbytes = {bytes}\nmemory_limit = 0\noutput_limit = 0");
    dir.plugin(Stage::Input, "modules", PROGRAM, &config)?;
    process::run_to_end(&mut engine.replay(&dir.root), &dir.root)
        .with_context(|| format!("modules, {}", engine.label))?;
    cases(&dir.read("figures")?)
}

fn under_interpreter(lua: &Path, folder: &Path, bytes: u64) -> Result<Cases> {
    let program = folder.join(PROGRAM);
    fs::write(&program, rundir::source(PROGRAM)?)?;
    let output = Command::new(lua)
        .arg(&program)
        .arg(folder)
        .arg(bytes.to_string())
        .output()
        .with_context(|| format!("starting {}", lua.display()))?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        lua.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    cases(&String::from_utf8(output.stdout)?)
}

/// Reads the lines `NAME=NANOSECONDS`.
pub(crate) fn cases(text: &str) -> Result<Cases> {
    let case = |line: &str| {
        let (name, ns) = line.split_once('=')?;
        Some((name.to_owned(), ns.parse().ok()?))
    };
    text.lines()
        .map(|line| case(line).with_context(|| format!("no figure: {line:?}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_program_writes() {
        let read = cases("decode 1 KB=12.5\nencode=3\n").expect("figures");
        assert_eq!(read[0], ("decode 1 KB".to_owned(), 12.5));
        assert_eq!(
            value(&[read.clone(), vec![("encode".into(), 5.0)]], "encode"),
            Some(4.0)
        );
        assert_eq!(value(&[read], "other"), None);
        assert!(cases("nothing").is_err());
    }
}
