//! Runs every Lua program below `tests/modules/lua`, and every example of the reference pages, as the main chunk of a plugin.
//!
//! A program fails by raising an error. It is an input plugin unless its first line says `-- kind: analysis` or
//! `-- kind: output`; the same line stands at the head of an example. One whose first line ends with `, called` then has
//! its `process_message` called with a message, and `timer_event` as at the end.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use modules::{Plugin, Setup, root};
use sandbox::{Answer, Checkpoint, Kind};
use schemas::message::{Field, FieldValue, Message};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = programs();
    trials.extend(examples());
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn programs() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lua");
    let trial = |path: PathBuf| {
        let name = name(&folder, &path);
        Trial::test(name, move || {
            let text = std::fs::read_to_string(&path)?;
            // Named as a file, so that errors tell the line.
            let plugin = Setup::new(kind(&text)).load(&path)?;
            outcome(plugin, &text)
        })
    };
    files(&folder, "lua").into_iter().map(trial).collect()
}

/// Each block marked as Lua in a reference page, alone.
fn examples() -> Vec<Trial> {
    let folder = root().join("plugins/reference");
    let pages = files(&folder, "md").into_iter().flat_map(|path| {
        let page = std::fs::read_to_string(&path).expect("a page is readable text");
        let page_name = name(&folder, &path);
        let blocks: Vec<String> = page
            .split("```lua\n")
            .skip(1)
            .filter_map(|part| part.split_once("```").map(|(block, _)| block.to_string()))
            .collect();
        let trial = move |(n, block): (usize, String)| {
            let name = format!("reference::{page_name}::{}", n + 1);
            Trial::test(name, move || {
                let plugin = Setup::new(kind(&block)).run(&block)?;
                outcome(plugin, &block)
            })
        };
        blocks.into_iter().enumerate().map(trial)
    });
    pages.collect()
}

/// Calls the plugin if its text says so.
fn outcome(mut plugin: Plugin, text: &str) -> Result<(), Failed> {
    let is_called = text
        .lines()
        .next()
        .is_some_and(|line| line.ends_with(", called"));
    if !is_called {
        return Ok(());
    }
    let answer = match kind(text) {
        Kind::Input => plugin.sandbox.process_input(&Checkpoint::Number(7.0)),
        _ => plugin.process(&sample().to_bytes()),
    };
    if let Answer::Terminated(error) = answer {
        return Err(error.into());
    }
    if kind(text) != Kind::Input {
        plugin.sandbox.timer_event(0, true)?;
    }
    Ok(())
}

/// The message that plugins are called with; the reference page of the host shows it.
fn sample() -> Message {
    let mut message = Message::new(*b"0123456789abcdef", 1_700_000_000_000_000_000);
    message.type_ = Some("login".into());
    message.logger = Some("input.example".into());
    message.severity = Some(6);
    message.payload = Some("ann logged in".into());
    message.pid = Some(42);
    message.hostname = Some("host.example.com".into());
    message.fields = vec![
        Field::string("user", "ann"),
        Field::integer("bytes", 512),
        Field::with("tags", FieldValue::String(vec!["new".into(), "vpn".into()])),
    ];
    message
}

fn kind(text: &str) -> Kind {
    let first = text.lines().next().unwrap_or_default();
    match first.trim_end_matches(", called") {
        "-- kind: analysis" => Kind::Analysis,
        "-- kind: output" => Kind::Output,
        _ => Kind::Input,
    }
}

fn name(folder: &Path, path: &Path) -> String {
    let short = path.strip_prefix(folder).unwrap_or(path);
    short.with_extension("").display().to_string()
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
