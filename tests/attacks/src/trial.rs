//! Runs one program as an attacker would want it, and judges how it ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sandbox::value::Table;

use crate::cage::{Cage, Plan, Step, message};
use crate::neighbours::{Neighbours, Seen};
use crate::program::{Expectation, Program, Target};

/// Messages given to the attacked plugin, and to the one that is restored from its state.
const N_MESSAGES: usize = 3;
/// Most memory the whole process may have used, in bytes: an attack may use its own 8 MiB, what the host needs to
/// preserve and restore them, and machine code; never what a plugin asks for.
const PROCESS_MEMORY_MAX: u64 = 400 << 20;
/// Files that belong to the trial itself; any other was made by the attack.
const OWN_FILES: [&str; 3] = ["attack.lua", "innocent.txt", "victim.lua"];

/// What came of a program.
#[derive(Debug)]
pub struct Outcome {
    /// How the program ended.
    pub step: Step,
    /// Everything that no program may bring about, and an end other than the expected one.
    pub holes: Vec<String>,
    /// How long the attack itself took.
    pub took: Duration,
    /// What the neighbours saw during it.
    pub seen: Seen,
    /// Most memory the process used, in bytes.
    pub memory: u64,
}

/// Where a trial finds and leaves its files.
pub struct Places {
    /// The folder of this crate, with the innocent plugins and the modules.
    pub crate_folder: PathBuf,
    /// An empty folder; the process has it as its current one.
    pub work_folder: PathBuf,
}

/// Runs the program beside its neighbours.
pub fn run(program: &Program, places: &Places, jit: bool) -> Result<Outcome> {
    let mut neighbours = Neighbours::new(&places.crate_folder, &places.work_folder)?;
    neighbours.work()?;
    let at_work = neighbours.start();
    let start = Instant::now();
    let mut holes = Vec::new();
    let step = attack(program, places, jit, &mut holes)?;
    let took = start.elapsed();
    let (neighbours, seen) = at_work.stop()?;
    neighbours.finish()?;
    // A plugin loaded after the attack must find the world as it was, too.
    Neighbours::new(&places.crate_folder, &places.work_folder)?.finish()?;
    let memory = memory_peak()?;
    holes.extend(judge(program, &step));
    holes.extend(strange_files(&places.work_folder)?);
    if memory > PROCESS_MEMORY_MAX {
        holes.push(format!("the process used {} MiB", memory >> 20));
    }
    Ok(Outcome {
        step,
        holes,
        took,
        seen,
        memory,
    })
}

/// Gives the program to what it is meant for; `holes` receives what it did beside ending.
fn attack(program: &Program, places: &Places, jit: bool, holes: &mut Vec<String>) -> Result<Step> {
    match program.target {
        Target::Config => Ok(match sandbox::config_file::evaluate(&program.source) {
            Ok(_) => Step::Ran(None),
            Err(error) => Step::Ended(error.to_string()),
        }),
        Target::State => attack_by_state(program, places, jit, holes),
        Target::Plugin(_) => attack_as_plugin(program, places, jit, holes),
    }
}

fn attack_by_state(
    program: &Program,
    places: &Places,
    jit: bool,
    holes: &mut Vec<String>,
) -> Result<Step> {
    let path = places.crate_folder.join("victim.lua");
    let plan = plan(program, places, &path, jit, Some(program.source.clone()));
    Ok(match Cage::new(plan) {
        Ok(mut cage) => drive(&mut cage, program, holes),
        Err(error) => Step::Ended(error.to_string()),
    })
}

fn attack_as_plugin(
    program: &Program,
    places: &Places,
    jit: bool,
    holes: &mut Vec<String>,
) -> Result<Step> {
    let path = places.work_folder.join("attack.lua");
    fs::write(&path, &program.source).context("cannot write the source")?;
    let mut cage = match Cage::new(plan(program, places, &path, jit, None)) {
        Ok(cage) => cage,
        Err(error) => return Ok(Step::Ended(error.to_string())),
    };
    let step = drive(&mut cage, program, holes);
    if let Step::Ended(_) = step {
        after_the_end(&mut cage, program);
        return Ok(step);
    }
    let state = cage.preserve();
    holes.extend(cage.record().faults());
    // The end of a state may run code as well.
    drop(cage);
    match state {
        Err(text) => Ok(Step::Ended(text)),
        Ok(state) => restored(program, places, &path, jit, state, holes),
    }
}

/// A second life of the plugin with the state of the first.
fn restored(
    program: &Program,
    places: &Places,
    path: &Path,
    jit: bool,
    state: Vec<u8>,
    holes: &mut Vec<String>,
) -> Result<Step> {
    Ok(
        match Cage::new(plan(program, places, path, jit, Some(state))) {
            Ok(mut cage) => drive(&mut cage, program, holes),
            Err(error) => Step::Ended(format!("after its restart: {error}")),
        },
    )
}

