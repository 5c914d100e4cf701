//! `input/file.lua`, which uses `decoding` and by default `decoders.lines`.

use std::io::Write;
use std::process::Stdio;

use e2e::{Engine, Site, payloads};

fn site(text: &str, cfg: &str) -> Site {
    let site = Site::new();
    let log = site.write("in.log", text);
    let cfg = format!("input_filename = \"{}\"\n{cfg}", log.display());
    site.ours("input/file.lua", "file", &cfg)
        .collect("all", "TRUE")
}

fn collected(site: &Site) -> Vec<String> {
    payloads(&site.path("all.heka"))
}

#[test]
fn every_line_becomes_a_message_and_the_last_needs_no_end() {
    let site = site("one\ntwo\n\nfour", "");
    site.replay().expect(0);
    assert_eq!(collected(&site), ["one", "two", "", "four"]);
    assert_eq!(site.checkpoint("input.file").as_deref(), Some("13"));
}

#[test]
fn after_a_restart_only_what_is_new_is_read() {
    let site = site("one\ntwo\n", "");
    site.replay().expect(0);
    site.replay().expect(0);
    assert_eq!(collected(&site), ["one", "two"]);
    site.append("in.log", "three\n");
    site.replay().expect(0);
    assert_eq!(collected(&site), ["one", "two", "three"]);
}

#[test]
fn a_file_that_became_shorter_is_read_from_its_begin() {
    let site = site("a long first line\n", "");
    site.replay().expect(0);
    site.write("in.log", "new\n");
    site.replay().expect(0);
    assert_eq!(collected(&site), ["a long first line", "new"]);
}

#[test]
fn delimiters_have_several_bytes_and_long_records_are_cut() {
    let site = site(
        "aaaaaaaa--b--cccccc--",
        "delimiter = \"--\"\nrecord_max = 5",
    );
    site.replay().expect(0);
    assert_eq!(collected(&site), ["aaaaa", "aaa", "b", "ccccc", "c"]);
}

#[test]
fn records_lie_across_chunks() {
    let lines: Vec<String> = (0..5000)
        .map(|n| format!("{n} {}", "x".repeat(n % 97)))
        .collect();
    let site = site(&(lines.join("\n") + "\n"), "");
    site.replay().expect(0);
    assert_eq!(collected(&site), lines);
}

#[test]
fn with_a_ticker_a_growing_file_is_followed() {
    let site = site("one\ntw", "ticker_interval = 1");
    let mut engine = site.start();
    engine.until("the first line", || collected(&site) == ["one"]);
    site.append("in.log", "o\nthree\n");
    engine.until("the rest", || collected(&site) == ["one", "two", "three"]);
    engine.stop();
}

#[test]
fn a_missing_file_is_a_fault_only_without_a_ticker() {
    let site = site("", "");
    std::fs::remove_file(site.path("in.log")).expect("it is there");
    site.replay().expect(2);
    assert!(
        site.read("run/input/file.err")
            .contains("No such file or directory")
    );
}

#[test]
fn standard_input_is_read_line_by_line_as_it_comes() {
    let site = Site::new()
        .ours("input/file.lua", "file", "")
        .collect("all", "TRUE");
    let mut command = site.command(e2e::program::path(), &["replay", "hindsight.cfg"]);
    command.stdin(Stdio::piped());
    let mut engine = Engine::start(site.path("log"), command);
    let mut stdin = engine.take_stdin().expect("it is piped");
    stdin.write_all(b"one\ntwo\n").expect("the engine reads");
    engine.until("lines arrive before the end of the input", || {
        collected(&site) == ["one", "two"]
    });
    stdin.write_all(b"three").expect("the engine reads");
    drop(stdin);
    engine.wait().expect(0);
    assert_eq!(collected(&site), ["one", "two", "three"]);
}

#[test]
fn a_stop_does_not_wait_for_standard_input() {
    let site = Site::new()
        .ours("input/file.lua", "file", "")
        .collect("all", "TRUE");
    let mut command = site.command(e2e::program::path(), &["run", "hindsight.cfg"]);
    command.stdin(Stdio::piped());
    let mut engine = Engine::start(site.path("log"), command);
    let mut stdin = engine.take_stdin().expect("it is piped");
    stdin.write_all(b"one\n").expect("the engine reads");
    engine.until("the line arrives", || collected(&site) == ["one"]);
    engine.stop();
    assert!(
        !site.exists("run/input/file.err"),
        "{}",
        site.read("run/input/file.err")
    );
}
