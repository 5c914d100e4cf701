//! `input/tail.lua`: rotation, truncation, lines in pieces, restarts; nothing twice and nothing left out.

use e2e::{Engine, Site, payloads};

fn site(cfg: &str) -> Site {
    let site = Site::new();
    let cfg = format!(
        "input_filename = \"{}\"\nticker_interval = 1\n{cfg}",
        site.path("app.log").display()
    );
    site.ours("input/tail.lua", "tail", &cfg)
        .collect("all", "TRUE")
}

fn collected(site: &Site) -> Vec<String> {
    payloads(&site.path("all.heka"))
}

fn until(engine: &mut Engine, site: &Site, expected: &[&str]) {
    engine.until(&format!("exactly the lines {expected:?}"), || {
        collected(site).len() >= expected.len()
    });
    assert_eq!(collected(site), expected);
}

fn rename(site: &Site, from: &str, to: &str) {
    std::fs::rename(site.path(from), site.path(to)).expect("renamed");
}

#[test]
fn a_file_is_waited_for_and_followed() {
    let site = site("");
    let mut engine = site.start();
    engine.until_log("started");
    site.append("app.log", "one\ntw");
    until(&mut engine, &site, &["one"]);
    site.append("app.log", "o\n");
    until(&mut engine, &site, &["one", "two"]);
    engine.stop();
}

#[test]
fn a_rotated_file_is_read_to_its_end_first() {
    let site = site("");
    site.write("app.log", "one\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["one"]);
    // The writer has not noticed yet, and writes on under the new name.
    rename(&site, "app.log", "app.log.1");
    site.append("app.log.1", "two\n");
    site.write("app.log", "");
    until(&mut engine, &site, &["one", "two"]);
    site.append("app.log.1", "three without its end");
    site.append("app.log", "four\n");
    until(
        &mut engine,
        &site,
        &["one", "two", "three without its end", "four"],
    );
    engine.stop();
}

#[test]
fn a_truncated_file_is_read_from_its_begin() {
    let site = site("");
    site.write("app.log", "a rather long line\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["a rather long line"]);
    site.write("app.log", "short\n");
    until(&mut engine, &site, &["a rather long line", "short"]);
    engine.stop();
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let site = site("");
    site.write("app.log", "one\ntwo\npart");
    let mut engine = site.start();
    until(&mut engine, &site, &["one", "two"]);
    engine.stop();
    site.append("app.log", "ly\nthree\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["one", "two", "partly", "three"]);
    engine.stop();
}

#[test]
fn what_was_rotated_while_nobody_looked_is_read_in_order() {
    let site = site("");
    site.write("app.log.1", "read long ago\n");
    site.write("app.log", "one\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["one"]);
    engine.stop();
    site.append("app.log", "two\n");
    rename(&site, "app.log.1", "app.log.3");
    rename(&site, "app.log", "app.log.2");
    site.write("app.log.1", "three\n");
    site.write("app.log.4.gz", "not a text\n");
    site.write("app.log", "four\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["one", "two", "three", "four"]);
    engine.stop();
    // And nothing of it again.
    let mut engine = site.start();
    site.append("app.log", "five\n");
    until(&mut engine, &site, &["one", "two", "three", "four", "five"]);
    engine.stop();
}

#[test]
fn newest_leaves_out_what_was_there() {
    let site = site("start = \"newest\"");
    site.write("app.log", "old\n");
    let mut engine = site.start();
    engine.until("the file is open", || {
        let open = format!("/proc/{}/fd", engine_pid(&site));
        let links = std::fs::read_dir(open).into_iter().flatten().flatten();
        links
            .filter_map(|link| std::fs::read_link(link.path()).ok())
            .any(|path| path.ends_with("app.log"))
    });
    site.append("app.log", "new\n");
    until(&mut engine, &site, &["new"]);
    engine.stop();
}

/// From the runtime configuration, where the engine says its own process number.
fn engine_pid(site: &Site) -> String {
    let rtc = site.read("output/input.tail.rtc");
    let pid = rtc.lines().find_map(|line| line.strip_prefix("Pid = "));
    pid.unwrap_or_default().to_string()
}
