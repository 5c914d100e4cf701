//! Fuzzes one target, or all: `foresight-fuzz [TARGET] --seconds N --seed S`; writes an input that fails to `failures/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use fuzz::corpus;
use fuzz::drive::{Outcome, Until, run};
use fuzz::targets::{TARGETS, Target, by_name};
use stdx::seed::Random;

/// Fuzzes the readers of bytes from outside.
#[derive(Parser)]
struct Arguments {
    /// The target; all of them if there is none.
    target: Option<String>,
    /// How long each target runs, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The seed of the mutations; one that nobody chose if there is none.
    #[arg(long)]
    seed: Option<u64>,
    /// Runs the target on this file only.
    #[arg(long)]
    input: Option<PathBuf>,
    /// Writes the seeds of all targets into the corpus and ends.
    #[arg(long)]
    write_corpus: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let targets = chosen(&arguments)?;
    if arguments.write_corpus {
        for target in targets {
            println!("{}: {} seeds", target.name, corpus::write(target)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = &arguments.input {
        let bytes = fs::read(path)?;
        targets.iter().for_each(|target| (target.run)(&bytes));
        return Ok(ExitCode::SUCCESS);
    }
    let seed = arguments
        .seed
        .unwrap_or_else(|| Random::from_entropy().bits());
    let mut n_failed = 0;
    for target in targets {
        let end = Instant::now() + Duration::from_secs(arguments.seconds);
        let outcome = run(target, seed, Until::Time(end))?;
        n_failed += u8::from(report(target, seed, &outcome)?);
    }
    Ok(ExitCode::from(n_failed))
}

fn chosen(arguments: &Arguments) -> Result<Vec<&'static Target>> {
    match &arguments.target {
        None => Ok(TARGETS.iter().collect()),
        Some(name) => {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            let target = by_name(name)
                .with_context(|| format!("no target '{name}'; there are {}", names.join(", ")))?;
            Ok(vec![target])
        }
    }
}

/// Says what came of a target; whether it failed.
fn report(target: &Target, seed: u64, outcome: &Outcome) -> Result<bool> {
    println!(
        "{}: {} inputs from seed {seed}",
        target.name, outcome.n_tried
    );
    if let Some((input, took)) = &outcome.slow {
        let path = keep(target, "slow", input)?;
        println!(
            "{}: one took {} ms: {}",
            target.name,
            took.as_millis(),
            path.display()
        );
    }
    if let Some(failure) = &outcome.failure {
        let path = keep(target, "failed", &failure.input)?;
        println!(
            "{}: FAILED: {}: {}",
            target.name,
            failure.words,
            path.display()
        );
    }
    Ok(outcome.failure.is_some())
}

fn keep(target: &Target, what: &str, input: &[u8]) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("failures");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}-{what}", target.name));
    fs::write(&path, input)?;
    Ok(path)
}
