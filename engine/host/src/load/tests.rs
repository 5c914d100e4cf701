//! Tests of the load directory: every file that may come, in every order, and what is left on disk.

use super::*;
use crate::config::tests::main_with;
use tempfile::TempDir;

/// Directories of an engine.
struct World {
    dir: TempDir,
    main: Main,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let base = dir.path().display();
        let main = main_with(&format!(
            "sandbox_load_path = '{base}/load' sandbox_run_path = '{base}/run' sandbox_install_path = '{base}/install'"
        ));
        for top in ["load", "run", "install"] {
            for kind in KINDS {
                std::fs::create_dir_all(dir.path().join(top).join(kind_name(kind)))
                    .expect("the directory is ours");
            }
        }
        World { dir, main }
    }

    fn put(&self, path: &str, text: &str) {
        std::fs::write(self.dir.path().join(path), text).expect("the directory is ours");
    }

    /// The files below run/ and load/.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        for top in ["load", "run"] {
            for kind in KINDS {
                let dir = format!("{top}/{}", kind_name(kind));
                let entries =
                    std::fs::read_dir(self.dir.path().join(&dir)).expect("the directory is ours");
                let names = entries.map(|entry| entry.expect("readable").file_name());
                found.extend(names.map(|name| format!("{dir}/{}", name.to_string_lossy())));
            }
        }
        found.sort();
        found
    }

    /// A load directory that sees only what `came` tells it.
    fn blind(&self) -> LoadDir {
        let mut load = LoadDir::new(self.main.clone(), Arc::default(), None);
        load.settled = Duration::ZERO;
        load
    }

    fn came(&self, load: &LoadDir, path: &str) {
        let path = self.dir.path().join(path);
        let parent = path
            .parent()
            .and_then(Path::file_name)
            .expect("a file in a directory");
        let kind = KINDS
            .into_iter()
            .find(|kind| parent == kind_name(*kind))
            .expect("a directory of a kind");
        load.shared.put(std::iter::once((kind, path)), false);
    }

    /// Polls and returns the outcomes without the notices of level 6 and 7, and without the directory's name.
    fn poll(&self, load: &mut LoadDir) -> Vec<String> {
        let base = format!("{}/", self.dir.path().display());
        let said = |outcome: Outcome| match outcome {
            Outcome::Event(Event::Start { name, .. }) => Some(format!("start {name}")),
            Outcome::Event(Event::Stop { name, .. }) => Some(format!("stop {name}")),
            Outcome::Notice(Notice { severity: 6.., .. }) => None,
            Outcome::Notice(Notice { severity, text }) => {
                Some(format!("{severity} {}", text.replace(&base, "")))
            }
        };
        load.outcomes().into_iter().filter_map(said).collect()
    }
}

const CFG: &str = "filename = 'x.lua' message_matcher = 'TRUE'";

#[test]
fn a_pair_starts_in_either_order() {
    for order in [
        ["load/analysis/a.cfg", "load/analysis/x.lua"],
        ["load/analysis/x.lua", "load/analysis/a.cfg"],
    ] {
        let world = World::new();
        let mut load = world.blind();
        assert_eq!(world.poll(&mut load), Vec::<String>::new());
        let mut events = Vec::new();
        for path in order {
            world.put(path, if path.ends_with("cfg") { CFG } else { "" });
            world.came(&load, path);
            events.extend(
                world
                    .poll(&mut load)
                    .into_iter()
                    .filter(|event| !event.starts_with("4 ")),
            );
        }
        assert_eq!(events, ["start analysis.a"], "{order:?}");
        assert_eq!(
            world.files(),
            ["run/analysis/a.cfg", "run/analysis/x.lua"],
            "{order:?}"
        );
    }
}

#[test]
fn a_configuration_without_its_source_waits_and_says_why() {
    let world = World::new();
    let mut load = world.blind();
    world.put("load/output/a.cfg", CFG);
    let reason = "output.a failed to find the specified lua filename: x.lua";
    assert_eq!(world.poll(&mut load), [format!("4 {reason}")]);
    assert_eq!(
        world.poll(&mut load),
        Vec::<String>::new(),
        "the reason is reported once"
    );
    assert_eq!(world.files(), ["load/output/a.cfg", "run/output/a.err"]);
    let err =
        std::fs::read_to_string(world.dir.path().join("run/output/a.err")).expect("it is there");
    assert!(err.ends_with(&format!("\t{reason}\n")), "{err}");
    world.put("install/output/x.lua", "");
    assert_eq!(
        world.poll(&mut load),
        ["start output.a"],
        "an installed source is as good"
    );
    assert_eq!(world.files(), ["run/output/a.cfg"]);
}

