//! `input/tail.lua` with the module `follower`: rotation, truncation, compression, lines in pieces, restarts, kills; nothing left out.

use e2e::{Engine, Site, payloads};

fn site(cfg: &str) -> Site {
    let site = Site::new();
    let cfg = format!(
        "input_filename = \"{}\"\ninstruction_limit = 0\nticker_interval = 1\n{cfg}",
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

fn gzip(site: &Site, name: &str) {
    let status = std::process::Command::new("gzip")
        .arg(site.path(name))
        .status();
    assert!(status.expect("gzip is there").success());
}

#[test]
fn a_file_that_was_compressed_while_nobody_looked_is_read_to_its_end() {
    let site = site("");
    site.write("app.log", "one\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["one"]);
    engine.stop();
    site.append("app.log", "two\n");
    rename(&site, "app.log", "app.log.2");
    gzip(&site, "app.log.2");
    site.write("app.log", "three\nwithout its end");
    rename(&site, "app.log", "app.log.1");
    gzip(&site, "app.log.1");
    site.write("app.log", "four\n");
    let mut engine = site.start();
    let all = ["one", "two", "three", "without its end", "four"];
    until(&mut engine, &site, &all);
    engine.stop();
}

#[test]
fn a_compressed_file_is_read_while_there_is_no_new_one() {
    let site = site("");
    site.write("app.log", "first\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["first"]);
    engine.until("a checkpoint", || site.checkpoint("input.tail").is_some());
    engine.kill();
    site.append("app.log", "one\ntwo\n");
    rename(&site, "app.log", "app.log.90");
    gzip(&site, "app.log.90");
    let mut engine = site.start();
    until(&mut engine, &site, &["first", "one", "two"]);
    engine.stop();
    site.write("app.log", "three\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["first", "one", "two", "three"]);
    engine.stop();
}

#[test]
fn a_copy_that_was_made_before_a_truncation_has_the_rest() {
    let site = site("");
    site.write("app.log", "one\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["one"]);
    engine.stop();
    // All of it happens between two looks, and the file is as long as before again.
    site.append("app.log", "two\n");
    std::fs::copy(site.path("app.log"), site.path("app.log.1")).expect("copied");
    site.write("app.log", "three, which is longer\n");
    let mut engine = site.start();
    until(
        &mut engine,
        &site,
        &["one", "two", "three, which is longer"],
    );
    site.append("app.log", "four\n");
    std::fs::copy(site.path("app.log"), site.path("app.log.2")).expect("copied");
    site.write("app.log", "5\n");
    let last = ["one", "two", "three, which is longer", "four", "5"];
    until(&mut engine, &site, &last);
    engine.stop();
}

#[test]
fn another_file_with_the_number_of_the_old_one_is_read_as_a_whole() {
    let site = site("");
    site.write("app.log", "one\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["one"]);
    engine.stop();
    // Written in place: the inode stays.
    site.write("app.log", "uno\ndos\n");
    let mut engine = site.start();
    until(&mut engine, &site, &["one", "uno", "dos"]);
    engine.stop();
}

#[test]
fn a_pattern_follows_all_its_files() {
    let site = Site::new();
    let cfg = format!(
        "input_filename = \"{}\"\nticker_interval = 1\nfile_field = \"file\"",
        site.path("*.log").display()
    );
    let site = site
        .ours("input/tail.lua", "tail", &cfg)
        .collect("all", "TRUE");
    site.write("a.log", "a1\n");
    site.write("b.log", "b1\n");
    site.write("c.txt", "no\n");
    let sorted = |site: &Site| {
        let mut found = collected(site);
        found.sort();
        found
    };
    let mut engine = site.start();
    engine.until("two files", || sorted(&site) == ["a1", "b1"]);
    site.write("d.log", "d1\n");
    site.append("a.log", "a2\n");
    engine.until("a new file", || sorted(&site) == ["a1", "a2", "b1", "d1"]);
    engine.stop();
    site.append("b.log", "b2\n");
    rename(&site, "a.log", "a.log.1");
    site.append("a.log.1", "a3\n");
    site.write("a.log", "a4\n");
    let mut engine = site.start();
    let all = ["a1", "a2", "a3", "a4", "b1", "b2", "d1"];
    engine.until("the rest of all", || sorted(&site) == all);
    engine.stop();
    let found = e2e::messages(&site.path("all.heka"));
    let of_a4 = found
        .iter()
        .find(|m| m.payload.as_deref() == Some(b"a4"))
        .expect("it came");
    let file = e2e::field_text(of_a4, "file").expect("its file");
    assert!(file.ends_with("/a.log"), "{file}");
}

#[test]
fn a_killed_engine_loses_no_line_of_a_rotated_file() {
    const LINES: usize = 20_000;
    let site = site("");
    let mut engine = site.start();
    site.write("app.log", "first\n");
    until(&mut engine, &site, &["first"]);
    engine.until("a checkpoint", || site.checkpoint("input.tail").is_some());
    for i in 0..LINES {
        site.append("app.log", format!("line {i}\n"));
        if i % 3_000 == 2_999 {
            let seen = format!("line {}", i - 2_500);
            engine.until("some lines", || collected(&site).contains(&seen));
            engine.kill();
            let (old, new) = (format!("app.log.{}", 90 - i / 3_000), "app.log");
            rename(&site, new, &old);
            if i % 6_000 == 2_999 {
                gzip(&site, &old);
            }
            engine = site.start();
        }
    }
    let last = format!("line {}", LINES - 1);
    engine.until("the last line", || collected(&site).contains(&last));
    engine.stop();
    let found: std::collections::HashSet<String> = collected(&site).into_iter().collect();
    let missing: Vec<usize> = (0..LINES)
        .filter(|i| !found.contains(&format!("line {i}")))
        .collect();
    assert_eq!((missing.len(), missing.first()), (0, None));
}
