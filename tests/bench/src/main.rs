//! Benchmarks of the whole program: makes run directories from a seed, runs an engine in them, prints a table.
//!
//! A second engine that understands the same run directories can be given with `--peer`; both then run in turns and the
//! last column says how many times better the first is. Only such ratios mean something on a machine that others share.
//! With `--small` everything runs once in tiny sizes: that asserts that every message arrives, and nothing about times.
//!
//! Each benchmark is a file that says at its head what it measures and what it does not show:
//! `inject`, `route`, `nginx`, `reinject` (how fast work is done, measured by `throughput`), `modules`, `edge`,
//! `loader`, `lake`, `kafka`, `graphs`, `footprint`, `recovery` and `latency`.

#![forbid(unsafe_code)]

mod edge;
mod engine;
mod footprint;
mod generate;
mod graphs;
mod inject;
mod kafka;
mod lake;
mod latency;
mod loader;
mod modules;
mod nginx;
mod process;
mod recovery;
mod reinject;
mod route;
mod rundir;
mod table;
mod throughput;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Parser;

use crate::engine::Engine;
use crate::inject::Inject;
use crate::nginx::Nginx;
use crate::reinject::Reinject;
use crate::route::Route;
use crate::table::Figure;
use crate::throughput::Workload;

#[derive(Parser)]
#[command(about = "Measures an engine with generated run directories", version)]
struct Arguments {
    /// The engine; without it, the program `foresight` beside this one
    #[arg(long, value_name = "PROGRAM")]
    engine: Option<PathBuf>,
    /// Its segment size (output_size) in bytes, if not its default
    #[arg(long, value_name = "BYTES")]
    segment_size: Option<u64>,
    /// Where it finds `lpeg` when that is a C module and none of its own (a cpath template)
    #[arg(long, value_name = "TEMPLATE")]
    lua_cpath: Option<String>,
    /// A second engine to compare with; one that is called `hindsight_cli` gets Hindsight's arguments
    #[arg(long, value_name = "PROGRAM")]
    peer: Option<PathBuf>,
    /// Segment size (output_size) of the second engine in bytes, if not its default
    #[arg(long, value_name = "BYTES")]
    peer_segment_size: Option<u64>,
    /// Where the second engine finds `lpeg` (a cpath template); without it, it does not run the grammar benchmark
    #[arg(long, value_name = "TEMPLATE")]
    peer_lua_cpath: Option<String>,
    /// A Lua interpreter, such as luajit with LPeg and Lua CJSON, that runs the modules' benchmark beside the engine
    #[arg(long, value_name = "PROGRAM")]
    lua: Option<PathBuf>,
    /// How often each measurement is repeated; the table shows medians
    #[arg(long, default_value_t = 3, value_name = "N")]
    runs: usize,
    /// Only benchmarks whose name begins with one of these words
    #[arg(long, value_delimiter = ',', value_name = "WORDS")]
    only: Vec<String>,
    /// Tiny sizes, one run: a test that the engine does the work, not a measurement
    #[arg(long)]
    small: bool,
    /// Where the run directories go (about 3 GB); without it, a folder in the system's temporary one
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
}

/// What all benchmarks share.
struct Bench {
    engines: Vec<Engine>,
    /// The interpreter that runs what needs no engine.
    lua: Option<PathBuf>,
    runs: usize,
    small: bool,
    directory: PathBuf,
}

impl Bench {
    /// A value that only the first engine has, as a figure takes it.
    fn of_first(&self, value: Option<f64>) -> Vec<Option<f64>> {
        let others = self.engines.iter().skip(1).map(|_| None);
        std::iter::once(value).chain(others).collect()
    }

    /// How many messages `workload` takes under `engine`.
    fn messages(&self, workload: &dyn Workload, engine: &Engine) -> u64 {
        if self.small {
            workload.messages_small()
        } else {
            workload.messages(engine)
        }
    }
}

/// The column of the interpreter that `--lua` names.
const INTERPRETER: &str = "lua";

/// Runs one benchmark under every engine.
type Measure = Box<dyn Fn(&Bench) -> Result<Vec<Figure>>>;

/// Something that can be measured.
struct Benchmark {
    name: String,
    about: &'static str,
    /// What runs beside the engine and has a column of its own in it.
    beside: Option<&'static str>,
    measure: Measure,
}

impl Benchmark {
    fn of(workload: impl Workload + 'static) -> Benchmark {
        Benchmark {
            name: workload.name(),
            about: workload.about(),
            beside: None,
            measure: Box::new(move |bench| throughput::measure(&workload, bench)),
        }
    }
}