#[test]
fn what_lies_there_at_the_start_is_taken() {
    let world = World::new();
    world.put("load/input/a.cfg", "filename = 'x.lua'");
    world.put("load/input/x.lua", "");
    world.put("load/analysis/b.cfg", CFG);
    world.put("run/analysis/x.lua", "");
    world.put("run/output/c.cfg", CFG);
    world.put("load/output/c.off", "");
    let mut load = world.blind();
    assert_eq!(
        world.poll(&mut load),
        ["start analysis.b", "start input.a", "stop output.c"]
    );
    let left = [
        "run/analysis/b.cfg",
        "run/analysis/x.lua",
        "run/input/a.cfg",
        "run/input/x.lua",
        "run/output/c.off",
    ];
    assert_eq!(world.files(), left);
}

#[test]
fn a_file_that_was_just_written_at_the_start_is_left_until_it_settles() {
    let world = World::new();
    world.put("run/input/x.lua", "");
    world.put("load/input/a.cfg", "filename = ");
    let mut load = world.blind();
    load.settled = Duration::from_secs(3600);
    assert_eq!(world.poll(&mut load), Vec::<String>::new());
    world.put("load/input/a.cfg", "filename = 'x.lua'");
    let file = std::fs::File::options()
        .write(true)
        .open(world.dir.path().join("load/input/a.cfg"));
    let old = SystemTime::now() - Duration::from_secs(7200);
    file.and_then(|file| file.set_modified(old))
        .expect("the file is ours");
    assert_eq!(world.poll(&mut load), ["start input.a"]);
}

#[test]
fn a_new_source_restarts_those_that_use_it() {
    let world = World::new();
    for (name, lua) in [
        ("a", "x.lua"),
        ("b", "y.lua"),
        ("c", "x.lua"),
        ("d", "x.lua"),
        ("e", "xx.lua"),
    ] {
        world.put(
            &format!("run/analysis/{name}.cfg"),
            &CFG.replace("x.lua", lua),
        );
    }
    world.put("run/analysis/d.err", "terminated");
    world.put("run/analysis/f.off", CFG);
    world.put(
        "run/analysis/g.cfg",
        "-- x.lua\nfilename = 'y.lua' message_matcher = 'TRUE'",
    );
    world.put("load/analysis/x.lua", "new");
    world.put("load/analysis/c.cfg", CFG);
    let mut load = world.blind();
    assert_eq!(
        world.poll(&mut load),
        ["start analysis.a", "start analysis.c"]
    );
    let source =
        std::fs::read_to_string(world.dir.path().join("run/analysis/x.lua")).expect("it is there");
    assert_eq!(source, "new");
}

#[test]
fn a_new_configuration_clears_off_and_err() {
    let world = World::new();
    for file in ["run/input/x.lua", "run/input/a.off", "run/input/a.err"] {
        world.put(file, "");
    }
    world.put("load/input/a.cfg", "filename = 'x.lua'");
    assert_eq!(world.poll(&mut world.blind()), ["start input.a"]);
    assert_eq!(world.files(), ["run/input/a.cfg", "run/input/x.lua"]);
}

#[test]
fn a_faulty_configuration_starts_so_that_its_faults_are_reported() {
    let world = World::new();
    world.put("load/input/a.cfg", "filename = ");
    assert_eq!(world.poll(&mut world.blind()), ["start input.a"]);
    assert_eq!(world.files(), ["run/input/a.cfg"]);
}

#[test]
fn off_turns_a_plugin_off() {
    let world = World::new();
    world.put("run/output/a.cfg", CFG);
    world.put("load/output/a.off", "");
    world.put("load/output/b.off", "");
    let mut load = world.blind();
    assert_eq!(
        world.poll(&mut load),
        [
            "stop output.a",
            "4 run/output/b.cfg is not there: nothing to turn off"
        ]
    );
    assert_eq!(world.files(), ["run/output/a.off"]);
}

#[test]
fn off_also_ends_a_wait_and_keeps_the_configuration() {
    let world = World::new();
    world.put("load/analysis/a.cfg", CFG);
    let mut load = world.blind();
    assert_eq!(world.poll(&mut load).len(), 1);
    world.put("load/analysis/a.off", "");
    world.came(&load, "load/analysis/a.off");
    assert_eq!(world.poll(&mut load), Vec::<String>::new());
    assert_eq!(world.files(), ["run/analysis/a.off"]);
    world.put("load/analysis/x.lua", "");
    world.came(&load, "load/analysis/x.lua");
    assert_eq!(world.poll(&mut load), Vec::<String>::new());
}

