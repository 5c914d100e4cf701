//! Every attack program, each in a process of its own under a wall clock, two at a time; a table of the results at the end.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use attacks::program::Program;
use attacks::trial::shorten;
use libtest_mimic::{Arguments, Failed, Trial};

/// Wall clock of one program: far beyond what a contained one needs on a busy machine.
const CLOCK: Duration = Duration::from_secs(40);
/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// Programs at a time.
const N_AT_ONCE: usize = 2;

/// Classes that also run with the compiler off, where loops are stopped in another way.
const INTERPRETED_TOO: [&str; 5] = [
    "loops",
    "coroutines",
    "memory",
    "patterns",
    "slow instructions",
];

/// What came of one program.
struct Row {
    class: String,
    name: String,
    verdict: &'static str,
    line: String,
}

type Rows = Arc<Mutex<Vec<Row>>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(N_AT_ONCE);
    let rows = Rows::default();
    let trials = programs()
        .iter()
        .flat_map(|path| trials(path, &rows))
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    print_table(&rows);
    conclusion.exit_code()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("programs")
}

fn programs() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("the folder of programs is part of the crate");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn trials(path: &Path, rows: &Rows) -> Vec<Trial> {
    let program = Program::read(path).expect("every program has a header");
    let mut modes = vec![("", false)];
    if INTERPRETED_TOO.contains(&program.class.as_str()) {
        modes.push(("::interpreted", true));
    }
    let trial = |(suffix, interpret): (&str, bool)| {
        let name = format!("{}{suffix}", program.name);
        let (path, rows, class) = (path.to_path_buf(), rows.clone(), program.class.clone());
        Trial::test(name.clone(), move || {
            test(&path, interpret, Row::new(class, name), &rows)
        })
    };
    modes.into_iter().map(trial).collect()
}

impl Row {
    fn new(class: String, name: String) -> Row {
        Row {
            class,
            name,
            verdict: "",
            line: String::new(),
        }
    }
}

fn test(path: &Path, interpret: bool, mut row: Row, rows: &Rows) -> Result<(), Failed> {
    let (verdict, line) = run(path, interpret)?;
    (row.verdict, row.line) = (verdict, line.clone());
    rows.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(row);
    if verdict == "ok" {
        Ok(())
    } else {
        Err(format!("{verdict}: {line}").into())
    }
}

/// Runs the program in an empty folder and says what came of it.
fn run(path: &Path, interpret: bool) -> Result<(&'static str, String), Failed> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_foresight-attacks"));
    command.arg(path).current_dir(folder.path());
    // A file: a program that makes the host complain without end must not wait for a reader.
    let mut complaints = tempfile::tempfile()?;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(complaints.try_clone()?);
    if interpret {
        command.arg("--interpret");
    }
    let mut child = command.spawn()?;
    let Some(status) = wait(&mut child)? else {
        child.kill()?;
        child.wait()?;
        return Ok(("hang", format!("still running after {} s", CLOCK.as_secs())));
    };
    let mut line = String::new();
    child
        .stdout
        .take()
        .expect("stdout is a pipe")
        .read_to_string(&mut line)?;
    let mut complaint = String::new();
    complaints.rewind()?;
    complaints.read_to_string(&mut complaint)?;
    Ok(verdict(status, line.trim_end().to_owned(), &complaint))
}

fn verdict(status: ExitStatus, line: String, complaint: &str) -> (&'static str, String) {
    // A panic in a native function becomes an error, but none of our own should happen.
    let panics = |line: &&str| line.contains("panicked at ") && !line.contains("/.cargo/registry/");
    if let Some(line) = complaint.lines().find(panics) {
        return ("panic", shorten(line));
    }
    match status.code() {
        Some(0) => ("ok", line),
        Some(1) => ("hole", line),
        Some(_) if line.starts_with("failed") => ("failed", line),
        _ => ("crash", format!("{status} {line} {}", complaint.trim_end())),
    }
}

/// The way the child ended, or none if the clock ran out. The line it prints fits into the pipe.
fn wait(child: &mut Child) -> Result<Option<ExitStatus>, Failed> {
    let start = Instant::now();
    while start.elapsed() < CLOCK {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(LOOK);
    }
    Ok(None)
}

fn print_table(rows: &Rows) {
    let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by(|a, b| (&a.class, &a.name).cmp(&(&b.class, &b.name)));
    let mut classes: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    println!();
    for row in rows.iter() {
        println!(
            "{:<22} {:<44} {:<6} {}",
            row.class, row.name, row.verdict, row.line
        );
        *classes
            .entry(&row.class)
            .or_default()
            .entry(row.verdict)
            .or_default() += 1;
    }
    println!();
    for (class, verdicts) in &classes {
        let counts: Vec<String> = verdicts
            .iter()
            .map(|(verdict, n)| format!("{n} {verdict}"))
            .collect();
        println!("{class:<22} {}", counts.join(", "));
    }
}