/// Messages and timer events, up to the first that ends the plugin.
fn drive(cage: &mut Cage, program: &Program, holes: &mut Vec<String>) -> Step {
    let mut frame = message(program.options.payload);
    let mut last = Step::Ran(None);
    let timer_at = if program.options.timer_first { 0 } else { 1 };
    for i in 0..N_MESSAGES {
        if i == timer_at && cage.has_timer_event() {
            last = cage.timer(false);
        }
        if let Step::Ran(_) = last {
            last = cage.process(&mut frame);
        }
        if let Step::Ended(_) = last {
            break;
        }
    }
    if matches!(last, Step::Ran(_)) && cage.has_timer_event() {
        last = cage.timer(true);
    }
    holes.extend(cage.record().faults());
    last
}

/// A host that asks a terminated plugin again must get an answer, whatever it is.
fn after_the_end(cage: &mut Cage, program: &Program) {
    let mut frame = message(program.options.payload);
    cage.process(&mut frame);
    cage.timer(true);
    let _ = cage.preserve();
}

fn plan<'a>(
    program: &'a Program,
    places: &Places,
    path: &'a Path,
    jit: bool,
    state: Option<Vec<u8>>,
) -> Plan<'a> {
    let kind = match program.target {
        Target::Plugin(kind) => kind,
        _ => sandbox::Kind::Analysis,
    };
    let lua_path = program.options.modules.then(|| {
        // Its own modules, and those that come with the engine.
        let own = places.crate_folder.join("modules/?.lua");
        let library = places.crate_folder.join("../../plugins/modules/?.lua");
        format!("{};{}", own.display(), library.display())
    });
    Plan {
        kind,
        name: &program.name,
        path,
        options: &program.options,
        jit,
        lua_path,
        config: config(),
        state,
    }
}

fn config() -> Table {
    let mut inner = Table::new();
    inner.set("key", "value");
    let mut config = Table::new();
    config.set("table", sandbox::value::Value::Table(inner));
    config
}

/// What is wrong with the way the program ended.
fn judge(program: &Program, step: &Step) -> Option<String> {
    let text = match step {
        Step::Ran(text) => text.as_deref().unwrap_or(""),
        Step::Ended(text) => text,
    };
    if text.contains("HOLE") {
        return Some(shorten(text));
    }
    match (&program.expectation, step) {
        (Expectation::Harmless, Step::Ended(text)) => {
            Some(format!("ended, though it should run: {}", shorten(text)))
        }
        (Expectation::Contained(texts), Step::Ran(_)) => Some(format!(
            "ran to its end; expected '{}'",
            texts.join("' or '")
        )),
        (Expectation::Contained(texts), Step::Ended(text)) if !is_one_of(text, texts) => {
            Some(format!(
                "ended by '{}'; expected '{}'",
                shorten(text),
                texts.join("' or '")
            ))
        }
        _ => None,
    }
}

fn is_one_of(text: &str, texts: &[String]) -> bool {
    texts
        .iter()
        .any(|expected| expected == "*" || text.contains(expected.as_str()))
}

/// The first characters of a text, on one line.
pub fn shorten(text: &str) -> String {
    const LEN_MAX: usize = 160;
    text.chars()
        .take(LEN_MAX)
        .flat_map(char::escape_debug)
        .collect()
}

fn strange_files(folder: &Path) -> Result<Vec<String>> {
    let mut strange = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !OWN_FILES.contains(&name.as_str()) {
            strange.push(format!("left a file '{name}'"));
        }
    }
    Ok(strange)
}

/// The most memory this process had at any time, in bytes.
fn memory_peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) else {
        bail!("the system does not say how much memory was used");
    };
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Options;

    fn program(expectation: Expectation) -> Program {
        Program {
            name: "p".to_owned(),
            class: "c".to_owned(),
            target: Target::Config,
            expectation,
            options: Options::default(),
            source: Vec::new(),
        }
    }

    #[test]
    fn judges_by_the_expectation() {
        let ended = Step::Ended("x: instruction_limit exceeded".to_owned());
        let ran = Step::Ran(None);
        let contained = |text: &str| program(Expectation::Contained(vec![text.to_owned()]));
        assert_eq!(judge(&contained("instruction_limit"), &ended), None);
        assert_eq!(judge(&contained("*"), &ended), None);
        assert!(judge(&contained("memory"), &ended).is_some());
        assert!(judge(&contained("*"), &ran).is_some());
        assert!(judge(&program(Expectation::Harmless), &ended).is_some());
        assert_eq!(judge(&program(Expectation::Harmless), &ran), None);
        assert_eq!(judge(&program(Expectation::Either), &ran), None);
    }

    #[test]
    fn a_hole_is_one_whatever_is_expected() {
        let step = Step::Ended("p.lua:1: HOLE: x".to_owned());
        assert!(judge(&program(Expectation::Either), &step).is_some());
        let all = program(Expectation::Contained(vec!["*".to_owned()]));
        assert!(judge(&all, &Step::Ran(Some("HOLE".to_owned()))).is_some());
    }

    #[test]
    fn finds_files_that_were_left() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("attack.lua"), "").unwrap();
        assert!(strange_files(folder.path()).unwrap().is_empty());
        fs::write(folder.path().join("pwned"), "").unwrap();
        assert_eq!(strange_files(folder.path()).unwrap().len(), 1);
    }

    #[test]
    fn knows_the_memory_of_the_process() {
        assert!(memory_peak().unwrap() > 1 << 20);
    }
}
