//! The program as a process: exit codes, signals, names it is called by.

use e2e::{Engine, Site, payloads, program};
use rustix::process::Signal;

use crate::payloads_input;

const BAD: &str = "function process_message() return 1 end function timer_event() end";

/// Polls whether it may go on.
const FOR_EVER: &str = "function process_message() while is_running() do end return 0 end";

#[test]
fn a_replay_says_which_kinds_failed() {
    for bits in 0..8u8 {
        let mut site = Site::new().input("source", "", &payloads_input(&["x"]));
        if bits & 1 != 0 {
            site = site.input("bad", "", BAD);
        }
        if bits & 2 != 0 {
            site = site.analysis("bad", "message_matcher = \"TRUE\"", BAD);
        }
        if bits & 4 != 0 {
            site = site.output("bad", "message_matcher = \"TRUE\"", BAD);
        }
        site.replay().expect(i32::from(bits) * 2);
    }
}

#[test]
fn faults_of_the_system_exit_with_1() {
    let run = ["run", "hindsight.cfg"];
    let without = Site::new().set("output_path", "nil");
    let finished = without.start_with(program::path(), &run).wait().expect(1);
    assert!(finished.log.contains("output_path"), "{}", finished.log);
    let unknown = Site::new().set("no_such_key", "1");
    let finished = unknown.start_with(program::path(), &run).wait().expect(1);
    assert!(finished.log.contains("no_such_key"), "{}", finished.log);
    let missing = Site::new();
    std::fs::remove_dir(missing.path("run/analysis")).expect("it is empty");
    let finished = missing.start_with(program::path(), &run).wait().expect(1);
    assert!(finished.log.contains("run/analysis"), "{}", finished.log);
}

#[test]
fn either_signal_stops_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let site = Site::new()
            .input("for_ever", "instruction_limit = 0", FOR_EVER)
            .input("source", "", &payloads_input(&["x"]))
            .collect("all", "TRUE");
        let mut engine = site.start();
        engine.until("the message is delivered", || {
            payloads(&site.path("all.heka")) == ["x"]
        });
        engine.signal(signal);
        let finished = engine.wait().expect(0);
        assert!(
            finished.log.contains("stop signal received"),
            "{}",
            finished.log
        );
        assert_eq!(
            site.checkpoint("input->output.all"),
            site.checkpoint("input")
        );
        assert!(!site.exists("run/input/for_ever.err"));
    }
}

#[test]
fn a_second_signal_aborts() {
    // It never looks whether it may go on, so a clean stop has to wait for it.
    let site = Site::new().input(
        "deaf",
        "instruction_limit = 0",
        "function process_message() while true do end end",
    );
    let mut engine = site.start();
    engine.until_log("started");
    engine.signal(Signal::TERM);
    engine.until_log("stop signal received");
    engine.signal(Signal::TERM);
    let finished = engine.wait().expect(1);
    assert!(
        finished.log.contains("second stop signal"),
        "{}",
        finished.log
    );
}

#[test]
fn a_plugin_may_take_the_engine_with_it() {
    let site = Site::new()
        .input("for_ever", "instruction_limit = 0", FOR_EVER)
        .input("source", "", &payloads_input(&["x"]))
        .output(
            "bad",
            "message_matcher = \"TRUE\"\nshutdown_on_terminate = true",
            BAD,
        );
    let finished = site.start().wait();
    assert!(
        finished.log.contains("shutting down on terminate"),
        "{}",
        finished.log
    );
    assert_eq!(finished.code, Some(0));
}

fn link(site: &Site, name: &str) -> std::path::PathBuf {
    let link = site.path(name);
    std::os::unix::fs::symlink(program::path(), &link).expect("linked");
    link
}

#[test]
fn under_hindsights_names_it_takes_hindsights_arguments() {
    let site = Site::new()
        .input("source", "", &payloads_input(&["x"]))
        .output("bad", "message_matcher = \"TRUE\"", BAD);
    let finished = site
        .start_with(link(&site, "hindsight_cli"), &["hindsight.cfg", "7"])
        .wait()
        .expect(8);
    let line = finished
        .log
        .lines()
        .find(|line| line.contains("terminated"))
        .expect("it is logged");
    let parts: Vec<&str> = line.splitn(4, ' ').collect();
    assert!(
        parts[0]
            .parse::<u64>()
            .is_ok_and(|ns| ns > 1_600_000_000_000_000_000),
        "{line}"
    );
    assert_eq!(parts[1..3], ["[error]", "output.bad"], "{line}");

    let site = Site::new()
        .input("source", "", &payloads_input(&["x"]))
        .collect("all", "TRUE");
    let mut engine: Engine = site.start_with(link(&site, "hindsight"), &["hindsight.cfg"]);
    engine.until("it runs until it is stopped", || {
        payloads(&site.path("all.heka")) == ["x"]
    });
    engine.stop();
    site.start_with(site.path("hindsight"), &[])
        .wait()
        .expect(1);
    let cat = site
        .start_with(
            link(&site, "lsb_heka_cat"),
            &["-m", "Payload == 'x'", "output/input/0.log"],
        )
        .wait()
        .expect(0);
    assert!(cat.stdout.contains(":Payload: x\n"), "{}", cat.stdout);
    assert!(
        cat.log.contains("Processed: 1, matched: 1 messages"),
        "{}",
        cat.log
    );
}

#[test]
fn check_finds_every_fault_at_once() {
    let site = Site::new()
        .analysis("one", "message_matcher = \"Type ~= 'x'\"", BAD)
        .output(
            "two",
            "message_matcher = \"TRUE\"\nticker_interval = -1",
            "this is = = no Lua",
        );
    let finished = site
        .start_with(program::path(), &["check", "hindsight.cfg"])
        .wait();
    assert_ne!(finished.code, Some(0));
    let said = finished.stdout + &finished.log;
    for part in ["one.cfg", "=~", "two.cfg", "ticker_interval"] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    let good = Site::new().collect("all", "TRUE");
    good.start_with(program::path(), &["check", "hindsight.cfg"])
        .wait()
        .expect(0);
}