fn benchmarks() -> Vec<Benchmark> {
    let other = |name: &str, about, measure: fn(&Bench) -> Result<Vec<Figure>>| Benchmark {
        name: name.to_owned(),
        about,
        beside: None,
        measure: Box::new(measure),
    };
    let modules = other("modules", modules::ABOUT, modules::measure);
    vec![
        Benchmark::of(Inject::Alone),
        Benchmark::of(Inject::Read),
        Benchmark::of(Inject::Write),
        Benchmark::of(Route { plugins: 100 }),
        Benchmark::of(Route { plugins: 1_000 }),
        Benchmark::of(Route { plugins: 10_000 }),
        Benchmark::of(Nginx::Strings),
        Benchmark::of(Nginx::Grammar),
        Benchmark::of(Reinject),
        Benchmark {
            beside: Some(INTERPRETER),
            ..modules
        },
        other("edge", edge::ABOUT, edge::measure),
        other("loader", loader::ABOUT, loader::measure),
        Benchmark {
            beside: Some(lake::BESIDE),
            ..other("lake", lake::ABOUT, lake::measure)
        },
        other("kafka", kafka::ABOUT, kafka::measure),
        other("graphs", graphs::ABOUT, graphs::measure),
        other("footprint", footprint::ABOUT, footprint::measure),
        other("recovery", recovery::ABOUT, recovery::measure),
        other("latency", latency::ABOUT, latency::measure),
    ]
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let bench = bench(&arguments)?;
    let wanted = |name: &str| {
        arguments.only.is_empty()
            || arguments
                .only
                .iter()
                .any(|word| name.starts_with(word.as_str()))
    };
    let chosen: Vec<Benchmark> = benchmarks()
        .into_iter()
        .filter(|benchmark| wanted(&benchmark.name))
        .collect();
    ensure!(
        !chosen.is_empty(),
        "no benchmark has a name that begins with {}",
        arguments.only.join(" or ")
    );
    let failed: Vec<String> = chosen
        .iter()
        .filter_map(|benchmark| show(benchmark, &bench))
        .collect();
    // After a failure the folder is kept: the logs in it are wanted.
    ensure!(
        failed.is_empty(),
        "failed, see {}: {}",
        bench.directory.display(),
        failed.join(", ")
    );
    fs::remove_dir_all(&bench.directory).context("removing the run directories")
}

/// Runs one benchmark and prints its figures; its name when it failed, so that the others still run.
fn show(benchmark: &Benchmark, bench: &Bench) -> Option<String> {
    println!("\n{}: {}", benchmark.name, benchmark.about);
    let figures = match (benchmark.measure)(bench) {
        Ok(figures) => figures,
        Err(error) => {
            println!("failed: {error:#}");
            return Some(benchmark.name.clone());
        }
    };
    if figures
        .iter()
        .all(|figure| figure.values.iter().all(Option::is_none))
    {
        println!("nothing measured: no engine here suits it, or the run was too small");
        return None;
    }
    let mut labels: Vec<&str> = bench.engines.iter().map(|engine| engine.label).collect();
    if benchmark.beside == Some(lake::BESIDE) {
        labels.truncate(1);
    }
    let has_it = |beside: &&str| *beside != INTERPRETER || bench.lua.is_some();
    labels.extend(benchmark.beside.filter(has_it));
    println!("{}", table::head(&labels));
    for figure in figures
        .iter()
        .filter(|figure| figure.values.iter().any(Option::is_some))
    {
        println!("{}", table::line(&benchmark.name, figure));
    }
    None
}

fn bench(arguments: &Arguments) -> Result<Bench> {
    let program = match &arguments.engine {
        Some(path) => path.clone(),
        None => beside_this_program("foresight")?,
    };
    let mut engine = Engine::new("engine", &program)?;
    engine.segment_size = arguments.segment_size;
    engine.grammar_library = !engine.asks_every_matcher || arguments.lua_cpath.is_some();
    engine.lua_cpath = arguments.lua_cpath.clone();
    let mut engines = vec![engine];
    if let Some(path) = &arguments.peer {
        let mut peer = Engine::new("peer", path)?;
        peer.segment_size = arguments.peer_segment_size;
        peer.grammar_library = arguments.peer_lua_cpath.is_some();
        peer.lua_cpath = arguments.peer_lua_cpath.clone();
        engines.push(peer);
    }
    let parent = arguments
        .directory
        .clone()
        .unwrap_or_else(std::env::temp_dir);
    let directory = parent.join(format!("foresight-bench-{}", std::process::id()));
    fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
    let runs = if arguments.small {
        1
    } else {
        arguments.runs.max(1)
    };
    Ok(Bench {
        engines,
        lua: arguments.lua.clone(),
        runs,
        small: arguments.small,
        directory: directory.canonicalize()?,
    })
}

/// A program in the folder of this one, or in the folder above: tests lie one deeper.
fn beside_this_program(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let mut candidates = this
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name));
    let found = candidates.find(|path| path.exists());
    found.with_context(|| {
        format!(
            "no program `{name}` beside {}: build it first",
            this.display()
        )
    })
}
