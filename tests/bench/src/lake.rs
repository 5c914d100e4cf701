//! How fast the lake is filled: rows into a Parquet file, beside pyarrow, and records into a spool of the Heka lake.
//!
//! Both begin with the same rows, ready as tables of Lua or dictionaries of Python, take them apart into columns, and write
//! row groups of the same size with zstd at level 3, dictionaries for all columns but truth values, minima and maxima in the
//! footer, and no index of pages, which are the defaults of both; on one core. pyarrow reads both files back and compares
//! them. `table there` is pyarrow when the columns are there already, as a table of Arrow, which is more than half of its
//! work. Does not show the transport to a store, or how a message becomes a row.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::Bench;
use crate::engine::Engine;
use crate::modules::{Cases, cases, value};
use crate::process;
use crate::rundir::{RunDir, Stage};
use crate::table::Figure;

/// What pyarrow does.
const PYARROW: &str = include_str!("lake.py");

/// Rows of a file, and of each of its row groups.
const ROWS: u64 = 400_000;
const ROWS_SMALL: u64 = 2_000;
const GROUP: u64 = 10_000;
const GROUP_SMALL: u64 = 1_000;

/// Bytes of a record of the Heka lake.
const RECORD: f64 = 1_000.0;

/// What it measures, and what it does not show.
pub const ABOUT: &str = "rows of Lua into a Parquet file beside pyarrow with the same rows and codec, records of 1 kB into a \
    spool, in processor time on one core; not: transport to a store";

/// The name of the second column.
pub const BESIDE: &str = "pyarrow";

/// Runs the first engine and pyarrow in turns.
///
/// # Errors
/// When one fails, or the files differ.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let (rows, group) = match bench.small {
        true => (ROWS_SMALL, GROUP_SMALL),
        false => (ROWS, GROUP),
    };
    let folder = bench.directory.join("lake");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for _ in 0..bench.runs {
        fs::create_dir_all(&folder)?;
        ours.push(under_engine(bench, &bench.engines[0], (rows, group))?);
        theirs.push(under_python(&folder, (rows, group))?);
        bytes = fs::metadata(folder.join("ours.parquet"))?.len();
        fs::remove_dir_all(&folder)?;
    }
    let per_second = |ns: Option<f64>| ns.map(|ns| 1e9 / ns);
    let of_rows = [value(&ours, "parquet"), value(&theirs, "parquet")];
    let of_table = value(&theirs, "table");
    let megabytes = |ns: Option<f64>| ns.map(|ns| bytes as f64 / rows as f64 / ns * 1e3);
    Ok(vec![
        Figure::less("parquet row ns", of_rows.to_vec()),
        Figure::more("parquet rows/s", of_rows.map(per_second).to_vec()),
        Figure::more("parquet MB/s", of_rows.map(megabytes).to_vec()),
        Figure::less("table there ns", vec![of_rows[0], of_table]),
        Figure::more(
            "heka MB/s",
            vec![value(&ours, "heka").map(|ns| RECORD / ns * 1e3), None],
        ),
    ])
}

fn under_engine(bench: &Bench, engine: &Engine, (rows, group): (u64, u64)) -> Result<Cases> {
    let dir = RunDir::create(&bench.directory.join("run"), engine)?;
    let folder = bench.directory.join("lake").display().to_string();
    let config = format!("folder = {folder:?}\nrows = {rows}\ngroup = {group}\nmemory_limit = 0");
    dir.plugin(Stage::Input, "lake", "lake.lua", &config)?;
    process::run_to_end(&mut engine.replay(&dir.root), &dir.root)
        .with_context(|| format!("lake, {}", engine.label))?;
    cases(&dir.read("figures")?)
}

fn under_python(folder: &std::path::Path, (rows, group): (u64, u64)) -> Result<Cases> {
    let output = Command::new(e2e::python())
        .args(["-c", PYARROW])
        .arg(folder)
        .args([rows.to_string(), group.to_string()])
        .output()
        .context("starting Python")?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "pyarrow failed: {words}");
    cases(&String::from_utf8(output.stdout)?)
}