#[test]
fn a_new_analysis_plugin_waits_for_room_but_a_restart_does_not() {
    let world = World::new();
    world.put("run/analysis/x.lua", "");
    world.put("run/analysis/old.cfg", CFG);
    world.put("load/analysis/old.cfg", CFG);
    world.put("load/analysis/new.cfg", CFG);
    let mut load = world.blind();
    load.hold_new_analysis(true);
    let expected = [
        "4 analysis.new blocked (over capacity), waiting",
        "start analysis.old",
    ];
    assert_eq!(world.poll(&mut load), expected);
    assert_eq!(world.poll(&mut load), Vec::<String>::new());
    load.hold_new_analysis(false);
    assert_eq!(world.poll(&mut load), ["start analysis.new"]);
    assert!(!world.files().contains(&"run/analysis/new.err".to_string()));
}

#[test]
fn other_files_and_directories_are_left_alone() {
    let world = World::new();
    for file in [
        "load/analysis/readme.txt",
        "load/analysis/a.cfg.tmp",
        "load/analysis/.cfg",
        "load/input/x.rtc",
    ] {
        world.put(file, "");
    }
    std::fs::create_dir(world.dir.path().join("load/input/d.cfg")).expect("the directory is ours");
    let mut load = world.blind();
    assert_eq!(world.poll(&mut load), Vec::<String>::new());
    assert_eq!(world.files().len(), 5);
}

#[test]
fn a_waiting_configuration_that_is_taken_away_is_forgotten() {
    let world = World::new();
    world.put("load/analysis/a.cfg", CFG);
    let mut load = world.blind();
    world.poll(&mut load);
    std::fs::remove_file(world.dir.path().join("load/analysis/a.cfg")).expect("it is there");
    world.poll(&mut load);
    assert!(load.waiting.is_empty());
}

#[test]
fn one_start_is_enough() {
    let start = |name: &str| start(Kind::Input, name, PathBuf::new());
    let stop = || stop(Kind::Input, "a");
    let mut outcomes = vec![
        start("a"),
        start("b"),
        start("a"),
        stop(),
        start("a"),
        start("a"),
    ];
    drop_repeated_starts(&mut outcomes);
    assert_eq!(outcomes, [start("b"), start("a"), stop(), start("a")]);
}

#[test]
fn the_system_tells_when_files_are_complete() {
    let world = World::new();
    let mut load = LoadDir::open(&world.main)
        .expect("the directories are there")
        .expect("it is on");
    assert_eq!(world.poll(&mut load), Vec::<String>::new());
    world.put("load/input/x.lua", "");
    world.put("load/input/a.tmp", "filename = 'x.lua'");
    let (from, to) = (
        world.dir.path().join("load/input/a.tmp"),
        world.dir.path().join("load/input/a.cfg"),
    );
    std::fs::rename(from, to).expect("the directory is ours");
    let mut events = Vec::new();
    while !events.contains(&"start input.a".to_string()) {
        assert!(
            load.wait(Duration::from_secs(60)),
            "the files were never seen: {events:?}"
        );
        events.extend(world.poll(&mut load));
    }
    assert_eq!(world.files(), ["run/input/a.cfg", "run/input/x.lua"]);
}

#[test]
fn a_missing_directory_is_named() {
    let world = World::new();
    std::fs::remove_dir(world.dir.path().join("load/output")).expect("it is there");
    let error = LoadDir::open(&world.main)
        .err()
        .expect("a directory is missing");
    assert!(
        error
            .to_string()
            .ends_with("load/output: directory does not exist"),
        "{error}"
    );
    assert!(LoadDir::open(&main_with("sandbox_load_path = ''")).is_ok_and(|load| load.is_none()));
}

#[test]
fn the_configurations_of_run_come_by_name() {
    let world = World::new();
    for file in [
        "run/input/b.cfg",
        "run/input/a.cfg",
        "run/input/a.err",
        "run/input/c.off",
        "run/input/.cfg",
    ] {
        world.put(file, "");
    }
    let dir = world.main.run_dir(Kind::Input);
    assert_eq!(run_configs(&dir), [dir.join("a.cfg"), dir.join("b.cfg")]);
    assert_eq!(run_configs(Path::new("/no/such")), Vec::<PathBuf>::new());
}

#[test]
fn err_files_have_hindsights_form() {
    assert_eq!(
        err_line(1_700_000_000, "boom"),
        "2023-11-14T22:13:20\tboom\n"
    );
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("a.err");
    let long = "x".repeat(5000);
    write_err(&path, &long).expect("the directory is ours");
    let text = std::fs::read_to_string(path).expect("it is there");
    assert!(text.ends_with(&format!("\t{long}\n")), "nothing is cut");
}
